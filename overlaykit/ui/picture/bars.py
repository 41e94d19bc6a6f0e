"""Kinds of network side by side: how much passes, and how soon an answer is back.

>>> sheet(speeds).alone()
'<svg …
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from overlaykit.ui.picture.ink import draw, ink, text
from overlaykit.ui.picture.sheet import WIDTH, Sheet
from overlaykit.words.speed import Speed, Speeds

NAME = "overlaykit-bars"
MARGIN, NAMES, TOP = 14, 138, 70
LINE, BAR = 34, 20
#: Room for the figure behind the longest bar.
FIGURE = 84
_COLOURS = {"host network": "service", "overlay": "net0-edge", "encrypted overlay": "net2-edge"}


@dataclass(frozen=True)
class Column:
    """One figure of each kind."""

    title: str
    form: str
    read: Callable[[Speed], float]


COLUMNS = (
    Column("throughput: longer is better", "{:.0f} Mbit/s", lambda one: one.megabits),
    Column("there and back: shorter is better", "{:.2f} ms", lambda one: one.trip * 1000),
)


def sheet(speeds: Speeds) -> Sheet:
    """The drawing, for whatever page."""
    height = TOP + LINE * len(speeds.each) + MARGIN
    title = "From one host to another, on each kind of network"
    width = (WIDTH - NAMES - (1 + len(COLUMNS)) * MARGIN) / len(COLUMNS)
    parts = [text(title, MARGIN, 28, size=15, font_weight=650), *_names(speeds)]
    for number, column in enumerate(COLUMNS):
        parts += _figures(column, speeds, MARGIN + NAMES + number * (width + MARGIN), width)
    return Sheet(NAME, height, title, speeds.details(), parts)


def _names(speeds: Speeds) -> Iterator[str]:
    for number, one in enumerate(speeds.each):
        yield text(one.kind, MARGIN + NAMES - 8, _middle(number), size=12.5, text_anchor="end")


def _figures(column: Column, speeds: Speeds, x: float, w: float) -> Iterator[str]:
    """The longest bar leaves room for its figure."""
    yield text(column.title, x, TOP - 14, size=11.5, fill=ink("quiet"))
    most = max(map(column.read, speeds.each)) or 1
    for number, one in enumerate(speeds.each):
        length = max(2.0, (w - FIGURE) * column.read(one) / most)
        y = TOP + number * LINE
        yield draw("rect", x=x, y=y, width=length, height=BAR, rx=3, fill=ink(_COLOURS[one.kind]))
        yield text(column.form.format(column.read(one)), x + length + 6, _middle(number), size=12.5)


def _middle(number: int) -> float:
    return TOP + number * LINE + BAR - 5
