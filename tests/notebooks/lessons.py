"""A lesson as its tests read it.

for lesson in LESSONS:
    lesson.number, lesson.words, lesson.time        # "03", 812, Time(9, 3, 1, 5)
    lesson.tagged("check")                          # its code cells with that tag
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat

FOLDER = Path(__file__).parents[2] / "notebooks"
#: What a class of 90 minutes goes through.
CORE = ("00", "01", "03", "04", "05", "06", "07")
#: Of these, what a learner cannot do without.
CORE_PATH = tuple(number for number in CORE if number != "06")

_DECLARED = re.compile(r"\bTime: (\d+) minutes \(reading (\d+), hosts (\d+), exercise (\d+)\)")
_WORD = re.compile(r"\w[\w'./:-]*")

Cell = Any  # nbformat publishes a dict that also answers to names


@dataclass(frozen=True)
class Time:
    """Minutes of a person's time, as a lesson declares them."""

    all: int
    reading: int
    hosts: int
    exercise: int


@dataclass(frozen=True)
class Lesson:
    """One notebook."""

    path: Path

    @property
    def name(self) -> str:
        """As in `03_overlay_network`."""
        return self.path.stem

    @property
    def number(self) -> str:
        """As in `03`."""
        return self.name[:2]

    @cached_property
    def notebook(self) -> Any:
        """As nbformat reads it."""
        return nbformat.read(self.path, as_version=4)  # type: ignore[no-untyped-call]

    @property
    def code(self) -> list[Cell]:
        """The code cells, in order."""
        return [cell for cell in self.notebook.cells if cell.cell_type == "code"]

    @property
    def text(self) -> str:
        """All that stands between the code."""
        return "\n\n".join(cell.source for cell in self.notebook.cells if cell.cell_type == "markdown")

    @property
    def words(self) -> int:
        """What there is to read, tables and commands among it."""
        return len(_WORD.findall(self.text))

    @property
    def terms(self) -> list[str]:
        """What it names for the first time stands in bold, and else only the warning that a cell changes the hosts."""
        return [bold for bold in re.findall(r"\*\*([^*]+)\*\*", self.text) if not bold.startswith("This ")]

    @property
    def lines_of_code(self) -> int:
        """Lines that are not empty."""
        return sum(len(lines(cell)) for cell in self.code)

    @cached_property
    def time(self) -> Time:
        """What the first cell declares."""
        found = _DECLARED.search(self.notebook.cells[0].source)
        assert found, f"{self.name}: the first cell says no `Time: 9 minutes (reading 3, hosts 1, exercise 5)`"
        return Time(*map(int, found.groups()))

    def tagged(self, tag: str) -> list[Cell]:
        """The code cells with a tag."""
        return [cell for cell in self.code if tag in cell.metadata.get("tags", [])]

    def index(self, cell: Cell) -> int:
        """Where a cell stands among all cells."""
        return next(index for index, other in enumerate(self.notebook.cells) if other is cell)

    def links(self) -> Iterator[str]:
        """What the text links to."""
        yield from re.findall(r"\]\(([^)\s]+)\)", self.text)


def lines(cell: Cell) -> list[str]:
    """A cell's lines that are not empty."""
    return [line for line in cell.source.splitlines() if line.strip()]


LESSONS = [Lesson(path) for path in sorted(FOLDER.glob("*.ipynb"))]
