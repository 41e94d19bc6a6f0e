"""One function for each kind of step: the Docker SDK calls that do what the step's command says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial, singledispatch
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.types import IPAMConfig, IPAMPool
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from overlaykit.remote.fleet import FleetHost
from overlaykit.remote.images import deliver
from overlaykit.remote.ports import held_by, held_by_any, published_ports
from overlaykit.remote.service import create_service, update_service, wait_for_tasks
from overlaykit.remote.work import Work
from overlaykit.words.allowed import GOSSIP_PORT
from overlaykit.words.errors import DeadlinePassed, HostError
from overlaykit.words.host import Role
from overlaykit.words.steps import (
    HOST_LABEL,
    AwaitService,
    ClaimSwarm,
    CreateConfig,
    CreateNetwork,
    CreateSecret,
    CreateService,
    ForgetNode,
    InitSwarm,
    JoinSwarm,
    LabelNode,
    LeaveSwarm,
    Remove,
    RemoveNetwork,
    RestoreNode,
    SendImage,
    SetRole,
    Step,
    UpdateService,
)

#: Seconds in which an engine closes the ports of a service that was removed, or of a swarm that it could leave.
PORT_PATIENCE = 8.0
_FREE_IT = "`sudo ss -ltnp` there says by whom; where it is dockerd, restart Docker (sudo systemctl restart docker)"


@singledispatch
def perform(step: Step, host: FleetHost, work: Work) -> None:
    """Do what the step says on its host. Each kind of step registers its own function below."""
    raise NotImplementedError(f"nobody knows how to do {step!r}")


@perform.register
def _(step: InitSwarm, host: FleetHost, work: Work) -> None:
    host.docker.swarm.init(
        advertise_addr=step.advertise_addr,
        data_path_addr=step.data_path_addr,
        data_path_port=step.data_path_port,
        default_addr_pool=[step.address_pool] if step.address_pool else None,
        labels=dict(step.labels),
    )


@perform.register
def _(step: JoinSwarm, host: FleetHost, work: Work) -> None:
    manager = work.fleet[step.via].docker
    address = step.via_addr or manager.info()["Swarm"]["NodeAddr"]
    host.docker.swarm.join(
        remote_addrs=[f"[{address}]:2377" if ":" in address else f"{address}:2377"],
        join_token=manager.api.inspect_swarm()["JoinTokens"][step.role.capitalize()],
        advertise_addr=step.advertise_addr,
        data_path_addr=step.data_path_addr,
    )


@perform.register
def _(step: LabelNode, host: FleetHost, work: Work) -> None:
    def labelled(spec: dict[str, Any]) -> dict[str, Any]:
        others = {key: value for key, value in (spec.get("Labels") or {}).items() if key != HOST_LABEL}
        return {**spec, "Labels": others if step.remove else {**others, HOST_LABEL: step.node}}

    _change_node(host.docker, _node_id(work, step.node, step.hostname, host), labelled)


@perform.register
def _(step: ClaimSwarm, host: FleetHost, work: Work) -> None:
    swarm = host.docker.api.inspect_swarm()
    labels = {**(swarm["Spec"].get("Labels") or {}), **step.labels}
    host.docker.api.update_swarm(swarm["Version"]["Index"], swarm_spec={**swarm["Spec"], "Labels": labels})


@perform.register
def _(step: RestoreNode, host: FleetHost, work: Work) -> None:
    def restored(spec: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in (spec.get("Labels") or {}).items() if key not in step.labels}
        return {**spec, "Labels": kept, "Availability": "active"}

    _change_node(host.docker, _node_id(work, step.node), restored)


@perform.register
def _(step: SetRole, host: FleetHost, work: Work) -> None:
    """Done when the node itself knows it: until then the managers are busy with one that comes or goes."""
    node_id = _node_id(work, step.node)
    _change_node(host.docker, node_id, lambda spec: {**spec, "Role": step.role})
    work.wait(lambda: _of_another_role(work.fleet[step.node], step.role))
    if host.name != step.node:  # who asks for its own demotion is no manager any more, and is told nothing
        work.wait(lambda: _not_ready(host, node_id, step.node))


@perform.register
def _(step: ForgetNode, host: FleetHost, work: Work) -> None:
    if step.role == "manager":
        _change_node(host.docker, step.node, lambda spec: {**spec, "Role": "worker"})
    host.docker.api.remove_node(step.node, force=True)


@perform.register
def _(step: CreateNetwork, host: FleetHost, work: Work) -> None:
    options = {"encrypted": "true"} if step.encrypted else {}
    if step.mtu:
        options["com.docker.network.driver.mtu"] = str(step.mtu)
    host.docker.networks.create(
        step.name,
        driver="overlay",
        options=options,
        ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=step.subnet)]),
        attachable=step.attachable,
        internal=step.internal,
        labels=dict(step.labels),
    )


@perform.register
def _(step: RemoveNetwork, host: FleetHost, work: Work) -> None:
    """Gone only when its host does not know it any more: until its last task has stopped, the engine refuses, or it
    has told the swarm but keeps a copy of its own, beside which no other network of that name can be made."""
    work.wait(lambda: _network_left(host, step.name))


@perform.register
def _(step: SendImage, host: FleetHost, work: Work) -> None:
    deliver(host, Path(step.archive), step.image_id, step.reference, lambda part: work.tell("progress", "", part))


@perform.register
def _(step: CreateSecret, host: FleetHost, work: Work) -> None:
    host.docker.secrets.create(name=step.name, data=step.value.reveal().encode(), labels=dict(step.labels))


@perform.register
def _(step: CreateConfig, host: FleetHost, work: Work) -> None:
    host.docker.configs.create(name=step.name, data=step.data.encode(), labels=dict(step.labels))


@perform.register
def _(step: CreateService, host: FleetHost, work: Work) -> None:
    create_service(host.docker, step.spec, work)


@perform.register
def _(step: AwaitService, host: FleetHost, work: Work) -> None:
    wait_for_tasks(host.docker, step.name, work)


@perform.register
def _(step: UpdateService, host: FleetHost, work: Work) -> None:
    update_service(host.docker, step.spec, [change.field for change in step.changes], work)


@perform.register
def _(step: Remove, host: FleetHost, work: Work) -> None:
    """What is gone already is fine; what a stopping task still uses is tried again.

    The ports of a service are closed some seconds after it is gone, and would be taken for somebody else's till then.
    """
    api = host.docker.api
    published = published_ports(host, step.name) if step.kind == "service" else ()
    removers: dict[str, Callable[[str], object]] = {
        "service": api.remove_service,
        "secret": api.remove_secret,
        "config": api.remove_config,
        "volume": api.remove_volume,
        "container": partial(api.remove_container, force=True),
    }
    work.wait(lambda: _removed(lambda: removers[step.kind](step.name)))
    if published:
        with suppress(DeadlinePassed):  # whoever wants the port next is told that it is taken
            work.within(PORT_PATIENCE).wait(lambda: held_by_any(work.fleet, published))


@perform.register
def _(step: LeaveSwarm, host: FleetHost, work: Work) -> None:
    """Left is left only when its ports are closed: an engine that keeps one poisons the next swarm.

    The engine gives its farewell one second to reach another node (libnetwork, networkdb: clusterLeave), and
    leaves the gossip port open where that was too short. It keeps a published port where it left before it had
    heard that the service is gone (seen once, on ten busy hosts).
    """
    ports = (GOSSIP_PORT, *step.published)
    work.wait(lambda: _still_in(host, force=step.force))
    try:
        work.within(PORT_PATIENCE).wait(lambda: held_by(host, ports))
    except DeadlinePassed as held:
        if not step.may_restart:
            raise DeadlinePassed(f"{held}: {_FREE_IT}") from None
        work.tell("progress", "a port of the swarm is still held: restarting the engine")
        host.run("pkill -x dockerd")  # a practice host starts it again
        work.wait(lambda: held_by(host, ports) or _engine_away(host))


def _still_in(host: FleetHost, *, force: bool) -> str | None:
    """None once it has left; a busy engine may give up in the middle, and is asked again."""
    try:
        host.docker.api.leave_swarm(force=force)  # `swarm.leave` asks first how the swarm is: without leader, in vain
    except APIError as error:
        said = str(error.explanation)
        if "deadline exceeded" in said.lower():
            return f"{host.name}: the engine gave up leaving ({said}), asking again"
        if "not part of a swarm" not in said:
            raise
    return None


def _engine_away(host: FleetHost) -> str | None:
    try:
        host.docker.ping()
    except HostError as error:
        return str(error)
    return None


def _network_left(host: FleetHost, name: str) -> str | None:
    """None once it is gone from the swarm and from the host."""
    try:
        host.docker.api.remove_network(name)
    except NotFound:
        return None
    except APIError as error:
        words = str(error.explanation)
        if "in use" not in words and not words.endswith("not found"):  # of the swarm; the host has its copy yet
            raise
    return f"network {name} is still in use on {host.name}"


def _removed(remove: Any) -> str | None:
    """None once it is gone; the engine's words while something still uses it."""
    try:
        remove()
    except NotFound:
        return None
    except APIError as error:
        said = str(error.explanation)
        if error.status_code in (400, 403, 409) and "in use" in said:
            return said.partition(" - ")[0]  # what follows are ids, in any order
        raise
    return None


def _node_id(work: Work, host: str, hostname: str = "", manager: FleetHost | None = None) -> str:
    """The id of a host's node: the manager lists it by hostname; where two share one, the host itself is asked.

    A node that has just joined is listed without its description for a moment: then too.
    """
    nodes = manager.docker.api.nodes() if manager else []
    listed = [node["ID"] for node in nodes if node["Description"].get("Hostname") == hostname]
    return str(listed[0] if len(listed) == 1 else work.fleet[host].docker.info()["Swarm"]["NodeID"])


def _of_another_role(host: FleetHost, role: Role) -> str | None:
    is_manager = host.docker.info()["Swarm"]["ControlAvailable"]
    return None if is_manager == (role == "manager") else f"{host.name}: it is not yet a {role}"


def _not_ready(manager: FleetHost, node_id: str, name: str) -> str | None:
    state = manager.docker.api.inspect_node(node_id)["Status"]["State"]
    return None if state == "ready" else f"{name}: the managers call it {state}"


def _passes(error: BaseException) -> bool:
    """Somebody else changed the node between our reading and our writing, or the managers are just electing a leader;
    the engine only says so in words."""
    said = str(error.explanation) if isinstance(error, APIError) else ""
    return any(words in said for words in ("out of sequence", "raft proposal dropped", "does not have a leader"))


@retry(retry=retry_if_exception(_passes), wait=wait_fixed(0.2), stop=stop_after_delay(10), reraise=True)
def _change_node(client: docker.DockerClient, node_id: str, change: Any) -> None:
    node = client.api.inspect_node(node_id)
    client.api.update_node(node_id, node["Version"]["Index"], change(node["Spec"]))
