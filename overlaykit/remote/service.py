"""Create and update a service by the Docker SDK, and wait until its tasks run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from typing import Any

import docker
from docker.types import (
    ConfigReference,
    EndpointSpec,
    Healthcheck,
    Mount,
    Resources,
    RollbackConfig,
    SecretReference,
    ServiceMode,
    UpdateConfig,
)

from overlaykit.remote.work import Work
from overlaykit.words.errors import DeadlinePassed
from overlaykit.words.facts import trouble
from overlaykit.words.service import FileRef, Health, ServiceSpec, satisfies
from overlaykit.words.steps import HOST_LABEL, ON_HOST

_NANO = 1_000_000_000
#: Fields of a service that its tasks do not show.
_UNSEEN = {"ports", "networks"}
#: Seconds in which Swarm begins an update. An update that replaces no task never begins.
_BEGINS_WITHIN = 5.0
#: A slot that failed this often while we watched will not heal by itself.
TOO_OFTEN = 3
#: Seconds for which Swarm may find no host for a task: enough for one that starts again, or has just joined.
TOO_LONG = 30.0

Json = dict[str, Any]


def create_service(client: docker.DockerClient, spec: ServiceSpec, work: Work) -> None:
    """Create it, and wait until its tasks have a host.

    Swarm spreads tasks around those that it has placed already: services that are created at the same moment
    may land on one host.
    """
    client.services.create(spec.image, **service_arguments(client, spec))
    work.wait(lambda: _unplaced(client, spec.name))


def update_service(client: docker.DockerClient, spec: ServiceSpec, changed: Collection[str], work: Work) -> None:
    """Change it to the spec; `changed` names the fields that differ.

    What is seen on a task need not be waited for here. That its ports and networks are those of before is not seen,
    and Swarm takes a moment to begin: until then nothing tells the old tasks from new ones.
    """
    client.services.get(spec.name).update(image=spec.image, **service_arguments(client, spec))
    tasks = (
        client.api.tasks(filters={"service": spec.name, "desired-state": "running"}) if _UNSEEN & set(changed) else ()
    )
    if tasks:
        with suppress(DeadlinePassed):
            work.within(_BEGINS_WITHIN).wait(lambda: _not_begun(client, spec.name))


def _not_begun(client: docker.DockerClient, name: str) -> str | None:
    """A change clears what was said of the last update (swarmkit, controlapi: UpdateService)."""
    return None if client.api.inspect_service(name).get("UpdateStatus") else f"{name}: waiting for its update to begin"


def service_arguments(client: docker.DockerClient, spec: ServiceSpec) -> Json:
    """The keyword arguments of `docker.services.create` (and `.update`) that say the same as the spec."""
    order = "stop-first" if spec.stop_first else "start-first"
    replacement: Json = {"parallelism": 1, "order": order, "monitor": int(spec.monitor * _NANO)}
    return {
        "name": spec.name,
        "command": list(spec.command) or None,
        "args": list(spec.args) or None,
        "env": list(spec.env),
        "hostname": spec.hostname or None,
        "mode": ServiceMode("global") if spec.replicas is None else ServiceMode("replicated", spec.replicas),
        "networks": list(spec.networks),
        "constraints": list(spec.constraints),
        "mounts": [Mount(m.target, m.volume, labels=dict(m.labels)) for m in spec.mounts],
        "secrets": [SecretReference(*_reference(client.api.secrets, ref)) for ref in spec.secrets],
        "configs": [ConfigReference(*_reference(client.api.configs, ref)) for ref in spec.configs],
        "endpoint_spec": EndpointSpec(spec.endpoint_mode, [_port(p) for p in spec.ports] or None),
        "healthcheck": _healthcheck(spec.health) if spec.health else None,
        "resources": Resources(cpu_limit=int(spec.cpus * _NANO) or None, mem_limit=spec.memory or None),
        "update_config": UpdateConfig(**replacement),
        "rollback_config": RollbackConfig(**replacement),
        "labels": dict(spec.labels),
    }


def wait_for_tasks(client: docker.DockerClient, name: str, work: Work) -> None:
    """Wait until as many tasks run as the service wants, all of its present spec.

    Raises DeadlinePassed with the newest reason: at once where a slot keeps failing, and before the step's own
    deadline where Swarm finds no host for a task.
    """
    before = {task["ID"] for task in client.api.tasks(filters={"service": name}) if _failed(task)}
    hosts: dict[str, str] = {}  # by node id: known once, they stay
    homeless_until: float | None = None

    service = client.api.inspect_service(name)

    def unmet() -> str | None:
        nonlocal service, homeless_until
        tasks = client.api.tasks(filters={"service": name})
        failures = [task for task in tasks if task["ID"] not in before and _failed(task)]
        worst = Counter(task.get("Slot", task.get("NodeID")) for task in failures).most_common(1)
        if worst and worst[0][1] >= TOO_OFTEN:
            told = f"{_words(client, name, failures)} (tried {worst[0][1]} times)"
            raise DeadlinePassed(told + _way_back(client.api.inspect_service(name), ended=True))
        wanted = [task["Status"]["State"] == "running" for task in tasks if task["DesiredState"] == "running"]
        if not wanted or any(wanted):  # as long as none runs, the service need not be asked again what it wants
            service = client.api.inspect_service(name)
        running = sum(_runs_as(task, service) for task in tasks)
        target = _target(client, service)
        if running >= target and not _updating(service):
            return None
        homeless = [task for task in tasks if _is_homeless(task)]
        if not homeless:
            homeless_until = None
        elif homeless_until is None:
            homeless_until = time.monotonic() + TOO_LONG
        elif time.monotonic() > homeless_until:
            told = _words(client, name, homeless)
            raise DeadlinePassed(told + _way_back(client.api.inspect_service(name), ended=False))
        if failures:
            return _words(client, name, failures)
        return f"{name}: {running} of {target} tasks run{_on_their_way(client, tasks, hosts)}"

    work.wait(unmet)


def _unplaced(client: docker.DockerClient, name: str) -> str | None:
    """None once every task has a host, or the reason why it gets none: starting it will tell that."""
    tasks = client.api.tasks(filters={"service": name})
    waiting = [task for task in tasks if not (task.get("NodeID") or task["Status"].get("Err"))]
    target = _target(client, client.api.inspect_service(name))
    return f"{name}: waiting for a host" if waiting or len(tasks) < target else None


def _failed(task: Json) -> bool:
    return task["Status"]["State"] in ("failed", "rejected") or _is_homeless(task)


def _is_homeless(task: Json) -> bool:
    """Swarm has looked for a host, and says why it has found none."""
    return (
        task["Status"]["State"] == "pending" and task["DesiredState"] == "running" and bool(task["Status"].get("Err"))
    )


def _runs_as(task: Json, service: Json) -> bool:
    """Does the task run, with the container that the service describes today?

    Placement is left out: a task that satisfies a new rule is not started again for it.
    """
    if not _runs(task):
        return False
    wanted = service["Spec"]["TaskTemplate"]
    return all(task["Spec"].get(part) == wanted.get(part) for part in ("ContainerSpec", "Resources"))


def _runs(task: Json) -> bool:
    return bool(task["Status"]["State"] == task["DesiredState"] == "running")


def _target(client: docker.DockerClient, service: Json) -> int:
    replicated = service["Spec"]["Mode"].get("Replicated")
    if replicated is not None:
        return int(replicated.get("Replicas", 1))
    rules = (service["Spec"]["TaskTemplate"].get("Placement") or {}).get("Constraints") or ()
    ready = [node for node in client.api.nodes() if node["Status"]["State"] == "ready"]
    active = [node for node in ready if node["Spec"]["Availability"] == "active"]
    return sum(satisfies(node["ID"], node["Spec"].get("Labels") or {}, rules) for node in active)


def _updating(service: Json) -> bool:
    return (service.get("UpdateStatus") or {}).get("State") in ("updating", "rollback_started")


def _way_back(service: Json, *, ended: bool) -> str:
    """What to do where an update has stopped tasks that ran well.

    Swarm calls an update completed as soon as it has begun the last of the new tasks, even if none of them ran.
    """
    state = (service.get("UpdateStatus") or {}).get("State")
    images = {_image(spec) for spec in (service["Spec"], service.get("PreviousSpec") or service["Spec"])}
    if state not in ("updating", "paused") and not (ended and len(images) > 1):
        return ""
    return f"; what {service['Spec']['Name']} was before comes back by `overlaykit up` with the values of before"


def _image(spec: Json) -> str:
    return str(spec["TaskTemplate"]["ContainerSpec"]["Image"])


def _words(client: docker.DockerClient, service: str, tasks: list[Json]) -> str:
    """The newest failure as a sentence that names task, host and reason."""
    task = max(tasks, key=lambda task: str(task["Status"]["Timestamp"]))
    status = task["Status"]
    place, error = _hosts(client).get(task.get("NodeID", ""), ""), status.get("Err", "")
    rules = (task["Spec"].get("Placement") or {}).get("Constraints") or []
    if "no suitable node" in error and rules:
        pinned = len(rules) == 1 and rules[0].startswith(ON_HOST)
        place_wanted = f"on {rules[0].removeprefix(ON_HOST)}" if pinned else f"where {' and '.join(rules)}"
        error += f"; it must run {place_wanted}: is that host on, and ready in `docker node ls`?"
    return trouble(f"{service}.{task.get('Slot') or place}", status["State"], place, error)


def _on_their_way(client: docker.DockerClient, tasks: list[Json], hosts: dict[str, str]) -> str:
    """How far the tasks are that do not run yet, as in ` (preparing on node2)`."""
    coming = [task for task in tasks if task["DesiredState"] == "running" != task["Status"]["State"]]
    if any(task.get("NodeID", "") not in hosts for task in coming):
        hosts.update({"": ""} | _hosts(client))
    ways = (f"{task['Status']['State']} on {hosts.get(task.get('NodeID', ''), '')}" for task in coming)
    said = ", ".join(sorted({way.removesuffix(" on ") for way in ways}))
    return f" ({said})" if said else ""


def _hosts(client: docker.DockerClient) -> dict[str, str]:
    """The host of each node, by the node's id."""
    return {node["ID"]: (node["Spec"].get("Labels") or {}).get(HOST_LABEL, "") for node in client.api.nodes()}


def _reference(listing: Any, ref: FileRef) -> tuple[str, str, str, str, str, int]:
    """The arguments of a SecretReference or ConfigReference: the engine wants the id beside the name."""
    found = next(one for one in listing(filters={"name": ref.name}) if one["Spec"]["Name"] == ref.name)
    return found["ID"], ref.name, ref.target, ref.uid, "0", ref.mode


def _port(port: Any) -> Json:
    return {
        "Protocol": "tcp",
        "PublishedPort": port.published,
        "TargetPort": port.target,
        "PublishMode": port.mode,
    }


def _healthcheck(health: Health) -> Healthcheck:
    """The SDK has no word for the interval while starting, so it is added to what it makes."""
    check = Healthcheck(
        test=list(health.test),
        interval=int(health.interval * _NANO),
        timeout=int(health.timeout * _NANO),
        retries=health.retries,
        start_period=int(health.start_period * _NANO),
    )
    if health.start_interval:
        check["StartInterval"] = int(health.start_interval * _NANO)
    return check
