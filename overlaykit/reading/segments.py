"""A word that TCP cut in two: found in the streams of a capture, and from there in the packets that carry its parts.

>>> parts_of(packets, b"open-sesame")      # the numbers of the packets that hold a part of it
{4, 5}
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from overlaykit.words.wire import Packet

#: A stretch of a stream without a gap, and where in it each packet begins.
_Stretch = tuple[bytes, list[tuple[int, int]]]


def parts_of(packets: Sequence[Packet], sought: bytes) -> set[int]:
    """Which packets hold the word or a part of it, by their place in `packets`."""
    flows: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for number, packet in enumerate(packets):
        if packet.flow and packet.payload:
            flows[packet.flow].append(number)
    return {
        number
        for numbers in flows.values()
        for stream, begins in _stretches(packets, numbers)
        for number in _holding(stream, begins, sought)
    }


def _stretches(packets: Sequence[Packet], numbers: list[int]) -> Iterator[_Stretch]:
    """The stream's bytes in order; what was sent twice stands once."""
    stream, start = b"", 0
    begins: list[tuple[int, int]] = []
    for number in sorted(numbers, key=lambda one: packets[one].sequence):
        packet = packets[number]
        gap = packet.sequence - start - len(stream)
        if gap > 0 and begins:
            yield stream, begins
            stream, begins = b"", []
        if not begins:
            start, gap = packet.sequence, 0
        if -gap < len(packet.payload):  # it brings something new
            begins.append((len(stream), number))
            stream += packet.payload[-gap if gap else 0 :]
    if begins:
        yield stream, begins


def _holding(stream: bytes, begins: list[tuple[int, int]], sought: bytes) -> Iterator[int]:
    ends = [*(at for at, _ in begins[1:]), len(stream)]
    place = stream.find(sought)
    while place >= 0:
        for (begin, number), end in zip(begins, ends, strict=True):
            if begin < place + len(sought) and place < end:
                yield number
        place = stream.find(sought, place + 1)
