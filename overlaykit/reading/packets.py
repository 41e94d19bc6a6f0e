"""From a host's capture to its packets, opened layer by layer: VXLAN to what is within, ESP as far as it shows.

    read_packets(capture, data_port=4789, word="open-sesame")

The one home of dpkt, which takes a quarter of a second to import: whoever needs this module imports it when
needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

from dpkt import Packet as Opened
from dpkt.esp import ESP
from dpkt.ethernet import Ethernet
from dpkt.ip import IP
from dpkt.tcp import TCP
from dpkt.udp import UDP

from overlaykit.reading.pcap import BARE_IP, Frame, records
from overlaykit.reading.segments import parts_of
from overlaykit.words.wire import Capture, Packet, PacketLayer

_REQUESTS = (b"GET ", b"POST ", b"PUT ", b"DELETE ", b"HEAD ", b"PATCH ", b"OPTIONS ")
_OP_MSG = 2013  # the one message of MongoDB's wire protocol
_FLAGS = "FSRPAUEC"  # of TCP, from the lowest bit on


class VXLAN(Opened):
    """Its header, RFC 7348; what it carries is an Ethernet frame."""

    __hdr__ = (("flags", "B", 8), ("reserved", "3s", bytes(3)), ("vni_and_more", "I", 0))

    @property
    def vni(self) -> int:
        return int(self.vni_and_more >> 8)


def read_packets(capture: Capture, data_port: int, word: str) -> tuple[Packet, ...]:
    """The packets of a capture; a word that was cut into two segments is found in both."""
    found = records(capture.pcap)
    sought = word.encode()
    first = IP if found.link == BARE_IP else Ethernet
    packets = [_packet(capture.host, frame, _opened(first, frame.data), data_port, sought) for frame in found.frames]
    for number in parts_of(packets, sought):
        packets[number] = replace(packets[number], readable=True)
    return tuple(packets)


def _packet(host: str, frame: Frame, opened: Any, data_port: int, sought: bytes) -> Packet:
    boxes = list(_boxes(opened, data_port))
    layers = tuple(layer for layer, _ in boxes)
    packets = [box for _, box in boxes if isinstance(box, IP)]
    outer, inner = packets[0] if packets else None, packets[1] if len(packets) > 1 else None
    esp = next((box for _, box in boxes if isinstance(box, ESP)), None)
    vxlan = next((box for _, box in boxes if isinstance(box, VXLAN)), None)
    segment = next((box for _, box in boxes if isinstance(box, TCP)), None)
    payload = next((box for _, box in boxes if isinstance(box, bytes)), b"")
    return Packet(
        host,
        frame.time,
        frame.size,
        source=_shown(outer.src) if outer else "",
        target=_shown(outer.dst) if outer else "",
        layers=layers,
        vxlan_id=vxlan.vni if vxlan else None,
        spi=esp.spi if esp else None,
        inner_source=_shown(inner.src) if inner else "",
        inner_target=_shown(inner.dst) if inner else "",
        flow=_flow(vxlan, inner, segment),
        sequence=segment.seq if segment else 0,
        payload=payload,
        length=outer.len if outer else 0,
        inner_length=inner.len if inner else 0,
        readable=sought in frame.data,
    )


def _flow(vxlan: Any, inner: Any, segment: Any) -> tuple[Any, ...]:
    if not (vxlan and inner and segment):
        return ()
    return (vxlan.vni, inner.src, segment.sport, inner.dst, segment.dport)


def _boxes(opened: Any, data_port: int) -> Iterator[tuple[PacketLayer, Any]]:
    """Each layer with what it was read from; the innermost bytes, if any, come last, as bytes."""
    match opened:
        case Ethernet():
            yield PacketLayer("Ethernet", 14, {"from": opened.src.hex(":"), "to": opened.dst.hex(":")}), opened
        case IP():
            yield _ip(opened), opened
        case UDP():
            yield PacketLayer("UDP", 8, {"from port": str(opened.sport), "to port": str(opened.dport)}), opened
        case TCP():
            yield _tcp(opened), opened
        case VXLAN():
            yield PacketLayer("VXLAN", 8, {"VXLAN id": str(opened.vni)}), opened
        case ESP():
            told = {"SPI": f"0x{opened.spi:08x}", "sequence": str(opened.seq), "encrypted": f"{len(opened.data)} bytes"}
            yield PacketLayer("ESP", 8, told), opened
            return
        case _:
            yield from _innermost(bytes(opened))
            return
    yield from _boxes(_within(opened, data_port), data_port)


def _within(opened: Any, data_port: int) -> Any:
    """What the layer carries. Whether UDP is VXLAN is for the swarm's port to say, not for the usual one."""
    if isinstance(opened, UDP) and opened.dport == data_port:
        return _opened(VXLAN, opened.data)
    return _opened(Ethernet, opened.data) if isinstance(opened, VXLAN) else opened.data


def _opened(kind: Any, data: bytes) -> Any:
    """The bytes as a packet of that kind; as they are, where they are none."""
    try:
        return kind(data)
    except Exception:  # noqa: BLE001  (dpkt opens whatever a frame claims to carry, and not with care)
        return data


def _shown(address: bytes) -> str:
    return str(IPv4Address(address))


def _ip(opened: Any) -> PacketLayer:
    ends = {"from": _shown(opened.src), "to": _shown(opened.dst)}
    return PacketLayer("IP", opened.hl * 4, {**ends, "length": str(opened.len)})


def _tcp(opened: Any) -> PacketLayer:
    flags = "".join(name for bit, name in enumerate(_FLAGS) if opened.flags >> bit & 1)
    values = {"from port": str(opened.sport), "to port": str(opened.dport), "flags": flags}
    return PacketLayer("TCP", opened.off * 4, values)


def _innermost(data: bytes) -> Iterator[tuple[PacketLayer, bytes]]:
    if not data:
        return
    text = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in data)
    if data.startswith((*_REQUESTS, b"HTTP/1.")):
        first = data.split(b"\r\n", 1)[0].decode("latin-1")
        yield PacketLayer("HTTP", len(data), {"first line": first, "text": text}), data
    elif int.from_bytes(data[12:16], "little") == _OP_MSG and len(data) > 16:
        yield PacketLayer("MongoDB", len(data), {"text": text}), data
    else:
        yield PacketLayer("data", len(data), {"text": text}), data
