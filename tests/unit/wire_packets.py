"""Packets as the hosts of cases/answers/tiers.json would send them, and captures of them.

frontend.1 is on node2, backend.1 on node1, database.1 on node3; node1 is 10.77.0.11.

    wire = OnWire()
    wire.say("frontend", "backend", b"GET /api/path?word=open-sesame HTTP/1.1\\r\\n\\r\\n")
    wire.captures()             # each packet is in the captures of both of its ends
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.ipsec import ESP
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN

from overlaykit.words.wire import Capture

HOSTS = {"node1": "10.77.0.11", "node2": "10.77.0.12", "node3": "10.77.0.13"}
GUESTBOOK, INGRESS = 4097, 4096
#: Tier → its host, its address on the guest book's network, its port.
TIERS = {
    "frontend": ("node2", "10.20.0.13", 80),
    "backend": ("node1", "10.20.0.11", 8000),
    "database": ("node3", "10.20.0.9", 27017),
}


def pcap(frames: list[tuple[float, bytes]], link: int = 1) -> bytes:
    """A capture's file."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 4096, link)
    return head + b"".join(
        struct.pack("<IIII", int(time), round(time % 1 * 1e6), len(data), len(data)) + data for time, data in frames
    )


@dataclass
class OnWire:
    """What passes between three hosts."""

    data_port: int = 4789
    now: float = 1000.0
    made_encrypted: bool = False  # whether the manager says so of the stack's network
    at: dict[str, list[tuple[float, bytes]]] = field(default_factory=lambda: {host: [] for host in HOSTS})

    def say(self, source: str, target: str, payload: bytes, *, vni: int = GUESTBOOK, sequence: int = 1) -> None:
        """One tier to another, in the clear."""
        (here, address, port), (there, other, listens) = TIERS[source], TIERS[target]
        self.vxlan(here, there, self.inner(address, other, payload, (port + 30000, listens), sequence), vni)

    def ingress(self, door: str, payload: bytes) -> None:
        """From a host's published port to the frontend."""
        self.vxlan(door, TIERS["frontend"][0], self.inner("10.0.0.2", "10.0.0.6", payload, (40000, 80), 1), INGRESS)

    def inner(self, source: str, target: str, payload: bytes, ports: tuple[int, int], sequence: int) -> Any:
        """What a container sends: its acknowledgement takes 52 bytes."""
        options = [("NOP", None), ("NOP", None), ("Timestamp", (1, 2))]
        segment = TCP(sport=ports[0], dport=ports[1], seq=sequence, flags="PA", options=options)
        return Ether(dst="02:42:0a:14:00:01", src="02:42:0a:14:00:02") / IP(src=source, dst=target) / segment / payload

    def vxlan(self, here: str, there: str, inner: Any, vni: int) -> None:
        """In VXLAN from host to host."""
        self.pass_(here, there, UDP(sport=50000, dport=self.data_port) / VXLAN(vni=vni, flags="Instance") / inner)

    def esp(self, here: str, there: str, spi: int = 0x5C3B1D7E, size: int = 128) -> None:
        """In ESP: so many bytes of IP packet."""
        self.pass_(here, there, ESP(spi=spi, seq=7, data=(bytes(range(256)) * 8)[: size - 28]))

    def pass_(self, here: str, there: str, carried: Any) -> None:
        """Both ends see it."""
        frame = bytes(Ether(dst="02:00:0a:4d:00:02", src="02:00:0a:4d:00:01") / self.ip(here, there) / carried)
        self.now += 0.001
        for host in (here, there):
            self.at[host].append((self.now, frame))

    def ip(self, here: str, there: str) -> Any:
        """The outer packet."""
        return IP(src=HOSTS[here], dst=HOSTS[there])

    def captures(self, **errors: str) -> dict[str, Capture]:
        """Every host's, but for those that may not."""
        return {
            host: Capture(host, error=errors[host])
            if host in errors
            else Capture(host, "eth0", address, pcap(self.at[host]))
            for host, address in HOSTS.items()
        }
