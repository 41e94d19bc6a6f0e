"""The five verbs, phase by phase: look, plan, show, apply, prove.

    >>> network = hosts.network(stack)
    >>> network.plan()
    node1: create network guestbook
    >>> network.apply()
    >>> network.prove()

Each class joins one file of `phases/` (what is planned and proved, without touching a host) with `remote/`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from tenacity import (
    Retrying,
    retry_if_result,
    sleep_using_event,
    stop_after_delay,
    stop_when_event_set,
    wait_fixed,
)

from overlaykit.connected import Connected
from overlaykit.materials import (
    database_password,
    forget_database_password,
    frontend_config,
    keep_database_password,
    kit_images,
    present_images,
)
from overlaykit.phases import discovery, down, network, swarm, tiers
from overlaykit.phases.delivery import missing_images
from overlaykit.phases.proofs.way import persistence_findings
from overlaykit.phases.services import Wanted
from overlaykit.remote.apply import DEADLINE, apply_plan
from overlaykit.remote.at_work import at_work
from overlaykit.remote.probes.ask import run_probes
from overlaykit.words.errors import Cancelled, PlanRefused
from overlaykit.words.facts import Facts
from overlaykit.words.findings import Findings
from overlaykit.words.images import KitImages
from overlaykit.words.plan import Observer, Plan, Result
from overlaykit.words.probes import Answer, AnswerObserver, Row
from overlaykit.words.stack import Stack
from overlaykit.words.steps import CreateSecret

#: Seconds that a proof waits for tasks that are on their way.
PATIENCE = 60.0


@dataclass(frozen=True)
class Phase:
    """Look, plan, apply, prove. What is known already may be handed in as `facts`, so that nobody is asked twice."""

    hosts: Connected
    stack: Stack

    @property
    def name(self) -> str:
        """swarm, network, tiers, discovery or down."""
        return type(self).__name__.removesuffix("Phase").lower()

    def look(self, known: Facts | None = None) -> Facts:
        """What is, from every host; with `known`, only what applying this phase can have changed."""
        return self.hosts.look_again(known) if known else self.hosts.look()

    def plan(self, *, facts: Facts | None = None, recreate: bool = False) -> Plan:
        """What would be done, as docker commands. Raises PlanRefused where it must not or cannot be."""
        raise NotImplementedError

    def apply(
        self,
        observer: Observer | None = None,
        cancel: threading.Event | None = None,
        *,
        plan: Plan | None = None,
        recreate: bool = False,
        deadline: float = DEADLINE,
    ) -> Result:
        """Do it (`plan`: exactly what was shown before); `deadline` is in seconds, for each step.

        Raises PlanRefused, ApplyFailed, Cancelled.
        """
        if not self.hosts.allow_changes:
            raise PlanRefused(
                f"the hosts of {self.hosts.inventory.source} are not the lab's: nothing was changed. "
                "Look at the plan, then say connect(…, allow_changes=True)."
            )
        with at_work(self.hosts.where, f"somebody who applies {self.name}"):
            chosen = plan if plan is not None else self.plan(recreate=recreate)
            self._keep(chosen)
            result = apply_plan(self.hosts.fleet, chosen, observer=observer, cancel=cancel, deadline=deadline)
            self._forget()
            return result

    def _keep(self, plan: Plan) -> None:
        """What has to be remembered on this machine before the plan is applied."""

    def _forget(self) -> None:
        """What need not be remembered any more once it has been."""

    def prove(
        self, *, facts: Facts | None = None, packets: bool = True, cancel: threading.Event | None = None
    ) -> Findings:
        """Is it so? Each finding is a sentence with its evidence. Without `packets`, only what the facts say.

        Raises Cancelled; what it began is cleared away by then.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class SwarmPhase(Phase):
    """phases/swarm.py"""

    def look(self, known: Facts | None = None) -> Facts:
        """What is, from every host: a node's address, and so what its wire carries, is known once it has joined."""
        return self.hosts.look_at_engines() if known else self.hosts.look()

    def plan(self, *, facts: Facts | None = None, recreate: bool = False) -> Plan:
        return swarm.plan_swarm(facts or self.look(), self.hosts.inventory, self.stack, adopt=self.hosts.adopt)

    def prove(
        self, *, facts: Facts | None = None, packets: bool = True, cancel: threading.Event | None = None
    ) -> Findings:
        return swarm.prove_swarm(facts or self.look(), self.hosts.inventory, self.stack)


@dataclass(frozen=True)
class NetworkPhase(Phase):
    """phases/network.py; its packets go between short-lived probes on every pair of hosts (phases/discovery.py)."""

    def look(self, known: Facts | None = None) -> Facts:
        """What is; the hosts are asked again where images were on their way to them."""
        lacking = known and any(missing_images(known, self._images))
        return self.hosts.look() if lacking else super().look(known)

    @property
    def _images(self) -> KitImages:
        return present_images(self.hosts.inventory.lab)

    def plan(self, *, facts: Facts | None = None, recreate: bool = False) -> Plan:
        return network.plan_network(
            facts or self.look(),
            self.stack,
            self._images,
            adopt=self.hosts.adopt,
            recreate=recreate,
        )

    def prove(
        self, *, facts: Facts | None = None, packets: bool = True, cancel: threading.Event | None = None
    ) -> Findings:
        known = facts or self.look()
        found = network.prove_network(known, self.stack)
        if not (packets and found.ok):
            return found
        if not self.hosts.allow_changes:
            return found + Findings((network.NOT_TRIED,))
        probes = discovery.network_probes(known, self.stack)
        answers = run_probes(self.hosts.fleet, probes, cancel=cancel)
        return found + discovery.network_findings(known, self.stack, answers)


@dataclass(frozen=True)
class TiersPhase(Phase):
    """phases/tiers.py"""

    def plan(self, *, facts: Facts | None = None, recreate: bool = False) -> Plan:
        return tiers.plan_tiers(
            facts or self.look(),
            self.hosts.inventory,
            self.stack,
            Wanted(kit_images(self.hosts.inventory.lab, self.stack), frontend_config(), self.stack.name),
            database_password(self.stack.name, self.hosts.where),
            adopt=self.hosts.adopt,
            recreate=recreate,
        )

    def _keep(self, plan: Plan) -> None:
        for step in plan:
            if isinstance(step, CreateSecret):
                keep_database_password(self.stack.name, self.hosts.where, step.value)

    def prove(
        self, *, facts: Facts | None = None, packets: bool = True, cancel: threading.Event | None = None
    ) -> Findings:
        return tiers.prove_tiers(self._started(facts or self.look(), cancel or threading.Event()), self.stack)

    def _started(self, facts: Facts, cancel: threading.Event) -> Facts:
        """The facts once no task is on its way any more: an `up` that was killed leaves tasks that still start."""
        if not tiers.are_starting(facts):
            return facts
        patience = Retrying(
            retry=retry_if_result(tiers.are_starting),
            wait=wait_fixed(0.2),
            stop=stop_after_delay(PATIENCE) | stop_when_event_set(cancel),
            sleep=sleep_using_event(cancel),
            retry_error_callback=lambda last: last.outcome.result() if last.outcome else facts,
        )
        started = patience(self.look)
        if cancel.is_set():
            raise Cancelled("cancelled while tasks were starting: nothing is proven. They go on")
        return started


@dataclass(frozen=True)
class DiscoveryPhase(Phase):
    """phases/discovery.py thinks of the questions, remote/probes/ask.py asks them inside the tasks' own networks."""

    def look(self, known: Facts | None = None) -> Facts:
        """What is now, since tasks move by themselves; who else listens on a host is no matter here."""
        return self.hosts.look_at_engines()

    def plan(self, *, facts: Facts | None = None, recreate: bool = False) -> Plan:
        return Plan("discovery")

    def ask(
        self, facts: Facts, observer: AnswerObserver | None = None, cancel: threading.Event | None = None
    ) -> tuple[Answer, ...]:
        """What the running tasks and the hosts answer, as it came. Raises Cancelled."""
        return run_probes(self.hosts.fleet, discovery.wanted_probes(facts, self.stack), observer, cancel)

    def matrix(self, facts: Facts, answers: Sequence[Answer]) -> tuple[Row, ...]:
        """What each task sees under each name that it needs."""
        return discovery.matrix(facts, self.stack, answers)

    def prove(
        self,
        *,
        facts: Facts | None = None,
        packets: bool = True,
        cancel: threading.Event | None = None,
        answers: Sequence[Answer] | None = None,
    ) -> Findings:
        known = facts or self.look()
        if answers is None and not self.hosts.allow_changes:
            return Findings((discovery.NOT_ASKED,))
        if answers is None:
            answers = self.ask(known, cancel=cancel) if packets else ()
        return discovery.findings(known, self.stack, answers)

    def prove_persistence(self) -> Findings:
        """Does a write outlive the database's task? The task is ended for it, so this is for the lab alone."""
        if self.hosts.inventory.lab is None:
            raise PlanRefused("ending the database's task to see whether its data survives is for practice hosts alone")
        known = self.look()
        answers = run_probes(self.hosts.fleet, discovery.persistence_probes(known, self.stack))
        return Findings.of(persistence_findings(self.stack, answers))


@dataclass(frozen=True)
class DownPhase(Phase):
    """phases/down.py"""

    volumes: bool = False

    def look(self, known: Facts | None = None) -> Facts:
        """What is, from every host: taking down changes all of it."""
        return self.hosts.look()

    def _forget(self) -> None:
        if self.volumes:  # no data is left that the password would open
            forget_database_password(self.stack.name, self.hosts.where)

    def plan(self, *, facts: Facts | None = None, recreate: bool = False) -> Plan:
        return down.plan_down(facts or self.look(), self.stack, volumes=self.volumes)

    def prove(
        self, *, facts: Facts | None = None, packets: bool = True, cancel: threading.Event | None = None
    ) -> Findings:
        return down.prove_down(facts or self.look(), self.stack, volumes=self.volumes)
