"""A sentence as a page shows it: what stands in backticks is code there.

>>> marked("`docker ps` lists it")
'<code>docker ps</code> lists it'
"""

from __future__ import annotations

import re
from html import escape


def marked(text: str) -> str:
    """HTML of one sentence."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
