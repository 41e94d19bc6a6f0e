"""What a check says of an exercise: PASS, or NOT YET with a hint that follows from what was seen.

>>> Verdict("node3 knows the network", passed=False, hint="no task of it runs there yet")
NOT YET: node3 knows the network
Hint: no task of it runs there yet
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from overlaykit.lessons.marked import marked

_STYLE = "border-left:4px solid var({colour}, {plain});padding:.3em .8em;margin:.2em 0"
_PASS = _STYLE.format(colour="--jp-success-color1", plain="#2e7d32")
_NOT_YET = _STYLE.format(colour="--jp-warn-color1", plain="#b26a00")


@dataclass(frozen=True, repr=False)
class Verdict:
    """Says the same on each run for the same state: no ids, no addresses, no times."""

    goal: str
    passed: bool
    hint: str = ""
    parts: tuple[Verdict, ...] = ()

    def __post_init__(self) -> None:
        if not self.passed and not (self.hint or self.parts):
            raise ValueError(f"NOT YET without a hint helps nobody: {self.goal}")

    @classmethod
    def of(cls, goal: str, parts: Sequence[Verdict]) -> Verdict:
        """One verdict over several goals, each with a line of its own; passed when all of them are."""
        return cls(goal, all(part.passed for part in parts), parts=tuple(parts))

    def require(self) -> Verdict:
        """The verdict when it is PASS; else an error that says what is not yet so."""
        if not self.passed:
            raise NotYet(repr(self))
        return self

    def __repr__(self) -> str:
        if self.parts:
            return "\n".join(map(repr, self.parts))
        said = f"{'PASS' if self.passed else 'NOT YET'}: {self.goal}"
        return said if self.passed else f"{said}\nHint: {self.hint}"

    def _repr_html_(self) -> str:
        if self.parts:
            return "".join(part._repr_html_() for part in self.parts)
        word, hint = ("PASS", "") if self.passed else ("NOT YET", f"<br>Hint: {marked(self.hint)}")
        style = _PASS if self.passed else _NOT_YET
        return f'<div role="status" style="{style}"><b>{word}</b>: {marked(self.goal)}{hint}</div>'


class NotYet(AssertionError):
    """An exercise that had to be done by now is not."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: where in the kit it was found out is of no use to a learner."""
        return str(self).splitlines()
