"""The command line: `overlaykit --help`, or `python -m overlaykit --help`.

Exit codes: 0 fine; 1 a check failed or the work could not be done; 2 bad input or usage; 3 changes are
pending (`plan`); 130 interrupted. Whatever goes wrong becomes a sentence here, and nowhere else.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from overlaykit.ui.envelope import Envelope
from overlaykit.ui.lab_commands import lab
from overlaykit.ui.options import Run, command_name
from overlaykit.ui.screen import Screen
from overlaykit.ui.stack_commands import check, down, hosts, init, plan, up
from overlaykit.ui.wire_command import wire
from overlaykit.words.errors import OverlaykitError

if TYPE_CHECKING:
    from overlaykit.kit import Hosts

DEBUG = "OVERLAYKIT_DEBUG"
INTERRUPTED = 130


def connect(*choice: Any, **settings: Any) -> Hosts:
    """The kit's `connect`, imported when it is called: it brings paramiko and Docker's SDK."""
    from overlaykit import kit  # noqa: PLC0415  (so that --help is quick)

    return kit.connect(*choice, **settings)


class Entry(click.Group):
    """A group that ends with an exit code and a sentence, never with a traceback."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **_: Any) -> NoReturn:  # type: ignore[override]
        """What `overlaykit` runs."""
        words = list(sys.argv[1:] if args is None else args)
        run = Run(Screen(), Envelope(""), connect)
        code = self._ended(run, words, prog_name or "overlaykit")
        run.envelope.ok = code == 0
        if run.screen.machine:
            click.echo(run.envelope.text())
        if code == INTERRUPTED:
            _leave_running_work()
        sys.exit(code)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a person meets them."""
        return list(self.commands)

    def _ended(self, run: Run, words: list[str], prog_name: str) -> int:
        try:
            return super().main(words, prog_name, standalone_mode=False, obj=run) or 0
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message())
            return error.exit_code
        except click.UsageError as error:
            run.screen.machine = run.screen.machine or "--json" in words
            run.envelope.command = command_name(error.ctx) or _typed(self, words)
            return _failed(run, _usage(error, run.envelope.command), error.exit_code)
        except OverlaykitError as error:
            return _failed(run, str(error), error.exit_code)
        except click.Abort:
            return _failed(run, "Interrupted; the same command again goes on from here.", INTERRUPTED)
        except Exception as error:  # noqa: BLE001  (the last net: a person gets a sentence, not a traceback)
            return _failed(run, _unexpected(error), 1)


def _leave_running_work() -> None:
    """End now, if a step or a probe still runs: Python would wait for its thread, however long its host takes."""
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(INTERRUPTED)


def _failed(run: Run, sentence: str, code: int) -> int:
    if os.environ.get(DEBUG):
        traceback.print_exc()
    run.envelope.error = sentence
    run.screen.fail(sentence)
    return code


def _typed(group: click.Command, words: Sequence[str]) -> str:
    """The command that was typed, of an error that does not tell."""
    names = []
    for word in words:
        if not isinstance(group, click.Group) or word not in group.commands:
            break
        names.append(word)
        group = group.commands[word]
    return " ".join(names)


def _usage(error: click.UsageError, command: str) -> str:
    where = f"overlaykit {command}".rstrip()
    return f"{where}: {' '.join(error.format_message().split()).rstrip('.')}. See {where} --help."


def _unexpected(error: Exception) -> str:
    said = " ".join(str(error).split())
    return (
        f"This should not happen: {type(error).__name__}{f': {said}' if said else ''}. "
        f"It is a fault of overlaykit: please report it with what {DEBUG}=1 makes the same command print."
    )


@click.group(
    "overlaykit", cls=Entry, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="overlaykit")
def main() -> None:
    """Docker Swarm overlay networks across real hosts, step by step.

    \b
    overlaykit lab up        three practice hosts on this machine
    overlaykit up            swarm, network and three tiers over them
    overlaykit check         prove that they find and reach each other

    Exits 0 when all is fine, 1 when a check failed or the work could not be done, 2 on bad input,
    3 when `plan` shows changes.
    """


for command in (init, hosts, plan, up, check, wire, down, lab):
    main.add_command(command)
