"""Lesson 05: the name of a new service leads to each of its two tasks itself, with no virtual IP between."""

from __future__ import annotations

from overlaykit.kit import Hosts
from overlaykit.lessons.names import resolve
from overlaykit.lessons.patience import until
from overlaykit.lessons.turns.settled import settled
from overlaykit.lessons.verdict import Verdict
from overlaykit.words.facts import SwarmFacts
from overlaykit.words.stack import Stack

#: What the learner makes. (An engine that changes a service in place goes on telling of the virtual IP it had.)
CROWD = "crowd"
GOAL = "`crowd` resolves to the addresses of its two tasks, and to no virtual IP"
TASKS = 2
#: Seconds in which every host has heard of tasks that came, and of those that had ten to end.
HEARD = 15.0


def check(hosts: Hosts, stack: Stack) -> Verdict:
    """As the manager has it, and as a frontend sees it."""
    swarm = settled(hosts, CROWD).swarm
    hint = _missing(swarm) or (_seen(hosts, swarm, stack) if swarm else "")
    return Verdict(GOAL, not hint, hint)


def _missing(swarm: SwarmFacts | None) -> str:
    service = swarm.service(CROWD) if swarm else None
    if swarm is None or service is None:
        return f"there is no service {CROWD} yet: `docker service create` makes one"
    running = len(swarm.running(CROWD))
    if running != TASKS:
        return f"{CROWD} runs {running} of the {TASKS} tasks that are wanted"
    if service.spec.endpoint_mode != "dnsrr":
        return f"`{CROWD}` leads to a virtual IP: that is endpoint mode vip; another is chosen at its creation"
    return "" if swarm.running("frontend") else "no frontend runs that could ask for the name"


def _seen(hosts: Hosts, swarm: SwarmFacts, stack: Stack) -> str:
    wanted = {address for task in swarm.running(CROWD) for net, address in task.addresses if net == stack.network.name}
    found = until(lambda found: found == wanted, lambda: set(resolve(hosts, CROWD, inside="frontend")), HEARD)
    if found == wanted:
        return ""
    return f"a frontend gets {len(found)} addresses for `{CROWD}`, and not those of its {TASKS} tasks: look again"
