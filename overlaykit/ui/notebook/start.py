"""How a lesson's start was reached, line by line: what was found, what it undoes, what it does, ready.

panel = StartPanel("03")
panel.show()
panel.say("found", "three hosts in no swarm")
"""

from __future__ import annotations

from html import escape
from typing import Literal

import ipywidgets
from IPython.display import display

Kind = Literal["found", "undo", "do", "plan", "note", "ready", "failed"]

_WORDS: dict[Kind, str] = {
    "found": "Found",
    "undo": "Undo",
    "do": "Do",
    "plan": "Would do",
    "note": "Note",
    "ready": "Ready",
    "failed": "Failed",
}
_COLOURS: dict[Kind, str] = {
    "undo": "--jp-warn-color1",
    "plan": "--jp-info-color1",
    "ready": "--jp-success-color1",
    "failed": "--jp-error-color1",
}


class StartPanel(ipywidgets.HTML):
    """Shows itself once; lines are added while the cell runs."""

    def __init__(self, lesson: str) -> None:
        self.lesson = lesson
        self.lines: list[tuple[Kind, str]] = []
        super().__init__()

    def show(self) -> None:
        """Put it under the cell that runs."""
        display(self)

    def say(self, kind: Kind, text: str) -> None:
        """Add a line."""
        self.lines.append((kind, text))
        rows = "".join(_row(*line) for line in self.lines)
        self.value = f'<div role="status" style="line-height:1.5">{rows}</div>'

    def __repr__(self) -> str:
        return f"Start({self.lesson!r})"


def _row(kind: Kind, text: str) -> str:
    colour = f"color:var({_COLOURS[kind]}, inherit);" if kind in _COLOURS else ""
    word = f'<b style="{colour}display:inline-block;min-width:5.5em">{_WORDS[kind]}</b>'
    return f'<div style="display:flex">{word}<span style="white-space:pre-wrap">{escape(text)}</span></div>'
