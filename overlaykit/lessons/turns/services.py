"""Lesson 04: the backend runs on the manager alone, and a constraint holds it there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from overlaykit.kit import Hosts
from overlaykit.lessons.turns.settled import settled
from overlaykit.lessons.verdict import Verdict
from overlaykit.words.facts import NodeFacts, SwarmFacts
from overlaykit.words.stack import Stack

#: KEY==VALUE or KEY!=VALUE, as `--constraint` takes it.
RULE = re.compile(r"(\S+?)\s*(==|!=)\s*(.+)")


def check(hosts: Hosts, stack: Stack) -> Verdict:
    """Held there, and running there: one without the other is chance, or a wish."""
    manager = hosts.inventory.managers[0].name
    hint = _missing(settled(hosts, "backend").swarm, manager)
    return Verdict(f"the backend runs on {manager} alone, and a constraint holds it there", not hint, hint)


def _missing(swarm: SwarmFacts | None, manager: str) -> str:
    service = swarm.service("backend") if swarm else None
    if swarm is None or service is None:
        return "there is no service backend: deploy the tiers first"
    rules = service.spec.constraints
    if not rules:
        return "the backend has no constraint: Swarm may put it on any host"
    allowed = admitted(rules, swarm)
    if not allowed:
        return f"no host meets {' and '.join(rules)}: constraints hold all at once, and a new task finds no host"
    if allowed != {manager}:
        return f"{' and '.join(rules)} lets the backend run on {', '.join(sorted(allowed))}"
    if {task.host for task in swarm.running("backend")} != {manager}:
        return f"the constraint is right, but no task runs on {manager}: `docker service ps backend` tells why"
    return ""


def admitted(rules: Sequence[str], swarm: SwarmFacts) -> set[str]:
    """The hosts on which Swarm may start a task under these constraints, which hold all at once."""
    return {node.host for node in swarm.nodes if all(_meets(rule, node) for rule in rules)}


def _meets(rule: str, node: NodeFacts) -> bool:
    """Swarm compares without regard to case. What is not known of a node here rules nobody out."""
    parts = RULE.fullmatch(rule.strip())
    known = {"node.id": node.id, "node.hostname": node.hostname, "node.role": node.role}
    if parts is None or not (parts[1] in known or parts[1].startswith("node.labels.")):
        return True
    value = known.get(parts[1], node.labels.get(parts[1].removeprefix("node.labels."), ""))
    return (value.lower() == parts[3].lower()) is (parts[2] == "==")
