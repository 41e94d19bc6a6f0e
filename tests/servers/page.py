"""The page docs/your-own-servers.md as its tests read it: what is to be typed, by the name above each block.

>>> steps()["look"]
'overlaykit hosts\\noverlaykit plan\\n'
"""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "your-own-servers.md"
_STEP = re.compile(r"<!-- rehearsed: ([^>\n]+) -->\n```\w*\n(.*?)```", re.DOTALL)


def steps() -> dict[str, str]:
    """Each block with the name that stands above it, in the order of the page."""
    found: list[tuple[str, str]] = _STEP.findall(PAGE.read_text())
    assert len({name for name, _ in found}) == len(found), "two blocks have the same name"
    return dict(found)
