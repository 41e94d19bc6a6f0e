"""Capture files: what one host's file holds, and those of several hosts in one, for Wireshark.

records(capture.pcap).frames          # [Frame(time=…, size=116, data=b"…"), …]
as_pcapng(captures)                   # the host's name stands with each packet, as its interface
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from overlaykit.words.wire import Capture

#: Link types of a file (LINKTYPE_ETHERNET, LINKTYPE_RAW).
ETHERNET, BARE_IP = 1, 101
_HEADER = struct.Struct("<IHHiIII")
_RECORD = struct.Struct("<IIII")
_MAGIC = 0xA1B2C3D4


@dataclass(frozen=True)
class Frame:
    """A packet as it lies in a file: `data` may be less than its `size`."""

    time: float
    size: int
    data: bytes


@dataclass(frozen=True)
class Records:
    """What a file holds. Not `whole`: it breaks off within a packet, or before the first."""

    link: int = ETHERNET
    frames: tuple[Frame, ...] = ()
    whole: bool = False


def records(pcap: bytes) -> Records:
    """The packets of a file as the kit's own program writes it, as far as it goes."""
    if len(pcap) < _HEADER.size or _HEADER.unpack_from(pcap)[0] != _MAGIC:
        return Records()
    frames, at = [], _HEADER.size
    while at + _RECORD.size <= len(pcap):
        second, micro, kept, size = _RECORD.unpack_from(pcap, at)
        if at + _RECORD.size + kept > len(pcap):
            break
        at += _RECORD.size
        frames.append(Frame(second + micro / 1e6, size, pcap[at : at + kept]))
        at += kept
    return Records(_HEADER.unpack_from(pcap)[6], tuple(frames), at == len(pcap))


def as_pcapng(captures: Iterable[Capture]) -> bytes:
    """One file for all, in the order in which the packets passed (as far as the hosts' clocks agree).

    The blocks are those of the pcapng specification: a section, an interface for each capture, its packets.
    """
    read = [(capture, records(capture.pcap)) for capture in captures if capture.pcap]
    section = _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    interfaces = [_interface(f"{capture.host}: {capture.interface}", found.link) for capture, found in read]
    packets = [(frame, number) for number, (_, found) in enumerate(read) for frame in found.frames]
    packets.sort(key=lambda one: one[0].time)
    return b"".join([section, *interfaces, *(_packet(frame, number) for frame, number in packets)])


def _interface(name: str, link: int) -> bytes:
    text = name.encode()
    options = struct.pack("<HH", 2, len(text)) + _padded(text) + struct.pack("<HH", 0, 0)  # if_name, end
    return _block(1, struct.pack("<HHI", link, 0, 0) + options)


def _packet(frame: Frame, interface: int) -> bytes:
    micro = round(frame.time * 1e6)
    head = struct.pack("<IIIII", interface, micro >> 32, micro & 0xFFFFFFFF, len(frame.data), frame.size)
    return _block(6, head + _padded(frame.data))


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
