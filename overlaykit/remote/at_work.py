"""Who is at work on which hosts, so that two parts of one program do not change the same hosts at once.

with at_work("lab default", "NetworkPanel(guestbook)"):
    ...                             # nobody else of this program is, or PlanRefused says who
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from overlaykit.words.errors import PlanRefused

_AT_WORK: dict[str, tuple[int, str]] = {}  # where → thread, who
_DOOR = threading.Lock()


@contextmanager
def at_work(where: str, who: str) -> Iterator[None]:
    """These hosts for one thread at a time: two that change them at once would each see a half of the other's."""
    me = threading.get_ident()
    with _DOOR:
        thread, other = _AT_WORK.get(where, (me, ""))
        if thread != me:
            raise PlanRefused(f"{other} is at work on these hosts: nothing was changed. Try again when it has ended.")
        if not other:
            _AT_WORK[where] = me, who
    try:
        yield
    finally:
        if not other:
            del _AT_WORK[where]
