"""What a lesson shows in a notebook.

from overlaykit.ui.notebook import guestbook

guestbook(hosts, stack, "node2")
"""

from __future__ import annotations

from overlaykit.ui.notebook.guestbook_frame import guestbook

__all__ = ["guestbook"]
