"""Which tasks run where, as the manager lists them; and a wait until it is so.

    >>> tasks_on(hosts)
    {'node1': ['frontend'], 'node2': ['backend'], 'node3': ['database']}
    >>> wait_until(lambda: tasks_on(hosts)["node2"] == [], "node2 has no task")

The manager alone is asked, so a host that is off keeps nobody waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from overlaykit.kit import Hosts
from overlaykit.remote.engine import engine_errors
from overlaykit.words.errors import DeadlinePassed, PlanRefused
from overlaykit.words.steps import HOST_LABEL

Task = Mapping[str, Any]

#: Seconds that `wait_until` waits where nobody says otherwise: hosts that share a busy machine are slow.
PATIENCE = 90.0


def tasks_on(hosts: Hosts) -> dict[str, list[str]]:
    """By host, the services whose tasks run there and are meant to, sorted."""
    running = _running(hosts)
    return {
        host.name: sorted(service_of(task) for where, task in running if where == host.name) for host in hosts.inventory
    }


def running_on(hosts: Hosts, service: str) -> list[tuple[str, str]]:
    """The running tasks of a service: the host of each, and the id of its container there."""
    return [
        (where, str(task["Status"]["ContainerStatus"]["ContainerID"]))
        for where, task in _running(hosts)
        if service_of(task) == service and where in hosts.fleet
    ]


def why_waiting(hosts: Hosts, service: str) -> list[str]:
    """What the manager says of the tasks of a service that should run and do not; each reason once."""
    _, tasks = ask_manager(hosts)
    waiting = [t for t in tasks if service_of(t) == service and t["DesiredState"] != "shutdown"]
    return sorted({t["Status"].get("Err", "") for t in waiting if t["Status"]["State"] != "running"} - {""})


def wait_until(condition: Callable[[], bool], what: str, within: float = PATIENCE) -> None:
    """Return once the condition is true. Raises DeadlinePassed, with `what` was waited for."""
    patience = Retrying(retry=retry_if_result(lambda so: not so), wait=wait_fixed(0.3), stop=stop_after_delay(within))
    try:
        patience(condition)
    except RetryError:
        raise DeadlinePassed(f"in {within:g} seconds it did not come true that {what}") from None


def ask_manager(hosts: Hosts) -> tuple[dict[str, str], Sequence[Task]]:
    """The nodes' ids by host, and all tasks with their service's name."""
    manager = hosts[hosts.inventory.managers[0].name]
    with engine_errors(manager.name):
        api = manager.docker.api
        if not api.info()["Swarm"].get("ControlAvailable"):
            raise PlanRefused(f"{manager.name} is no manager of a swarm: nobody can be asked which tasks run")
        names = {service["ID"]: service["Spec"]["Name"] for service in api.services()}
        nodes = {_host_of(node): node["ID"] for node in api.nodes()}
        return nodes, [{**task, "Service": names.get(task["ServiceID"], "")} for task in api.tasks()]


def _running(hosts: Hosts) -> list[tuple[str, Task]]:
    """Every task that runs and is meant to, with its host; the host is empty where its node is none of ours."""
    nodes, tasks = ask_manager(hosts)
    names = {node: host for host, node in nodes.items()}
    running = [task for task in tasks if task["DesiredState"] == task["Status"]["State"] == "running"]
    return [(names.get(task.get("NodeID", ""), ""), task) for task in running]


def service_of(task: Task) -> str:
    """The name of a task's service."""
    return str(task["Service"])


def _host_of(node: Task) -> str:
    """By the label that the kit writes on a node, else by its hostname."""
    return str(node["Spec"].get("Labels", {}).get(HOST_LABEL) or node["Description"]["Hostname"])
