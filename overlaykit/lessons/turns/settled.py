"""What is, once a service's tasks have got where they are going: who types `--detach` looks too early.

facts = settled(hosts, "backend")
"""

from __future__ import annotations

from overlaykit.kit import Hosts
from overlaykit.lessons.patience import until
from overlaykit.words.facts import Facts

ON_THE_WAY = ("new", "pending", "assigned", "accepted", "preparing", "ready", "starting")
#: Seconds that a check waits for tasks on their way.
PATIENCE = 20.0


def settled(hosts: Hosts, service: str) -> Facts:
    """The facts when no task of the service is on its way any more, or when patience ends."""
    return until(lambda facts: not _is_moving(facts, service), hosts.look, PATIENCE)


def _is_moving(facts: Facts, service: str) -> bool:
    """A task that waits with an error, such as for a host that it may run on, is not on its way."""
    tasks = facts.swarm.tasks if facts.swarm else ()
    wanted = [task for task in tasks if task.service == service and task.desired in ("ready", "running")]
    return any(task.state in ON_THE_WAY and not task.error for task in wanted)
