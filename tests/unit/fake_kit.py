"""A kit that touches nothing, for the command line's tests: the seam is `overlaykit.ui.cli.connect`.

kit = FakeKit(swarm=FakePhase("swarm", steps=[InitSwarm("node1")]))
monkeypatch.setattr("overlaykit.ui.cli.connect", kit.connect)
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from typing import Any

from overlaykit.words.errors import Cancelled, HostError
from overlaykit.words.facts import Facts, HostFacts, NetworkFacts, SwarmFacts
from overlaykit.words.findings import Finding, Findings
from overlaykit.words.host import Host, Inventory
from overlaykit.words.plan import ApplyFailed, Event, Observer, Outcome, Plan, Result
from overlaykit.words.probes import Answer, AnswerObserver, KnockAtDoors, Row
from overlaykit.words.stack import Stack
from overlaykit.words.steps import Step
from overlaykit.words.wire import Wire

HOSTS = (
    Host("node1", "127.0.0.1", role="manager", port=2201, user="root", published="127.0.0.1:8081"),
    Host("node2", "192.0.2.12", role="worker"),
)
NETWORK = NetworkFacts(
    "n1", "guestbook", "overlay", "10.20.0.0/24", attachable=True, internal=True, encrypted=False, mtu=0
)
SWARM = SwarmFacts("s1", "node1", networks=(NETWORK,))


class FakePhase:
    """A phase whose steps end well, but for those in `failing` (host → the sentence)."""

    def __init__(
        self,
        name: Any,
        steps: Sequence[Step] = (),
        *,
        notes: Sequence[str] = (),
        findings: Sequence[Finding] = (),
        persistence: Sequence[Finding] = (),
        rows: Sequence[Row] = (),
        failing: dict[str, str] | None = None,
        raises: BaseException | None = None,
        while_applying: Callable[[], None] = lambda: None,
        while_proving: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self._plan = Plan.of(name, list(steps), notes=list(notes))
        self._findings = Findings(tuple(findings))
        self._persistence = tuple(persistence)
        self._rows = tuple(rows)
        self._failing = failing or {}
        self._raises = raises
        self._while_applying = while_applying
        self._while_proving = while_proving
        self.hosts: FakeKit
        self.applied = 0
        self.recreated = False
        self.planned_with: Facts | None = None
        self.sent_packets = False

    def look(self, known: Facts | None = None) -> Facts:
        return self.hosts.look()

    def plan(self, *, facts: Facts, recreate: bool = False) -> Plan:
        if self._raises:
            raise self._raises
        assert facts
        self.planned_with = facts
        self.recreated = recreate
        return self._plan

    def apply(self, observer: Observer, cancel: threading.Event, *, plan: Plan) -> Result:
        assert self.hosts.allow_changes, "nobody agreed to this"
        assert plan is self._plan, "another plan than the one that was shown"
        self.applied += 1
        outcomes = []
        for step in self._plan:
            observer(Event(self.name, step, "started"))
            observer(Event(self.name, step, "progress", "2 of 3 tasks run", 0.5))
            self._while_applying()
            error = self._failing.get(step.host, "")
            outcomes.append(Outcome(step, "failed" if error else "done", 0.1, error))
            observer(Event(self.name, step, outcomes[-1].state, error))
            if cancel.is_set():
                raise Cancelled(f"{self.name}: cancelled; applying again goes on from here")
        result = Result(self.name, tuple(outcomes))
        if not result.ok:
            raise ApplyFailed(result)
        return result

    def ask(self, facts: Facts, observer: AnswerObserver, cancel: threading.Event | None = None) -> tuple[Answer, ...]:
        answers = (Answer(KnockAtDoors("node1")),)
        for answer in answers:
            observer(answer)
        self._prove(cancel)
        return answers

    def matrix(self, facts: Facts, answers: Sequence[Answer]) -> tuple[Row, ...]:
        assert facts and answers
        return self._rows

    def prove_persistence(self) -> Findings:
        return Findings(self._persistence)

    def prove(
        self,
        *,
        facts: Facts,
        packets: bool = True,
        cancel: threading.Event | None = None,
        answers: Sequence[Answer] = (),
    ) -> Findings:
        self.sent_packets = packets
        self._prove(cancel)
        return self._findings

    def _prove(self, cancel: threading.Event | None) -> None:
        self._while_proving()
        if cancel is not None and cancel.is_set():
            raise Cancelled(f"{self.name}: cancelled while the hosts were asked")


class FakeWire:
    """A wire on which this was seen."""

    def __init__(self, seen: Wire | Exception) -> None:
        self._seen = seen

    def ask(self, facts: Facts) -> Wire:
        if isinstance(self._seen, Exception):
            raise self._seen
        return self._seen


class FakeKit:
    """What `connect` gives: hosts, and a phase by each name. It remembers how it was asked."""

    def __init__(
        self, *, lab: str | None = "default", facts: Facts | None = None, raises: Exception | None = None, **phases: Any
    ) -> None:
        self.inventory = Inventory(HOSTS, "hosts.ini", lab=lab)
        self.facts = facts or Facts(tuple(HostFacts(host.name, engine="26.1.5") for host in HOSTS), SWARM)
        self.raises = raises
        self._given = phases
        self.allow_changes = lab is not None
        self.adopt = False
        self.unreachable: dict[str, HostError] = {}
        self.asked: dict[str, Any] = {}
        self.stacks: list[Stack] = []
        self.volumes = False
        self.closed = False

    @property
    def where(self) -> str:
        return self.inventory.lab or self.inventory.source

    def connect(self, inventory: Any = None, **settings: Any) -> FakeKit:
        self.asked = {"inventory": inventory, **settings}
        if self.raises:
            raise self.raises
        return self

    def __enter__(self) -> FakeKit:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def only(self, *names: str) -> FakeKit:
        part = copy.copy(self)
        part.inventory = self.inventory.only(*names)
        return part

    def look(self) -> Facts:
        return self.facts

    def down(self, stack: Stack, volumes: bool = False) -> FakePhase:
        self.volumes = volumes
        return self._phase("down", stack)

    def swarm(self, stack: Stack) -> FakePhase:
        return self._phase("swarm", stack)

    def network(self, stack: Stack) -> FakePhase:
        return self._phase("network", stack)

    def tiers(self, stack: Stack) -> FakePhase:
        return self._phase("tiers", stack)

    def discovery(self, stack: Stack) -> FakePhase:
        return self._phase("discovery", stack)

    def wire(self, stack: Stack, word: str = "") -> FakeWire:
        self.stacks.append(stack)
        self.word = word
        wire: FakeWire = self._given["wire"]
        return wire

    def phases(self, stack: Stack, until: str) -> list[FakePhase]:
        names = ["swarm", "network", "tiers"]
        return [self._phase(name, stack) for name in names[: names.index(until) + 1]]

    def _phase(self, name: str, stack: Stack) -> FakePhase:
        self.stacks.append(stack)
        phase: FakePhase = self._given.get(name) or FakePhase(name)
        phase.hosts = self
        return phase
