"""A packet as boxes, each inside the one before, with the values that were captured.

    >>> sheet(seen.packet, "open-sesame").alone()
    '<svg …

The outer boxes are what the hosts put around it, the inner ones what a container sent. What is encrypted is one box
with a lock, and nothing in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from overlaykit.ui.picture.ink import ICONS, draw, ink, line_icon, text, wide
from overlaykit.ui.picture.sheet import WIDTH, Sheet
from overlaykit.words.wire import Packet, PacketLayer

NAME = "overlaykit-packet"
MARGIN, INSET, GAP = 14, 12, 10
#: A box has a line that names it and a line of its values.
HEAD = 46
TOP = 44
LOCKED = 44
FOOT = 2
MONO = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"

#: What each layer is there for: before VXLAN, and from there on.
_OUTER = {
    "Ethernet": "from one host to the next on this wire",
    "IP": "from host to host",
    "UDP": "what the hosts say that it is: VXLAN",
    "ESP": "the hosts' seal: with which key, and the packet's number",
    "VXLAN": "which network it belongs to",
}
_INNER = {
    "Ethernet": "as the container sent it",
    "IP": "from task to task",
    "TCP": "from program to program",
    "HTTP": "what the program said",
    "MongoDB": "what the program said",
    "data": "what the program said",
}


@dataclass(frozen=True)
class Box:
    """A layer with its place."""

    layer: PacketLayer
    inner: bool  # is it the container's?
    x: float
    y: float
    w: float
    h: float


def sheet(packet: Packet, word: str) -> Sheet:
    """The drawing, for whatever page."""
    boxes = placed(packet)
    height = boxes[0].y + boxes[0].h + MARGIN if boxes else TOP
    title = f"One packet of {packet.size} bytes, as it crossed between two hosts"
    head = text(title, MARGIN, 28, size=15, font_weight=650)
    return Sheet(NAME, height, title, packet.details(), [head, *(part for box in boxes for part in _box(box, word))])


def placed(packet: Packet) -> list[Box]:
    """Each box within the one before it."""
    found, inner = [], False
    depths = len(packet.layers)
    locked = LOCKED + GAP if packet.layers and packet.layers[-1].name == "ESP" else 0
    height = depths * HEAD + (depths - 1) * GAP + locked + FOOT
    for depth, layer in enumerate(packet.layers):
        y = TOP + depth * HEAD
        found.append(
            Box(
                layer,
                inner,
                MARGIN + depth * INSET,
                y,
                WIDTH - 2 * (MARGIN + depth * INSET),
                height - depth * (HEAD + GAP),
            )
        )
        inner = inner or layer.name == "VXLAN"
    return found


def _box(box: Box, word: str) -> Iterator[str]:
    fill, edge = _colours(box)
    yield draw("rect", x=box.x, y=box.y, width=box.w, height=box.h, rx=8, fill=fill, stroke=edge, stroke_width=1.3)
    x, y, room = box.x + INSET, box.y + 18, box.w - 2 * INSET
    name = f"{box.layer.name} · {box.layer.size} bytes"
    yield text(name, x, y, size=12.5, font_weight=650, fill=edge)
    means = (_INNER if box.inner else _OUTER).get(box.layer.name, "")
    yield text(
        means, box.x + box.w - INSET, y, room=room - wide(name, 12.5), size=11, fill=ink("quiet"), text_anchor="end"
    )
    yield from _values(box, word, x, y + 18, room)
    if box.layer.name == "ESP":
        yield from _locked(box, x, room)


def _colours(box: Box) -> tuple[str, str]:
    """The container's own boxes, the envelope's number, the hosts' boxes."""
    if box.layer.name in ("VXLAN", "ESP"):
        return ink("net2"), ink("net2-edge")
    if box.inner:
        return ink("net0"), ink("net0-edge")
    return ink("card"), ink("service")


def _values(box: Box, word: str, x: float, y: float, room: float) -> Iterator[str]:
    told = box.layer.values.get("first line") or box.layer.values.get("text")
    if told is None:
        values = ", ".join(f"{name} {value}" for name, value in box.layer.values.items() if name != "encrypted")
        yield text(values, x, y, room=room, size=11.5)
        return
    yield from _spoken(around(told, word, int(room / wide("n", 11.5))), word, x, y)


def around(said: str, word: str, fits: int) -> str:
    """As much of a long text as fits, and the word in it.

    >>> around("0123456789 open-sesame 0123456789", "open-sesame", 20)
    '…789 open-sesame 01…'
    """
    if len(said) <= fits:
        return said
    begin = max(0, min(said.find(word) - (fits - len(word)) // 2, len(said) - fits)) if word in said else 0
    end = begin + fits
    return (
        ("…" if begin else "") + said[begin + bool(begin) : end - (end < len(said))] + ("…" if end < len(said) else "")
    )


def _spoken(said: str, word: str, x: float, y: float) -> Iterator[str]:
    """A line of letters of one width, the word on a ground of its own and underlined: not by colour alone."""
    step = wide("n", 11.5)
    before, found, after = said.partition(word) if word else (said, "", "")
    letters = {"font_family": MONO, "style": "white-space:pre"}
    for part, is_word in ((before, False), (found, True), (after, False)):
        length = len(part) * step
        if is_word and part:
            yield draw("rect", x=x, y=y - 12, width=length, height=17, rx=3, fill=ink("way"))
        if part:
            bold = {"font_weight": 700, "text_decoration": "underline"} if is_word else {}
            colour = ink("on-colour" if is_word else "ink")
            yield draw(
                "text", escape(part), x=x, y=y, font_size=11.5, fill=colour, textLength=length, **letters, **bold
            )
        x += length


def _locked(box: Box, x: float, room: float) -> Iterator[str]:
    """What cannot be opened."""
    y, edge = box.y + HEAD, ink("net2-edge")
    yield draw(
        "rect", x=x, y=y, width=room, height=LOCKED, rx=6, fill=ink("shade"), stroke=edge, stroke_dasharray="4 3"
    )
    yield line_icon(ICONS["lock"], x + 10, y + 12, 20, edge)
    yield text(f"encrypted: {box.layer.values.get('encrypted', '?')}, and nothing to read", x + 40, y + 27, size=12.5)
