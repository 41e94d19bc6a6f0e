"""Where a word can be read inside the hosts, whatever is encrypted between them.

    >>> overhear(hosts, stack, "open-sesame")
    at port 80, as the browser sent it: readable
    beside the frontend, in its host: readable
    beside the backend, in its host: readable

A `repr` holds only what is the same on every run; `details()` names the hosts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Heard = Literal["readable", "not seen", "cannot tell"]


@dataclass(frozen=True)
class Place:
    """Where somebody on a host listens: in the host's own network, or in a container's."""

    name: str  # in words
    host: str
    port: int  # of the TCP that is listened to
    image: str  # of the container that listens
    network: str = "host"  # or container:ID


@dataclass(frozen=True)
class Overhear:
    """Send a word through the published port of `door`, and listen at these places meanwhile."""

    door: str
    port: int
    address: str  # of the door's host, in the swarm
    word: str
    places: tuple[Place, ...]
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sighting:
    """What was heard at one place; where it could not be told, `why` not."""

    place: Place
    heard: Heard
    why: str = ""

    def __repr__(self) -> str:
        return f"{self.place.name}: {self.heard}"


@dataclass(frozen=True)
class Overheard:
    """The places, in the order in which a request comes to them."""

    word: str
    sightings: tuple[Sighting, ...]

    @property
    def readable(self) -> bool:
        """Could it be read at every place?"""
        return all(one.heard == "readable" for one in self.sightings)

    def details(self) -> str:
        """With the hosts, and why where it could not be told."""
        return "\n".join(f"{one!r} (on {one.place.host}){one.why and ': '}{one.why}" for one in self.sightings)

    def as_json(self) -> list[dict[str, Any]]:
        """The same, for programs."""
        return [{"place": s.place.name, "host": s.place.host, "heard": s.heard, "why": s.why} for s in self.sightings]

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.sightings))
