"""How fast two hosts are with each other, network by network.

    >>> plain = measure(hosts, stack)
    >>> plain
    host network, overlay
    >>> plain["overlay"].megabits, plain["overlay"].trip
    (412.0, 0.00062)
    >>> plain | measure(hosts, sealed)
    host network, overlay, encrypted overlay

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
class Way:
    """The network of either end (`host`, or `container:ID`), and where the server is found from the client's."""

    server: str
    client: str
    address: str


@dataclass(frozen=True)
class MeasureSpeed:
    """What is asked: from the client's host to the server's, by each way in turn."""

    server: str
    client: str
    ways: Mapping[Kind, Way]
    images: Mapping[str, str]  # host → image with python3
    labels: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.4  # of each stream
    trips: int = 100  # of each round
    rounds: int = 3


@dataclass(frozen=True)
class Speed:
    """The middle of several rounds on one kind of network."""

    kind: Kind
    server: str
    client: str
    megabits: float  # a second, one way
    trip: float  # seconds until a small answer is back


@dataclass(frozen=True)
class Speeds:
    """What was measured, in the order of KINDS."""

    each: tuple[Speed, ...]

    def __getitem__(self, kind: str) -> Speed:
        for one in self.each:
            if one.kind == kind:
                return one
        raise KeyError(f"nothing was measured on {kind!r}; there are: {', '.join(one.kind for one in self.each)}")

    def __or__(self, later: Speeds) -> Speeds:
        """Both beside each other; where both measured the same kind, the later figures."""
        found = {one.kind: one for one in (*self.each, *later.each)}
        return Speeds(tuple(found[kind] for kind in KINDS if kind in found))

    def details(self) -> str:
        """With the figures."""
        return "\n".join(
            f"{one.kind}, from {one.client} to {one.server}: {one.megabits:.0f} Mbit/s, "
            f"{one.trip * 1000:.2f} ms there and back"
            for one in self.each
        )

    def as_json(self) -> list[dict[str, Any]]:
        """The same, for programs."""
        return [vars(one) for one in self.each]

    def __repr__(self) -> str:
        return ", ".join(one.kind for one in self.each)
