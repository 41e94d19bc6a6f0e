"""A stack as a `stack.toml`, shown and written beside the notebook; a file that says something else is not lost.

export = Export()
export.show(panel.stack)
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import ipywidgets as widgets

from overlaykit.ui.panels.markup import alert_html, status_html
from overlaykit.words.stack import Stack
from overlaykit.words.stack_file import stack_text

FILE = "stack.toml"


class Export(widgets.VBox):
    """The text, where it went, and the question whether to write over another's."""

    def __init__(self) -> None:
        self._text = widgets.HTML()
        self._said = widgets.HTML()
        self._overwrite = widgets.Button(description="Overwrite", tooltip=f"Write over the {FILE} that is there")
        self._overwrite.on_click(lambda _: self._write())
        self._overwrite.layout.display = "none"
        self._wanted = ""
        super().__init__([self._said, self._overwrite, self._text])

    def show(self, stack: Stack) -> None:
        """Show the text; write it, unless there is a file that says something else."""
        self._wanted = stack_text(stack)
        self._text.value = f'<pre class="okp-file" tabindex="0">{escape(self._wanted)}</pre>'
        try:
            there = Path(FILE).read_text(encoding="utf-8")
        except FileNotFoundError:
            self._write()
        except (OSError, UnicodeDecodeError) as fault:
            self._ask(f"there is a {Path(FILE).resolve()} that cannot be read ({fault})")
        else:
            self._compare(there)

    def _compare(self, there: str) -> None:
        path = Path(FILE).resolve()
        if there == self._wanted:
            self._say(status_html(f"{path} says just this already"))
        else:
            self._ask(f"{path} is there and says something else: nothing was written. Overwrite it?")

    def _write(self) -> None:
        try:
            Path(FILE).write_text(self._wanted, encoding="utf-8")
        except OSError as fault:
            self._say(alert_html(f"{Path(FILE).resolve()} cannot be written ({fault.strerror}): copy the text below"))
        else:
            self._say(status_html(f"written to {Path(FILE).resolve()}"))

    def _ask(self, sentence: str) -> None:
        self._say(alert_html(sentence))
        self._overwrite.layout.display = None

    def _say(self, html: str) -> None:
        self._overwrite.layout.display = "none"
        self._said.value = html

    def __repr__(self) -> str:
        return "Export()"
