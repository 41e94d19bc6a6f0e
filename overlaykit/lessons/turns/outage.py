"""Lesson 09: the second host is out of service, and the guest book goes on answering."""

from __future__ import annotations

from collections.abc import Callable

from overlaykit.kit import Hosts
from overlaykit.lessons.patience import until
from overlaykit.lessons.tasks import tasks_on
from overlaykit.lessons.verdict import Verdict
from overlaykit.lessons.visits import visit
from overlaykit.phases.mesh import door_near
from overlaykit.words.facts import NodeFacts, SwarmFacts
from overlaykit.words.stack import Stack

#: Seconds that tasks get to move.
PATIENCE = 60.0


def check(hosts: Hosts, stack: Stack) -> Verdict:
    """The second host of the inventory is drained and on, has no task, and nothing is missing elsewhere."""
    name = hosts.inventory.hosts[1].name
    goal = f"{name} is out of service, and the guest book goes on answering"
    hint = _not_drained(hosts, name) or _still_there(hosts, name) or _missing(hosts, stack, name)
    return Verdict(goal, not hint, hint)


def _not_drained(hosts: Hosts, name: str) -> str:
    swarm = hosts.look().swarm
    node = _node(swarm, name)
    if node is None:
        return f"{name} is no node of the swarm any more: it was to stay one, and only take no tasks"
    if node.state != "ready":
        return f"the manager calls {name} {node.state}: it was to stay on, and be told beforehand that it gets no tasks"
    hints = {
        "active": f"{name} is still active, so it gets tasks like any other: `docker node update --help` "
        "shows what else it can be",
        "pause": f"{name} is paused: it gets no new tasks, but keeps those it has. Another availability moves them",
    }
    others = [n.host for n in swarm.nodes if n.host != name and n.availability != "active"] if swarm else []
    return hints.get(node.availability) or (f"{others[0]} takes no tasks either: it is needed now" if others else "")


def _node(swarm: SwarmFacts | None, name: str) -> NodeFacts | None:
    return next((node for node in swarm.nodes if node.host == name), None) if swarm else None


def _still_there(hosts: Hosts, name: str) -> str:
    if _comes_true(lambda: tasks_on(hosts)[name] == []):
        return ""
    left = ", ".join(sorted(set(tasks_on(hosts)[name])))
    return f"{name} is drained, and still runs {left}: `docker node ps {name}` says how far it is"


def _missing(hosts: Hosts, stack: Stack, name: str) -> str:
    tiers = hosts.tiers(stack)
    if not _comes_true(lambda: tiers.prove().ok):
        return next(finding.title for finding in tiers.prove() if finding.severity == "error") + ", and all are wanted"
    at = way_in(hosts.look().swarm, name)
    seen = visit(hosts, stack, at, wait_for=200)
    return "" if seen.ok else f"a guest of {at} gets {seen!r}"


def way_in(swarm: SwarmFacts | None, name: str) -> str:
    """Where a guest of that host gets in: right there, but for kernels without a routing mesh, where it has none."""
    if swarm is None:
        return name
    return door_near(swarm, [node.host for node in swarm.nodes if node.state == "ready"], name)


def _comes_true(condition: Callable[[], bool]) -> bool:
    return until(bool, condition, PATIENCE)
