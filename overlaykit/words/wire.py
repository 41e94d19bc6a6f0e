"""What crosses between the hosts: captures, the packets in them, and what they say of each network.

    >>> seen = hosts.wire(stack, word="open-sesame").listen()
    >>> seen
    guestbook: plaintext
    ingress: plaintext
    >>> seen.packet
    Ethernet > IP > UDP > VXLAN > Ethernet > IP > TCP > HTTP
    >>> seen.packet.layers[3].values["VXLAN id"]
    '4097 (guestbook)'

A `repr` holds only what is the same on every run; `details()` shows addresses, ids and values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from overlaykit.words.errors import InputError
from overlaykit.words.findings import Findings

Verdict = Literal["plaintext", "encrypted", "cannot tell"]
#: How the word of a request was seen on one part of its way.
Sight = Literal["readable", "in the clear", "in ESP", "not seen", "inside one host"]

#: The finding that says whether the stack's own network crosses as the stack says.
AS_WANTED = "OK501"
#: What stays as it is in an address, a JSON text and a database: so that it is found again, byte by byte.
_WORD = re.compile(r"[A-Za-z0-9._~-]{6,60}")


def usable_word(word: str) -> str:
    """The word, if it can be sent through every tier and found again; else InputError.

    >>> usable_word("open sesame")
    Traceback (most recent call last):
    overlaykit.words.errors.InputError: the word 'open sesame' cannot be sent: take 6 to 60 of the letters A to Z …
    """
    if not _WORD.fullmatch(word):
        raise InputError(
            f"the word {word!r} cannot be sent: take 6 to 60 of the letters A to Z and a to z, digits and . _ ~ -, "
            "so that it looks the same in every packet"
        )
    return word


@dataclass(frozen=True)
class Capture:
    """What one host's interface carried. `error` is the sentence that says why that is not known, or not all of it."""

    host: str
    interface: str = ""
    address: str = ""  # of that interface
    pcap: bytes = field(default=b"", repr=False)
    error: str = ""


@dataclass(frozen=True)
class PacketLayer:
    """One of the boxes that a packet is, each inside the one before: `size` is the length of its own header."""

    name: str
    size: int
    values: Mapping[str, str]


@dataclass(frozen=True)
class Packet:
    """A packet as it was captured on `host`, opened layer by layer from the outside."""

    host: str
    time: float
    size: int  # bytes on the wire
    source: str  # of the outermost IP
    target: str
    layers: tuple[PacketLayer, ...]
    vxlan_id: int | None = None
    spi: int | None = None  # it is ESP
    inner_source: str = ""
    inner_target: str = ""
    flow: tuple[Any, ...] = ()  # what the segments of one TCP connection, in one direction, have in common
    sequence: int = 0  # of its first byte in that flow
    payload: bytes = field(default=b"", repr=False)  # the innermost
    length: int = 0  # of the outermost IP packet
    inner_length: int = 0  # of the IP packet within
    readable: bool = False  # the word, or a part of it, stands in it as it was sent

    def details(self) -> str:
        """Each layer with its values, each a step further in."""
        lines = [f"{self.size} bytes, captured on {self.host}"]
        for depth, layer in enumerate(self.layers):
            values = ", ".join(f"{name} {value}" for name, value in layer.values.items())
            lines.append(f"{'  ' * depth}{layer.name} ({layer.size} bytes): {values}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The packet as it stands in `--json`."""
        layers = [{"name": one.name, "size": one.size, "values": dict(one.values)} for one in self.layers]
        plain = ("host", "time", "size", "source", "target", "vxlan_id", "spi", "inner_source", "inner_target")
        return {**{name: getattr(self, name) for name in plain}, "readable": self.readable, "layers": layers}

    def __repr__(self) -> str:
        return " > ".join(layer.name for layer in self.layers)


@dataclass(frozen=True)
class Hop:
    """One part of a request's way: from one tier to the next, on a network."""

    source: str  # door (a published port), frontend, backend
    target: str
    from_host: str
    to_host: str
    network: str
    seen: Sight = "not seen"

    @property
    def crosses(self) -> bool:
        """Does it leave a host? Nothing else can be on the wire, and nothing else can be encrypted."""
        return self.from_host != self.to_host

    def __repr__(self) -> str:
        return f"{self.source} → {self.target}: {self.seen}"


@dataclass(frozen=True)
class NetworkOnWire:
    """What was seen of one overlay network. Each packet is counted once, where its sender's capture is whole."""

    name: str
    verdict: Verdict
    why: str
    vxlan_ids: tuple[int, ...] = ()
    clear: int = 0  # packets in VXLAN that anybody on the wire can read
    hits: int = 0  # those of them with the word
    esp: int = 0  # packets in ESP between the hosts that its hops join
    overhead: int | None = None  # bytes that each packet grew by; None: nothing was there to measure
    mtu: int | None = None  # what that leaves to a container

    def __repr__(self) -> str:
        return f"{self.name}: {self.verdict}"


@dataclass(frozen=True)
class Wire:
    """What was on the wire while the word went through the stack."""

    word: str
    networks: tuple[NetworkOnWire, ...]  # the stack's own first
    hops: tuple[Hop, ...] = ()
    findings: Findings = field(default=Findings())
    packets: tuple[Packet, ...] = field(default=(), repr=False)  # each once
    captures: tuple[Capture, ...] = field(default=(), repr=False)
    packet: Packet | None = field(default=None, repr=False)  # the one to look at: the word in it, else one in ESP

    @property
    def as_wanted(self) -> bool:
        """Does the stack's own network cross as the stack says? No, where it could not be told."""
        return any(finding.code == AS_WANTED and finding.severity == "ok" for finding in self.findings)

    def __getitem__(self, network: str) -> NetworkOnWire:
        for one in self.networks:
            if one.name == network:
                return one
        raise KeyError(f"nothing was asked of {network!r}; there are: {', '.join(n.name for n in self.networks)}")

    def details(self) -> str:
        """All of it: why each verdict, each part of the way with its hosts, the packet, the findings' evidence."""
        lines = [f"{one.name}: {one.verdict}: {one.why}" for one in self.networks]
        lines += [f"{hop!r} ({hop.network}, {hop.from_host} → {hop.to_host})" for hop in self.hops]
        lines += [self.packet.details()] if self.packet else []
        return "\n".join([*lines, self.findings.details()])

    def as_json(self) -> dict[str, Any]:
        """It as it stands in `--json`; the packets themselves are for --pcap."""
        return {
            "word": self.word,
            "networks": [{**vars(one), "vxlan_ids": list(one.vxlan_ids)} for one in self.networks],
            "hops": [vars(hop) for hop in self.hops],
            "packet": self.packet.as_json() if self.packet else None,
        }

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.networks))
