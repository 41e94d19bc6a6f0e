"""What lesson 06 shows: a packet as boxes in boxes, and three kinds of network side by side.

boxes(seen.packet, "open-sesame")       # the picture of one packet, with what was captured in it
compare(speeds)                         # throughput and way there and back, as bars
"""

from __future__ import annotations

from overlaykit.ui.notebook.drawn import Drawn
from overlaykit.ui.picture import bars, packet
from overlaykit.words.errors import InputError
from overlaykit.words.speed import Speeds
from overlaykit.words.wire import Packet


def boxes(seen: Packet | None, word: str) -> Drawn:
    """The packet, opened; the word stands out where it can be read. Raises InputError where there is no packet."""
    if seen is None:
        raise InputError(
            "no packet was captured that could be shown: look at what the wire says first (its `details()`)"
        )
    return Drawn(packet.sheet(seen, word), repr(seen))


def compare(speeds: Speeds) -> Drawn:
    """Each kind of network with its two figures."""
    return Drawn(bars.sheet(speeds), repr(speeds))
