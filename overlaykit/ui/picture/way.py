"""The way of one request, as the guest book's answer tells it.

>>> read_way("node2", {"status": 200, "path": {"frontend": {"host": "node1", "container": "frontend-1"}, …}})
Request through node2: answered by frontend, backend, database
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from overlaykit.words.stack import REQUEST_WAY


@dataclass(frozen=True)
class Stop:
    """A task that the request came to."""

    tier: str
    host: str
    task: str  # frontend.1


@dataclass(frozen=True)
class Way:
    """In through one host's published port, then from tier to tier. `error`: why it went no further."""

    entered: str
    stops: tuple[Stop, ...] = ()
    error: str = ""

    def __repr__(self) -> str:
        """Only what is the same wherever the tasks run."""
        reached = ", ".join(stop.tier for stop in self.stops)
        if self.error:
            return f"Request through {self.entered}: {self.error}"
        return f"Request through {self.entered}: answered by {reached}"


def read_way(entered: str, answer: Mapping[str, Any]) -> Way:
    """The way that an answer tells of; one that does not is another image's."""
    path = answer.get("path")
    if not isinstance(path, Mapping):
        said = answer.get("said") or f"status {answer.get('status')}, and no `path` in the answer"
        return Way(entered, error=f"{said}: so its way is not known")
    places = [(tier, path[tier]) for tier in REQUEST_WAY if path.get(tier)]
    stops = tuple(Stop(tier, str(place.get("host") or ""), _task(place)) for tier, place in places)
    return Way(entered, stops, str(answer.get("said") or ""))


def _task(place: Mapping[str, Any]) -> str:
    """`backend.1`, which the kit's containers write as `backend-1` in their hostname."""
    service, _, slot = str(place.get("container", "")).rpartition("-")
    return f"{service}.{slot}" if service else slot
