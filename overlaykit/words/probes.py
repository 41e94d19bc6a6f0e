"""What is asked of a running stack, and what was seen: probes and their answers.

    probes = wanted_probes(facts, stack)      # phases/discovery.py thinks of them
    answers = run_probes(fleet, probes)       # remote/probes/ask.py asks, and concludes nothing
    findings(facts, stack, answers)           # phases/discovery.py again

An answer is plain data as it came, so that a situation seen once becomes a test case
(`tests/unit/cases/discovery/`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Protocol = Literal["http", "mongodb", "tcp"]


@dataclass(frozen=True)
class Name:
    """A name that a task needs, and how to speak to whoever answers to it."""

    name: str  # backend, or tasks.backend
    port: int
    protocol: Protocol
    tries: int = 1  # how often each address is called: a virtual IP hands each call to another task
    expects: tuple[str, ...] = ()  # the addresses to which it leads as the manager has it


@dataclass(frozen=True)
class Door:
    """An address at which a tier must not answer."""

    service: str
    address: str
    port: int


@dataclass(frozen=True)
class Probe:
    """Something asked on one host. `key` is what the answer is filed under."""

    host: str

    @property
    def key(self) -> str:
        """The same for the same question, run after run."""
        raise NotImplementedError


@dataclass(frozen=True)
class AskNames(Probe):
    """From inside a running task's own network: do these names resolve, connect and answer?"""

    task: str = ""  # backend.1
    container: str = ""
    names: tuple[Name, ...] = ()
    image: str = ""  # of a short-lived container in the task's network; empty: the task's image has python3
    labels: Mapping[str, str] = field(default_factory=dict)  # of that container

    @property
    def key(self) -> str:
        return f"names {self.task} on {self.host}"


@dataclass(frozen=True)
class TryPasswords(Probe):
    """From inside a backend task: the right password, a wrong one, and none."""

    task: str = ""
    container: str = ""

    @property
    def key(self) -> str:
        return "passwords"


#: What a frontend answers as long as it cannot reach its backend, and a backend its database.
UNREACHED = (502, 503, 504)


@dataclass(frozen=True)
class WriteThrough(Probe):
    """The whole way: an entry written through the published port of `host`, read back through that of `back`."""

    back: str = ""
    port: int = 80
    addresses: Mapping[str, str] = field(default_factory=dict)  # host → its address in the swarm

    @property
    def key(self) -> str:
        return f"way {self.host}"


@dataclass(frozen=True)
class KnockAtDoors(Probe):
    """From the host's own network: none of these doors may open."""

    doors: tuple[Door, ...] = ()
    containers: Mapping[str, str] = field(default_factory=dict)  # container on this host → its service
    ports: Mapping[str, int] = field(default_factory=dict)  # service → port

    @property
    def key(self) -> str:
        return f"doors {self.host}"


@dataclass(frozen=True)
class CountPackets(Probe):
    """What the host's kernel has encrypted and decrypted: its security associations, without their keys."""

    @property
    def key(self) -> str:
        return f"packets {self.host}"


@dataclass(frozen=True)
class TryPairs(Probe):
    """A short-lived service on every host: each looks for each other by name, by TCP, by full-size packets."""

    network: str = ""
    images: Mapping[str, str] = field(default_factory=dict)  # host → image with python3
    labels: Mapping[str, str] = field(default_factory=dict)
    encrypted: bool = False  # count the packets too, while the probes are there

    @property
    def key(self) -> str:
        return "pairs"


@dataclass(frozen=True)
class EndDatabase(Probe):
    """Write an entry, kill the database's container, wait for Swarm's new one, and read the entry back."""

    container: str = ""
    port: int = 80
    address: str = ""

    @property
    def key(self) -> str:
        return "persistence"


@dataclass(frozen=True)
class WatchWire(Probe):
    """Capture on every host while a word goes through the stack, by the published port of every host."""

    word: str = ""
    interfaces: Mapping[str, str] = field(default_factory=dict)  # host → where to capture
    images: Mapping[str, str] = field(default_factory=dict)  # host → image with python3
    labels: Mapping[str, str] = field(default_factory=dict)
    data_port: int = 4789
    port: int = 80
    addresses: Mapping[str, str] = field(default_factory=dict)  # host → its address in the swarm; asked through each
    strike: TryPasswords | None = None  # the word is written too, and struck out so; None: nothing is written

    @property
    def key(self) -> str:
        return "wire"


@dataclass(frozen=True)
class Answer:
    """What was seen. `error` is the sentence that says why nothing could be."""

    probe: Probe
    seen: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


#: Whoever watches is told of each answer as it arrives, one at a time.
AnswerObserver = Callable[[Answer], None]


@dataclass(frozen=True)
class Row:
    """A line of the discovery matrix: what one task sees under one name."""

    task: str
    host: str
    name: str
    resolves_to: tuple[str, ...] = ()
    connects: bool | None = None  # None: could not be seen
    answers: bool | None = None
    peers: tuple[str, ...] = ()  # hosts
    error: str = ""
