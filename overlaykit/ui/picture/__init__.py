"""The swarm as a picture: hosts, the overlay networks as they are, the tasks, and the way of a request.

    >>> from overlaykit.ui.picture import picture
    >>> shown = picture(hosts, stack)
    >>> shown
    Picture(guestbook)
    >>> shown.request("node2")
    Request through node2: answered by frontend, backend, database

`scene.py` concludes from facts what is to be seen, `layout.py` says where, `svg.py` draws it, `words.py` says it.
Those four touch nothing. `live.py` follows the hosts and moves what is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overlaykit.kit import Hosts
    from overlaykit.ui.picture.live import Picture
    from overlaykit.words.stack import Stack

__all__ = ["picture"]


def picture(hosts: Hosts, stack: Stack) -> Picture:
    """A live picture of the hosts, for a notebook's cell. It follows them while somebody looks at it."""
    from overlaykit.ui.picture.live import Picture  # noqa: PLC0415  (brings ipywidgets, which a drawing does not need)

    return Picture(hosts, stack)
