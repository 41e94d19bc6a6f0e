"""Something that differs from run to run, shown so that the saved notebook still reads the same.

>>> shown("What is there", "node1: container backend.1 …")
Shown('What is there')
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import ipywidgets


def shown(title: str, text: str = "", rows: Sequence[Sequence[object]] = ()) -> Shown:
    """A text as it is, or rows as a table whose first row is its head."""
    return Shown(title, _table(rows) if rows else f"<pre style='margin:0'>{escape(text)}</pre>")


class Shown(ipywidgets.HTML):
    """The title is the same on every run, the rest need not be."""

    def __init__(self, title: str, html: str) -> None:
        self.title = title
        super().__init__(f"<div style='line-height:1.5'><b>{escape(title)}</b>{html}</div>")

    def __repr__(self) -> str:
        return f"Shown({self.title!r})"


def _table(rows: Sequence[Sequence[object]]) -> str:
    head, *body = rows
    lines = [_row(head, "th"), *(_row(row, "td") for row in body)]
    return f"<table style='border-collapse:collapse;text-align:left'>{''.join(lines)}</table>"


def _row(cells: Sequence[object], tag: str) -> str:
    style = "padding:.1em 1.2em .1em 0;border-bottom:1px solid var(--jp-border-color2, #ccc)"
    return "<tr>" + "".join(f"<{tag} style='{style}'>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"
