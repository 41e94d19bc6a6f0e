"""How fast two hosts are with each other, network by network.

    >>> speeds = measure(hosts, stack)
    >>> speeds
    host network, overlay, encrypted overlay
    >>> speeds["overlay"].megabits, speeds["overlay"].trip
    (412.0, 0.00062)

Figures differ from run to run, so a `repr` holds none; `details()` shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["host network", "overlay", "encrypted overlay"]

#: In the order of what is put around each packet.
KINDS: tuple[Kind, ...] = ("host network", "overlay", "encrypted overlay")


@dataclass(frozen=True)
class MeasureSpeed:
    """What is asked: from the client's host to the server's, on each kind of network in turn."""

    manager: str  # where the two overlays are made, for as long as it takes
    server: str
    client: str
    address: str  # of the server's host
    images: Mapping[str, str]  # host → image with python3
    labels: Mapping[str, str] = field(default_factory=dict)
    mtu: int = 0  # of the overlays; 0: the engine's own
    seconds: float = 0.7  # of each stream
    trips: int = 100  # of each round
    rounds: int = 2


@dataclass(frozen=True)
class Speed:
    """The middle of several rounds on one kind of network."""

    kind: Kind
    megabits: float  # a second, one way
    trip: float  # seconds until a small answer is back


@dataclass(frozen=True)
class Speeds:
    """All kinds, measured between the same two hosts."""

    server: str
    client: str
    each: tuple[Speed, ...]

    def __getitem__(self, kind: str) -> Speed:
        for one in self.each:
            if one.kind == kind:
                return one
        raise KeyError(f"nothing was measured on {kind!r}; there are: {', '.join(one.kind for one in self.each)}")

    def details(self) -> str:
        """With the figures."""
        lines = (f"{one.kind}: {one.megabits:.0f} Mbit/s, {one.trip * 1000:.2f} ms there and back" for one in self.each)
        return "\n".join([f"from {self.client} to {self.server}", *lines])

    def as_json(self) -> dict[str, Any]:
        """The same, for programs."""
        return {"server": self.server, "client": self.client, "each": [vars(one) for one in self.each]}

    def __repr__(self) -> str:
        return ", ".join(one.kind for one in self.each)
