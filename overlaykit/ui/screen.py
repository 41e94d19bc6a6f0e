"""What a person reads: the place where every command prints, asks, and is interrupted.

screen.say("nothing to do")          # with --json on stderr, since stdout holds the envelope alone
screen.show(table)                   # anything rich can draw
screen.confirm("Apply 3 steps?")     # UsageError where nobody is there to answer
with stop_on_interrupt(screen) as cancel:
    phase.apply(observer, cancel)    # Ctrl-C: no step begins after the running ones
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from overlaykit.words.errors import Cancelled

if TYPE_CHECKING:  # rich takes half a second to import: only who draws pays for it
    from rich.console import Console

#: Width where no terminal says one: lines in a log or a pipe are not broken.
UNBROKEN = 250


class Screen:
    """Words for a person. `machine`: somebody asked for JSON, so all words go to standard error."""

    def __init__(self, machine: bool = False) -> None:
        self.machine = machine

    @cached_property
    def console(self) -> Console:
        """Rich's console on the stream that words go to; text is never read as markup."""
        from rich.console import Console  # noqa: PLC0415  (see above)

        stream = sys.stderr if self.machine else sys.stdout
        width = None if stream.isatty() else UNBROKEN
        return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)

    @property
    def is_terminal(self) -> bool:
        """Does a person watch, who can be shown a display that moves?"""
        return self.console.is_terminal and not self.console.is_dumb_terminal

    def say(self, text: str = "", style: str = "") -> None:
        """A line of words; never broken, so that commands in it can be copied."""
        from rich.text import Text  # noqa: PLC0415  (see above)

        self.console.print(Text(text, style), soft_wrap=True)

    def show(self, what: Any) -> None:
        """A table, or anything else that rich can draw."""
        self.console.print(what)

    def fail(self, text: str) -> None:
        """What went wrong, on standard error."""
        click.echo(text, err=True)

    def confirm(self, question: str, instead: str) -> bool:
        """A person's yes or no. `instead` says what to write where nobody can be asked."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise click.UsageError(instead)
        return click.confirm(question, err=True)


@contextmanager
def stop_on_interrupt(screen: Screen) -> Iterator[threading.Event]:
    """An event that Ctrl-C sets; a second Ctrl-C interrupts at once. Leaves with KeyboardInterrupt if it was set."""
    cancel = threading.Event()

    def interrupted(*_: object) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        screen.fail("Interrupted: stopping when the running steps have ended (Ctrl-C again: at once).")

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield cancel
    except Cancelled:
        if not cancel.is_set():
            raise
    finally:
        signal.signal(signal.SIGINT, before)
    if cancel.is_set():
        raise KeyboardInterrupt
