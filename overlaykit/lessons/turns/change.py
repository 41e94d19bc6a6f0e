"""Lesson 08: a bad release is taken back, and guests are served again."""

from __future__ import annotations

from overlaykit.kit import Hosts
from overlaykit.lessons.turns.settled import settled
from overlaykit.lessons.verdict import Verdict
from overlaykit.lessons.visits import visit
from overlaykit.words.facts import SwarmFacts
from overlaykit.words.stack import Stack

GOAL = "the release with the mistake is gone, and guests are served by the one before"
SETTING, RIGHT = "DATABASE_HOST", "database"


def check(hosts: Hosts, stack: Stack) -> Verdict:
    """The setting is right again, release 2 is still there, and a guest is served."""
    swarm = settled(hosts, "backend").swarm
    hint = _missing(swarm) or _turned_away(hosts, stack)
    return Verdict(GOAL, not hint, hint)


def _missing(swarm: SwarmFacts | None) -> str:
    service = swarm.service("backend") if swarm else None
    if swarm is None or service is None:
        return "there is no service backend any more: going back needs no removal"
    said = dict(entry.partition("=")[::2] for entry in service.spec.env)
    if said.get(SETTING) != RIGHT:
        return f"the backend still looks for its database at {said.get(SETTING)!r}, and guests get an error"
    if said.get("RELEASE") != "2":
        return "that is a release further back than the one before: RELEASE is to be 2"
    running, wanted = len(swarm.running("backend")), service.spec.replicas
    return "" if running == wanted else f"{running} of {wanted} backends run: `docker service ps backend` tells why"


def _turned_away(hosts: Hosts, stack: Stack) -> str:
    name = hosts.inventory.managers[0].name
    seen = visit(hosts, stack, name, wait_for=200)
    return "" if seen.ok else f"a guest of {name} gets {seen!r}"
