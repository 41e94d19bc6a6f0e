"""Lesson 07: one door. Only the frontend publishes a port, and guests are served at every host."""

from __future__ import annotations

from collections.abc import Iterator

from overlaykit.kit import Hosts
from overlaykit.lessons.turns.settled import settled
from overlaykit.lessons.verdict import Verdict
from overlaykit.lessons.visits import visit
from overlaykit.words.facts import SwarmFacts
from overlaykit.words.stack import Stack

GOAL = "the guest book answers at every host, and no other door is open"
DOOR = "frontend"
#: Seconds that a knock at a port may take.
KNOCK = 2.0


def check(hosts: Hosts, stack: Stack) -> Verdict:
    """No other service publishes anything, and nothing was taken down to reach that."""
    swarm = settled(hosts, "backend").swarm
    hint = next(_open(swarm), "") if swarm else "the hosts form no swarm: begin the lesson again"
    hint = hint or next(_behind(hosts, stack), "") or _turned_away(hosts, stack)
    return Verdict(GOAL, not hint, hint)


def _open(swarm: SwarmFacts) -> Iterator[str]:
    for service in swarm.services:
        for port in service.spec.ports if service.spec.name != DOOR else ():
            where = "every host" if port.mode == "ingress" else "each host that runs a task of it"
            yield f"{service.spec.name} publishes port {port.published}: it is open on {where}"


def _behind(hosts: Hosts, stack: Stack) -> Iterator[str]:
    """What a host finds at its own address; a door that is no longer wanted may still stand open."""
    for host in hosts:
        for tier, port in (("backend", stack.backend.port), ("database", stack.database.port)):
            if opened := host.connection.open_port("127.0.0.1", port, KNOCK):
                opened.close()
                yield f"port {port}, the {tier}'s, is open on {host.name}: `docker service ps {tier}` shows its tasks"


def _turned_away(hosts: Hosts, stack: Stack) -> str:
    for host in hosts:
        seen = visit(hosts, stack, host.name, wait_for=200)
        if not seen.ok:
            return f"a guest of {host.name} gets {seen!r}"
    return ""
