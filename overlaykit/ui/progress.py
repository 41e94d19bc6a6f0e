"""How the work goes, for a person: three observers of the same events.

    with progress(screen) as observer:
        phase.apply(observer)

On a terminal: the steps that run, each with its host, what it waits for and its seconds; below them
nothing, above them the steps that have ended. Elsewhere: one plain line per event.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from overlaykit.ui.screen import Screen
from overlaykit.words.plan import Event, Observer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_ENDED = {"done": "done", "failed": "FAILED", "cancelled": "cancelled"}
_STYLE = {"done": "green", "failed": "bold red", "cancelled": "yellow"}


@contextmanager
def progress(screen: Screen, *others: Observer) -> Iterator[Observer]:
    """An observer that shows events on the screen, and hands them to the others too."""
    if not screen.is_terminal:
        yield _all(PlainLines(screen), *others)
        return
    with _display(screen) as display:
        yield _all(LiveSteps(screen, display), *others)


class PlainLines:
    """One line per event, no control codes: for logs and pipes."""

    def __init__(self, screen: Screen) -> None:
        self._say = screen.say
        self._clock = Stopwatch()
        self._last: dict[object, str] = {}

    def __call__(self, event: Event) -> None:
        text = _line(event, self._clock.seconds(event))
        if self._last.get(_key(event)) != event.state + event.text:  # a fraction alone is no news
            self._say(text)
        self._last[_key(event)] = event.state + event.text


class LiveSteps:
    """The running steps as moving lines; what has ended stays above them."""

    def __init__(self, screen: Screen, display: Progress) -> None:
        self._say = screen.say
        self._display = display
        self._clock = Stopwatch()
        self._rows: dict[object, TaskID] = {}

    def __call__(self, event: Event) -> None:
        seconds = self._clock.seconds(event)
        if event.state in _ENDED:
            self._take_away(event)
            self._say(_line(event, seconds), style=_STYLE[event.state])
        elif event.state != "not begun":
            percent = "" if event.fraction is None else f" {event.fraction:.0%}"
            self._display.update(self._row(event), text=event.text + percent)

    def _row(self, event: Event) -> TaskID:
        key = _key(event)
        if key not in self._rows:
            title = f"{event.step.host}  {event.step.title}"
            self._rows[key] = self._display.add_task(title, total=None, text=event.text)
        return self._rows[key]

    def _take_away(self, event: Event) -> None:
        row = self._rows.pop(_key(event), None)
        if row is not None:
            self._display.remove_task(row)
            self._display.refresh()  # or the line that is printed next would be followed by a row that is gone


class Stopwatch:
    """Seconds since a step was first heard of."""

    def __init__(self) -> None:
        self._began: dict[object, float] = {}

    def seconds(self, event: Event) -> float:
        """Of the step that the event speaks of."""
        now = time.monotonic()
        return now - self._began.setdefault(_key(event), now)


@contextmanager
def lines(screen: Screen) -> Iterator[Callable[[str], None]]:
    """For work that reports in words alone (the lab): each line with the seconds since the start."""
    began = time.monotonic()

    def say(text: str) -> None:
        screen.say(f"{time.monotonic() - began:6.1f} s  {text}")

    with waiting(screen, "working"):
        yield say


@contextmanager
def waiting(screen: Screen, text: str) -> Iterator[Callable[[str], None]]:
    """A sign of life on a terminal, with the last thing that was heard; elsewhere nothing."""
    if not screen.is_terminal:
        yield lambda _: None
        return
    with screen.console.status(text) as status:
        yield lambda heard: status.update(f"{text}: {heard}")


def _display(screen: Screen) -> Progress:
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415  (rich is slow)
    from rich.table import Column  # noqa: PLC0415

    remaining = Column(ratio=1, no_wrap=True, overflow="ellipsis")  # so that a long reason cuts off no title

    columns: tuple[Any, ...] = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[text]}", style="dim", markup=False, table_column=remaining),
    )
    return Progress(*columns, console=screen.console, transient=True, expand=True)


def _all(*observers: Observer) -> Observer:
    def observe(event: Event) -> None:
        for observer in observers:
            observer(event)

    return observe


def _line(event: Event, seconds: float) -> str:
    """`node1: create network guestbook: done (0.4 s)`."""
    head = f"{event.step.host}: {event.step.title}"
    if event.state in _ENDED:
        head += f": {_ENDED[event.state]} ({seconds:.1f} s)"
    elif event.state != "progress" or not event.text:
        head += f": {event.state}"
    untold = event.text and event.state != "failed"  # what failed is told once, as the command's error
    return f"{head}: {event.text}" if untold else head


def _key(event: Event) -> tuple[str, str, str]:
    """What tells a step from the others; steps themselves hold dictionaries, so no key."""
    return event.phase, event.step.host, event.step.command
