"""The paper that a drawing stands on: alone it follows the reader's system, in a notebook JupyterLab's theme.

sheet = Sheet("overlaykit-packet", 300, "A packet", "Ethernet, in it …", parts)
sheet.themed(), sheet.alone()
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from overlaykit.ui.picture.ink import FONT, dark_rules, draw, ink

WIDTH = 720


@dataclass(frozen=True)
class Sheet:
    """`name` is its class, which its colours go by; `told` says in words all that is drawn."""

    name: str
    height: float
    title: str
    told: str
    parts: Sequence[str]

    def themed(self) -> str:
        """For a notebook: dark where JupyterLab is."""
        pages = ('body[data-jp-theme-light="false"]', "body.vscode-dark")
        return self._drawn(dark_rules(",".join(f"{page} svg.{self.name}" for page in pages)))

    def alone(self) -> str:
        """For a page that knows no theme."""
        return self._drawn(f"@media (prefers-color-scheme: dark){{{dark_rules(f'svg.{self.name}')}}}")

    def _drawn(self, style: str) -> str:
        return draw(
            "svg",
            draw("title", escape(self.title)),
            draw("desc", escape(self.told)),
            draw("style", style),
            draw("rect", width=WIDTH, height=self.height, rx=14, fill=ink("paper")),
            *self.parts,
            xmlns="http://www.w3.org/2000/svg",
            class_=self.name,
            viewBox=f"0 0 {WIDTH} {self.height:.0f}",
            width="100%",
            style="display:block;max-width:960px",
            role="img",
            font_family=FONT,
        )
