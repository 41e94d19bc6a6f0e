"""What would be, once a plan has been carried out: so that the next phase can be planned before anything is done.

    swarm = plan_swarm(facts, inventory, stack)
    network = plan_network(after(swarm, facts), stack, images)

Only what later phases ask about is thought through: who is in the swarm, which networks, services and images there
are. What an engine makes by itself, as a swarm's ingress network, is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial, reduce

from overlaykit.words.facts import Facts, HostFacts, NetworkFacts, NodeFacts, SwarmFacts
from overlaykit.words.host import Role
from overlaykit.words.plan import Plan
from overlaykit.words.steps import (
    HOST_LABEL,
    CreateNetwork,
    ForgetNode,
    InitSwarm,
    JoinSwarm,
    LabelNode,
    Remove,
    RemoveNetwork,
    SendImage,
    SetRole,
    Step,
)

#: Who listens where a service publishes a port; an account that is not root may not see it.
_OF_AN_ENGINE = ("", "dockerd", "docker-proxy")


def after(plan: Plan, facts: Facts) -> Facts:
    """The facts as they would be, each step of the plan having gone well."""
    return reduce(_done, plan, facts)


def _done(facts: Facts, step: Step) -> Facts:  # noqa: PLR0911 - a table, row by row
    match step:
        case InitSwarm():
            swarm = SwarmFacts("", step.host, step.labels, step.data_path_port, step.address_pool)
            return _joined(replace(facts, swarm=swarm), step.host, "manager")
        case JoinSwarm():
            return _joined(facts, step.host, step.role)
        case SendImage():
            names = {step.reference: step.image_id, step.image_id: step.image_id}
            return _host(facts, step.host, lambda host: replace(host, images={**host.images, **names}))
        case SetRole():
            return _in_role(facts, step)
        case Remove(kind="service"):
            return _freed(facts, step.name)
        case LabelNode() | ForgetNode() | CreateNetwork() | RemoveNetwork():
            return replace(facts, swarm=_in_swarm(facts.swarm, step)) if facts.swarm else facts
    return facts


def _in_swarm(swarm: SwarmFacts, step: Step) -> SwarmFacts:
    match step:
        case LabelNode():
            label = {HOST_LABEL: step.node}
            nodes = (replace(n, labels={**n.labels, **label}) if n.host == step.node else n for n in swarm.nodes)
            return replace(swarm, nodes=tuple(nodes))
        case ForgetNode():
            return replace(swarm, nodes=tuple(node for node in swarm.nodes if node.id != step.node))
        case CreateNetwork():
            return replace(swarm, networks=(*swarm.networks, _network(step)))
        case RemoveNetwork():
            return replace(swarm, networks=tuple(one for one in swarm.networks if one.name != step.name))
    return swarm


def _freed(facts: Facts, name: str) -> Facts:
    """Without the service, and the ports that the engines kept open for it."""
    swarm = facts.swarm
    if swarm is None:
        return facts
    ports = {port.published for service in swarm.services if service.spec.name == name for port in service.spec.ports}
    for host in facts.reachable:
        left = tuple(one for one in host.listeners or () if one.port not in ports or one.process not in _OF_AN_ENGINE)
        facts = _host(facts, host.name, partial(replace, listeners=left if host.listeners is not None else None))
    services = tuple(service for service in swarm.services if service.spec.name != name)
    tasks = tuple(task for task in swarm.tasks if task.service != name)
    return replace(facts, swarm=replace(swarm, services=services, tasks=tasks))


def _in_role(facts: Facts, step: SetRole) -> Facts:
    """Whoever is asked of the swarm is one of its managers."""
    swarm = facts.swarm
    if swarm is None:
        return facts
    nodes = tuple(replace(node, role=step.role) if node.host == step.node else node for node in swarm.nodes)
    managers = [node.host for node in nodes if node.role == "manager" and node.host]
    asked = swarm.host if swarm.host in managers else next(iter(managers), swarm.host)
    facts = replace(facts, swarm=replace(swarm, nodes=nodes, host=asked))
    return _host(facts, step.node, partial(replace, is_manager=step.role == "manager"))


def _joined(facts: Facts, name: str, role: Role) -> Facts:
    """A host that is a node: its id is made up, and nobody is ever shown it."""
    node = NodeFacts(f"node of {name}", name, facts[name].hostname, role, "active", "ready")
    if facts.swarm:
        facts = replace(facts, swarm=replace(facts.swarm, nodes=(*facts.swarm.nodes, node)))
    member = partial(replace, swarm_state="active", node_id=node.id, is_manager=role == "manager")
    return _host(facts, name, member)


def _host(facts: Facts, name: str, change: Callable[[HostFacts], HostFacts]) -> Facts:
    return replace(facts, hosts=tuple(change(host) if host.name == name else host for host in facts.hosts))


def _network(step: CreateNetwork) -> NetworkFacts:
    return NetworkFacts(
        "", step.name, "overlay", step.subnet, step.attachable, step.internal, step.encrypted, step.mtu,
        labels=step.labels,
    )  # fmt: skip
