"""A drawing in a notebook: as wide as its cell, in the theme's colours, and there without a kernel too.

>>> Drawn(sheet, "Ethernet > IP > ESP")
Ethernet > IP > ESP
"""

from __future__ import annotations

from typing import Any

import ipywidgets

from overlaykit.ui.picture.sheet import Sheet


class Drawn(ipywidgets.HTML):
    """What it says of itself in letters, `said`, is the same on every run."""

    def __init__(self, sheet: Sheet, said: str) -> None:
        self.sheet = sheet
        self.said = said
        super().__init__(sheet.themed(), layout=ipywidgets.Layout(width="100%", height="auto"))

    def _repr_mimebundle_(self, **settings: Any) -> dict[str, Any]:
        """The drawing also as it is, for a notebook that is read without a kernel."""
        return {**super()._repr_mimebundle_(**settings), "image/svg+xml": self.sheet.alone(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return self.said
