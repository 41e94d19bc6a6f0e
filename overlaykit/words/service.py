"""A service, both as it is wanted and as it is: the same words, so that the two can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

#: Seconds for which Swarm goes on watching a task that took another's place, where a service does not say.
MONITOR = 5.0

_RULE = re.compile(r"node\.(?:labels\.(.+?)|id) *(==|!=) *(.*)")


@dataclass(frozen=True)
class Mount:
    """A named volume in a task."""

    volume: str
    target: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FileRef:
    """A Swarm secret or config that a task sees as a file."""

    name: str
    target: str
    mode: int = 0o444
    uid: str = "0"


@dataclass(frozen=True)
class Port:
    """A published port: `published` on every host leads to `target` in a task."""

    published: int
    target: int
    mode: str = "ingress"


@dataclass(frozen=True)
class Health:
    """The check that tells whether a task is well; times in seconds."""

    test: tuple[str, ...]
    interval: float = 10.0
    timeout: float = 5.0
    retries: int = 3
    start_period: float = 60.0
    start_interval: float = 1.0  # while starting; 0: as `interval`, all that engines before 25.0 know


@dataclass(frozen=True)
class ServiceSpec:
    """Everything the kit says about a service, and nothing that the engine adds."""

    name: str
    image: str
    command: tuple[str, ...] = ()  # replaces the image's entry point
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()  # sorted, NAME=VALUE
    hostname: str = ""
    replicas: int | None = 1  # None: one on every host (global)
    networks: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    secrets: tuple[FileRef, ...] = ()
    configs: tuple[FileRef, ...] = ()
    ports: tuple[Port, ...] = ()
    health: Health | None = None
    cpus: float = 0.0
    memory: int = 0  # bytes; 0: no limit
    endpoint_mode: str = "vip"
    stop_first: bool = True  # while updating or rolling back: stop the old task before the new one starts
    monitor: float = MONITOR  # seconds for which Swarm watches a task that it has replaced, before it calls that done
    labels: Mapping[str, str] = field(default_factory=dict)

    def but(self, **changes: Any) -> ServiceSpec:
        """The same service with some fields changed."""
        return replace(self, **changes)

    def differences(self, other: ServiceSpec) -> tuple[Difference, ...]:
        """What an update from self to `other` would change, by field."""
        return tuple(
            Difference(f.name, mine, theirs)
            for f in fields(self)
            if (mine := getattr(self, f.name)) != (theirs := getattr(other, f.name))
        )


def satisfies(node_id: str, labels: Mapping[str, str], constraints: Iterable[str]) -> bool:
    """Does a node satisfy the rules that the kit writes? Other kinds of rules are taken for satisfied.

    >>> satisfies("x1", {"overlaykit.host": "node1"}, ["node.labels.overlaykit.host!=node1"])
    False
    """
    read = [found.groups() for rule in constraints if (found := _RULE.fullmatch(rule))]
    has = ((labels.get(label, "") if label else node_id, operator, value) for label, operator, value in read)
    return all((present == value) == (operator == "==") for present, operator, value in has)


@dataclass(frozen=True)
class Difference:
    """One field of a service that is not as wanted."""

    field: str
    before: Any
    after: Any
