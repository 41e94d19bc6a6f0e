"""Taking down: what the kit made goes, nothing else does. Facts in, steps or findings out.

Services first, then what they used, then the workers leave one after another and the manager last: engines
that leave all at once may keep their gossip port open, and names would not resolve in the next swarm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from overlaykit.phases.network import refuse_attached
from overlaykit.phases.services import own_volumes
from overlaykit.phases.swarm import is_adopted, refuse_unreachable
from overlaykit.words.allowed import GOSSIP_PORT
from overlaykit.words.errors import PlanRefused
from overlaykit.words.facts import Facts, HostFacts, SwarmFacts
from overlaykit.words.findings import Finding, Findings
from overlaykit.words.plan import Plan
from overlaykit.words.stack import STACK_LABEL, Stack
from overlaykit.words.steps import HOST_LABEL, LabelNode, LeaveSwarm, Remove, RemoveNetwork, Step, is_kits

#: What an engine writes on a task's container: the node for which its swarm made it.
NODE_LABEL = "com.docker.swarm.node.id"


def plan_down(facts: Facts, stack: Stack, *, volumes: bool = False) -> Plan:
    """The steps back to bare engines. A swarm that was there before the kit stays; so do volumes, unless asked."""
    refuse_unreachable(facts)
    swarm = facts.swarm
    notes = list(_notes(facts, stack, volumes=volumes))
    # A container holds its volumes until it is gone, and a task until its host has left a swarm without managers.
    gone = [_containers(facts, stack), _volumes(facts, stack) if volumes else []]
    if swarm is None:
        return Plan.of("down", *_leaving_orphans(facts), *gone, notes=notes)
    refuse_attached(facts, [n.name for n in swarm.networks if is_kits(n.labels, stack.name)], stack)
    _refuse_used(facts, swarm, stack)
    objects = _used_by_services(swarm, stack)
    if stays_for_others(facts, stack):
        return Plan.of("down", _services(swarm, stack), objects, *gone, notes=notes)
    if is_adopted(swarm, stack):
        return Plan.of("down", _services(swarm, stack), [*objects, *_labels_off(swarm)], *gone, notes=notes)
    return Plan.of("down", _services(swarm, stack), objects, *gone, *_leaving(facts, swarm), notes=notes)


def prove_down(facts: Facts, stack: Stack, *, volumes: bool = False) -> Findings:
    """What is left of the kit on each host: nothing, or its name."""
    left = list(_left_in_swarm(facts, stack))
    findings = [_host_finding(host, facts, stack, volumes=volumes) for host in facts]
    if left:
        title, fix = "objects of the kit are left in the swarm", ("overlaykit down",)
        findings.append(Finding("OK902", "error", title, layer="swarm", evidence=tuple(left), fix=fix))
    return Findings.of(findings)


def _services(swarm: SwarmFacts, stack: Stack) -> list[Step]:
    """The stack's own, and on the lab also what uses its network: elsewhere that was refused."""
    users = _users(swarm, stack)
    return [
        Remove(swarm.host, kind="service", name=service.spec.name)
        for service in swarm.services
        if is_kits(service.spec.labels, stack.name) or service.spec.name in users
    ]


def _used_by_services(swarm: SwarmFacts, stack: Stack) -> list[Step]:
    """Secrets, configs and networks: removable once no service uses them."""
    steps: list[Step] = []
    steps += [Remove(swarm.host, kind="secret", name=n) for n, own in swarm.secrets.items() if is_kits(own, stack.name)]
    steps += [Remove(swarm.host, kind="config", name=n) for n, own in swarm.configs.items() if is_kits(own, stack.name)]
    steps += [RemoveNetwork(swarm.host, name=n.name) for n in swarm.networks if is_kits(n.labels, stack.name)]
    return steps


def _volumes(facts: Facts, stack: Stack) -> list[Step]:
    return [
        Remove(host.name, kind="volume", name=name)
        for host in facts.reachable
        for name in own_volumes(host, facts, stack)
    ]


def _containers(facts: Facts, stack: Stack) -> list[Step]:
    """Probes that a check which was killed has left behind, and tasks of a swarm that is gone."""
    return [
        Remove(host.name, kind="container", name=name)
        for host in facts.reachable
        for name, labels in host.containers.items()
        if is_kits(labels, stack.name) or _is_left_task(labels, host, facts)
    ]


def _is_left_task(labels: Mapping[str, str], host: HostFacts, facts: Facts) -> bool:
    """A task of a swarm that its host is not in. A host whose plug is pulled right after it has left comes back with
    its last tasks, and an engine that leaves a swarm without managers forgets them: on the lab they are litter."""
    node = labels.get(NODE_LABEL)
    return facts.lab is not None and node is not None and (facts.swarm is None or node != host.node_id)


def _others(facts: Facts, stack: Stack) -> list[str]:
    """What would go with the swarm and is not this stack's: services, and nodes that are no hosts of ours."""
    if facts.swarm is None:
        return []
    ours = {host.node_id for host in facts}
    services = [s.spec.name for s in facts.swarm.services if not is_kits(s.spec.labels, stack.name)]
    # A host of ours that has just left is listed for some seconds more, by its label.
    nodes = [n.hostname for n in facts.swarm.nodes if n.id not in ours and not n.host and n.state == "ready"]
    return [f"service {name}" for name in services] + [f"node {name}" for name in nodes]


def _refuse_used(facts: Facts, swarm: SwarmFacts, stack: Stack) -> None:
    """What a stranger's service uses cannot be removed; on the lab such a service goes with its swarm."""
    users = [f"{name} ({', '.join(sorted(used))})" for name, used in _users(swarm, stack).items()]
    if users and facts.lab is None:
        raise PlanRefused(
            f"services that this stack did not make use what would go: {', '.join(users)}. Remove or change them "
            "first. Nothing was changed."
        )


def _users(swarm: SwarmFacts, stack: Stack) -> dict[str, set[str]]:
    """Services of others by name, with what they use of this stack: its network, secrets and configs."""
    ours = {network.name for network in swarm.networks if is_kits(network.labels, stack.name)}
    ours |= {name for name, labels in (*swarm.secrets.items(), *swarm.configs.items()) if is_kits(labels, stack.name)}
    others = [service.spec for service in swarm.services if not is_kits(service.spec.labels, stack.name)]
    uses = {spec.name: ours & {*spec.networks, *(f.name for f in (*spec.secrets, *spec.configs))} for spec in others}
    return {name: used for name, used in uses.items() if used}


def stays_for_others(facts: Facts, stack: Stack) -> bool:
    """A swarm that the kit formed stays while others use it; on the lab nobody else does."""
    adopted = facts.swarm is not None and is_adopted(facts.swarm, stack)
    return facts.lab is None and not adopted and bool(_others(facts, stack))


def _labels_off(swarm: SwarmFacts) -> list[Step]:
    if STACK_LABEL in swarm.labels:  # another stack of the kit formed it, and pins its database by them
        return []
    labelled = [node for node in swarm.nodes if node.host and HOST_LABEL in node.labels]
    return [LabelNode(swarm.host, node=node.host, hostname=node.hostname, remove=True) for node in labelled]


def _leaving(facts: Facts, swarm: SwarmFacts) -> Iterator[list[Step]]:
    """One stage for each host that leaves: workers, then managers, the one that was asked last."""
    managers = {name for name, node in facts.members.items() if node.role == "manager"}
    for name in sorted(facts.members, key=lambda name: (name in managers, name == swarm.host, name)):
        # A host that is still on its way back into the swarm cannot say farewell.
        force = name in managers or facts[name].swarm_state != "active"
        ports = tuple(sorted(swarm.published))
        yield [LeaveSwarm(name, published=ports, force=force, may_restart=facts.lab is not None)]


def _leaving_orphans(facts: Facts) -> Iterator[list[Step]]:
    """Hosts in a swarm whose managers do not answer: nobody can tell whose it is, so only the lab's may be freed."""
    inside = [host for host in facts if host.swarm_state in ("active", "pending", "error", "locked")]
    if inside and facts.lab is None:
        why = facts.swarm_error or "no manager of their swarm is among the inventory's hosts"
        cure = [f"{host.name}$ docker swarm leave --force" for host in inside]
        raise PlanRefused([f"{', '.join(h.name for h in inside)}: {why}. If that swarm is given up:", *cure])
    for host in inside:
        yield [LeaveSwarm(host.name, force=True, may_restart=True)]


def _notes(facts: Facts, stack: Stack, *, volumes: bool) -> Iterator[str]:
    kept = [f"{step.name} on {step.host}" for step in _volumes(facts, stack) if isinstance(step, Remove)]
    if kept and not volumes:
        yield f"kept, because it holds data: volume {', '.join(kept)} (--volumes removes it too)"
    if brought := [host.name for host in facts if _kits_images(host)] if facts.lab is None else []:
        yield (
            f"the kit's images stay on {', '.join(brought)}, for the next `overlaykit up`; without them: "
            "docker image rm $(docker image ls --quiet 'overlaykit/*')"
        )
    if facts.swarm and is_adopted(facts.swarm, stack):
        yield "the swarm stays: overlaykit did not form it"
    elif others := ", ".join(_others(facts, stack)):
        yield f"with the swarm goes: {others}" if facts.lab else f"the swarm stays, because others use it: {others}"


def _kits_images(host: HostFacts) -> list[str]:
    return [name for name in host.images if name.startswith("overlaykit/")]


def _left_in_swarm(facts: Facts, stack: Stack) -> Iterator[str]:
    swarm = facts.swarm
    if swarm is None:
        return
    yield from (f"service {s.spec.name}" for s in swarm.services if is_kits(s.spec.labels, stack.name))
    yield from (f"network {n.name}" for n in swarm.networks if is_kits(n.labels, stack.name))
    yield from (f"secret {name}" for name, labels in swarm.secrets.items() if is_kits(labels, stack.name))
    yield from (f"config {name}" for name, labels in swarm.configs.items() if is_kits(labels, stack.name))


def _held(host: HostFacts, stack: Stack) -> Iterator[int]:
    """Ports of a swarm that the engine has left, and keeps."""
    owners = {GOSSIP_PORT: ("", "dockerd"), stack.frontend.published_port: ("dockerd",)}  # "": only root is told
    for one in host.listeners or () if host.swarm_state == "inactive" else ():
        if one.process in owners.get(one.port, ()):
            yield one.port


def _host_finding(host: HostFacts, facts: Facts, stack: Stack, *, volumes: bool) -> Finding:
    """One host: out of the kit's swarm, no container of the kit, no port of it held, no volume unless kept."""
    if host.error:
        title = f"what is left on {host.name} could not be seen"
        return Finding("OK901", "unknown", title, (host.name,), evidence=(host.error,))
    left = [
        f"container {name}"
        for name, labels in host.containers.items()
        if is_kits(labels, stack.name) or _is_left_task(labels, host, facts)
    ]
    kept = own_volumes(host, facts, stack)
    left += [f"volume {name}" for name in kept] if volumes else []
    ours = facts.swarm is not None and facts.swarm.labels.get(STACK_LABEL) == stack.name
    ours = ours and not stays_for_others(facts, stack)
    left += ["it is still in the kit's swarm"] if ours and host.swarm_state == "active" else []
    left += ["it is in a swarm, and no manager tells whose"] if not facts.swarm and host.node_id else []
    left += [
        f"the engine still holds TCP port {port}; restart Docker there before the next swarm"
        for port in _held(host, stack)
    ]
    if left:
        return Finding("OK901", "error", f"something is left on {host.name}", (host.name,), evidence=tuple(left))
    seen = tuple(f"volume {name}, kept" for name in kept)
    return Finding("OK901", "ok", f"nothing is left on {host.name}", (host.name,), evidence=seen)
