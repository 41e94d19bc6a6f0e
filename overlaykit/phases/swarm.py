"""The swarm: one manager forms it, the others join by role. Facts in, steps or findings out.

plan_swarm(facts, inventory, stack)   ->  Plan: init, joins, roles, labels; empty when all is true
prove_swarm(facts, inventory, stack)  ->  Findings
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from overlaykit.phases.ports import refuse_held_ports, refuse_taken_port, unseen_ports
from overlaykit.phases.services import unknown_hosts
from overlaykit.words.errors import PlanRefused
from overlaykit.words.facts import Facts, HostFacts, NodeFacts, SwarmFacts
from overlaykit.words.findings import Finding, Findings
from overlaykit.words.host import Host, Inventory, lab_power
from overlaykit.words.plan import Plan
from overlaykit.words.stack import STACK_LABEL, Stack
from overlaykit.words.steps import HOST_LABEL, ForgetNode, InitSwarm, JoinSwarm, LabelNode, SetRole, Step


def plan_swarm(facts: Facts, inventory: Inventory, stack: Stack, *, adopt: bool = False) -> Plan:
    """The steps from what is to one swarm of all hosts; raises PlanRefused where that must not be done."""
    refuse_unreachable(facts)
    if strangers := list(unknown_hosts(inventory, stack)):  # the tiers' matter, but no swarm is to be formed for it
        raise PlanRefused([*strangers, "Nothing was changed."])
    unheard = [
        f"{name} answers, and is not ready for its manager: is TCP 2377 open to the managers? If so: {cure}"
        for name, cure in _given_up(facts).items()
    ]
    notes = [*_advice(inventory, stack), *unseen_ports(facts), *unheard]
    if facts.swarm is None:
        _refuse_leftovers(facts, stack)
        return Plan.of("swarm", [_init(inventory, stack)], *_joins(inventory, facts), notes=notes)
    refuse_foreign(facts.swarm, stack, adopt=adopt)
    _refuse_others(facts, facts.swarm, inventory, stack, adopt=adopt)
    joining = [host for host in facts if host.swarm_state == "inactive"]
    refuse_held_ports(joining, facts.lab)
    refuse_taken_port(facts, stack)
    joins, labels = _joins(inventory, facts)
    promotions, demotions = _roles(facts, inventory)
    one_by_one = ([demotion] for demotion in demotions)  # two managers that go at once may take the majority along
    return Plan.of("swarm", _stale_nodes(facts, facts.swarm), joins, promotions, labels, *one_by_one, notes=notes)


def prove_swarm(facts: Facts, inventory: Inventory, stack: Stack) -> Findings:
    """Is every host a ready node of the one swarm, in its role?"""
    if facts.swarm is None:
        fix, seen = ("overlaykit up --until swarm",), (facts.swarm_error,) if facts.swarm_error else ()
        title = "the hosts form no swarm"
        return Findings((Finding("OK101", "error", title, layer="swarm", evidence=seen, fix=fix),))
    swarm = facts.swarm
    given_up = _given_up(facts)
    nodes = [_gone(facts[h.name], swarm) or _node_finding(h, swarm, given_up.get(h.name, "")) for h in inventory]
    return Findings.of([*nodes, *_elsewhere(facts, swarm, inventory, stack)])


def refuse_unreachable(facts: Facts) -> None:
    """Nothing is planned on half a fleet: a host that is off may be the one that holds the data."""
    silent = [host for host in facts if host.error]
    if silent:
        cure = "Bring it back, or take it out of the inventory."
        if facts.lab:
            switches = " and ".join(f"`{lab_power(facts.lab, host.name, 'on')}`" for host in silent)
            cure = f"Where a plug is pulled, {switches} puts it back."
        raise PlanRefused([*(f"{host.name}: {host.error}" for host in silent), f"Nothing was changed. {cure}"])


def refuse_foreign(swarm: SwarmFacts, stack: Stack, *, adopt: bool) -> None:
    """A swarm that does not carry this stack's label is somebody else's."""
    owner = swarm.labels.get(STACK_LABEL)
    if owner is None and not adopt:
        raise PlanRefused(
            f"{swarm.host} is in a swarm that overlaykit did not form: nothing was changed. "
            "Say --adopt (in Python: adopt=True) to use it; `overlaykit down` will then leave it standing."
        )
    if owner not in (None, stack.name) and not adopt:
        raise PlanRefused(
            f"the swarm belongs to the stack {owner!r}, not to {stack.name!r}: nothing was changed. "
            f"Set name to {owner!r} in the stack file, or take that stack down first."
        )


def is_adopted(swarm: SwarmFacts, stack: Stack) -> bool:
    """Was the swarm there before the kit?"""
    return swarm.labels.get(STACK_LABEL) != stack.name


def _init(inventory: Inventory, stack: Stack) -> Step:
    first = inventory.managers[0]
    return InitSwarm(
        first.name,
        advertise_addr=first.advertise_addr,
        data_path_addr=first.data_path_addr,
        data_path_port=stack.swarm.data_path_port,
        address_pool=stack.swarm.address_pool,
        labels=stack.labels,
    )


def _joins(inventory: Inventory, facts: Facts) -> tuple[list[Step], list[Step]]:
    """Who joins, and which nodes get their host's name written on them."""
    via = inventory[facts.swarm.host] if facts.swarm else inventory.managers[0]
    members = facts.members
    outside = [host for host in inventory if host.name not in members and (facts.swarm or host is not via)]
    joins: list[Step] = [
        JoinSwarm(
            host.name,
            role=host.role,
            via=via.name,
            via_addr=via.advertise_addr,
            advertise_addr=host.advertise_addr,
            data_path_addr=host.data_path_addr,
        )
        for host in outside
    ]
    named = {name for name, node in members.items() if node.labels.get(HOST_LABEL) == name}
    unnamed = [host.name for host in inventory if host.name not in named]
    return joins, [LabelNode(via.name, node=name, hostname=facts[name].hostname) for name in unnamed]


def _roles(facts: Facts, inventory: Inventory) -> tuple[list[Step], list[Step]]:
    """Promotions and demotions, apart: the one before the other, so that managers never run out."""
    asked = facts.swarm.host if facts.swarm else ""
    wrong = [inventory[name] for name, node in facts.members.items() if inventory[name].role != node.role]
    promotions: list[Step] = [SetRole(asked, node=h.name, role=h.role) for h in wrong if h.role == "manager"]
    demotions: list[Step] = [SetRole(asked, node=h.name, role=h.role) for h in wrong if h.role == "worker"]
    return promotions, demotions


def _stale_nodes(facts: Facts, swarm: SwarmFacts) -> list[Step]:
    """Nodes that a host of ours once was: it was reset, or left, and comes back as another. A label says which host it
    was; a node that one of our hosts is today stays, whatever somebody wrote on it."""
    present = {host.node_id for host in facts}
    return [
        ForgetNode(swarm.host, node=node.id, role=node.role)
        for node in swarm.nodes
        if node.labels.get(HOST_LABEL) and _host_now(node, facts) not in ("", node.id) and node.id not in present
    ]


def _host_now(node: NodeFacts, facts: Facts) -> str:
    """The node id that the host with this node's label has today; `-` where it is in no swarm."""
    name = node.labels[HOST_LABEL]
    return next((host.node_id or "-" for host in facts if host.name == name), "")


def _advice(inventory: Inventory, stack: Stack) -> Iterator[str]:
    count = len(inventory.managers)
    if count % 2 == 0:
        yield (
            f"{count} managers outlive no more failures than {count - 1}: a majority must stay up. "
            "Name an odd number in [managers]."
        )
    if stack.swarm.data_path_port != 4789:
        yield f"VXLAN runs on UDP {stack.swarm.data_path_port}; open that port between the hosts in place of 4789"


def _given_up(facts: Facts) -> dict[str, str]:
    """What to do about hosts that say that they are in the swarm, and are lost for the manager.

    A node that registers again just as it is given up stays down: swarmkit marks it as ready and then as down, and the
    heartbeats that follow change no state (manager/dispatcher/dispatcher.go: `register` and `markNodeNotReady`).
    """
    cures = {}
    for name, node in facts.members.items():
        if node.state != "ready" and facts[name].swarm_state == "active":
            restart = f"`{lab_power(facts.lab, name, 'off')}`, then on" if facts.lab else "restart Docker there"
            cures[name] = f"where it has just come back, wait some seconds; if it stays so: {restart}"
    return cures


def _refuse_leftovers(facts: Facts, stack: Stack) -> None:
    """No manager of ours answered: what would stand in the way of a new swarm?"""
    inside = [host for host in facts if host.swarm_state not in ("inactive", "")]
    if inside:
        why = facts.swarm_error or "No manager of that swarm is among the inventory's hosts, so nobody can be asked."
        raise PlanRefused([*(f"{host.name}: {_stuck(host)}" for host in inside), why, "Nothing was changed."])
    refuse_held_ports(facts, facts.lab)
    refuse_taken_port(facts, stack)


def _stuck(host: HostFacts) -> str:
    cures = {
        "locked": "its swarm is locked: run `docker swarm unlock` there with the key",
        "pending": "it is still joining a swarm whose manager does not answer: `docker swarm leave --force` ends that",
        "error": "its swarm has failed: `docker swarm leave --force` there gives it up, and restart Docker",
    }
    return cures.get(
        host.swarm_state,
        "it is a node of a swarm: name that swarm's manager in [managers], or run `docker swarm leave --force` there",
    )


def _refuse_others(facts: Facts, swarm: SwarmFacts, inventory: Inventory, stack: Stack, *, adopt: bool) -> None:
    """Hosts of ours that are in another swarm, stuck on the way, or missing from one that we may only use."""
    ours = {node.id for node in swarm.nodes}
    reasons = [f"{h.name}: {_stuck(h)}" for h in facts if h.swarm_state in ("locked", "pending", "error")]
    reasons += [
        f"{h.name}: it is in another swarm than {swarm.host}" for h in facts if h.node_id and h.node_id not in ours
    ]
    reasons += [f"{wrong}; {cure}" for _, wrong, cure in _wrong_addresses(facts, swarm, inventory, stack)]
    if is_adopted(swarm, stack):
        reasons += [
            f"{h.name}: it is not in the adopted swarm: join it yourself, or take it out of the inventory"
            for h in facts
            if h.swarm_state == "inactive"
        ]
        reasons += [
            f"{name}: it is a {node.role} of the adopted swarm, and the inventory makes it a {inventory[name].role}: "
            "list it as it is"
            for name, node in facts.members.items()
            if node.role != inventory[name].role
        ]
    else:
        reasons += _fixed_when_formed(swarm, stack)
    if reasons:
        raise PlanRefused([*reasons, "Nothing was changed."])


def _fixed_when_formed(swarm: SwarmFacts, stack: Stack) -> Iterator[str]:
    for parameter in ("data_path_port", "address_pool"):
        present, wanted = getattr(swarm, parameter), getattr(stack.swarm, parameter)
        if wanted and present and present != wanted:
            yield (
                f"swarm.{parameter} is {present} and cannot be changed in place: it takes `overlaykit down` and "
                "`overlaykit up`, which interrupts every service"
            )


def _wrong_addresses(
    facts: Facts, swarm: SwarmFacts, inventory: Inventory, stack: Stack
) -> Iterator[tuple[str, str, str]]:
    """Host, what is wrong, what to do. A node keeps the address with which it joined: one that the inventory has since
    corrected is used by nobody."""
    for name in facts.members:
        wanted, has = inventory[name].advertise_addr, facts[name].node_addr
        if wanted and has and ip_address(wanted) != ip_address(has):
            cure = f"if {has} is right, write it there"
            if not is_adopted(swarm, stack):
                cure += "; else `overlaykit down`, then `overlaykit up`: a node keeps the address with which it joined"
            yield name, f"{name}: in the swarm it has the address {has}, and swarm_advertise_addr says {wanted}", cure


def _elsewhere(facts: Facts, swarm: SwarmFacts, inventory: Inventory, stack: Stack) -> Iterator[Finding]:
    for name, wrong, cure in _wrong_addresses(facts, swarm, inventory, stack):
        yield Finding(
            "OK106",
            "error",
            f"{name} is not at its address in the swarm",
            (name,),
            "swarm",
            evidence=(wrong,),
            fix=(cure,),
            reproduce=(f"{name}$ docker info --format '{{{{.Swarm.NodeAddr}}}}'",),
        )


def _gone(host: HostFacts, swarm: SwarmFacts) -> Finding | None:
    """A host that has left stays on the manager's list, as ready for some seconds: the host itself knows better."""
    listed = any(node.host == host.name for node in swarm.nodes)
    if not listed or host.error or host.swarm_state == "active":
        return None
    return Finding(
        "OK102",
        "error",
        f"{host.name} is not in the swarm",
        (host.name,),
        "swarm",
        evidence=(f"docker node ls on {swarm.host} lists it; its own engine says: swarm {host.swarm_state}",),
        fix=("overlaykit up",),
        reproduce=(f"{host.name}$ docker info --format '{{{{.Swarm.LocalNodeState}}}}'",),
    )


def _node_finding(host: Host, swarm: SwarmFacts, given_up: str) -> Finding:
    node = next((node for node in swarm.nodes if node.host == host.name), None)
    if node is None:
        return Finding(
            "OK102", "error", f"{host.name} is not in the swarm", (host.name,), "swarm", fix=("overlaykit up",)
        )
    if node.state != "ready":
        ports = f"is its engine up, and can it reach {swarm.host} on TCP 2377 and TCP and UDP 7946?"
        said = f"docker node ls on {swarm.host} says {node.state}"
        return Finding(
            "OK103",
            "error",
            f"{host.name} is not ready",
            (host.name,),
            "swarm",
            evidence=(said, "its own engine says: swarm active") if given_up else (said,),
            fix=(ports, given_up) if given_up else (ports,),
            reproduce=(f"{swarm.host}$ docker node ls",),
        )
    if node.role != host.role:
        title = f"{host.name} is a {node.role}, not a {host.role}"
        return Finding("OK104", "error", title, (host.name,), "swarm", fix=("overlaykit up --until swarm",))
    return Finding("OK103", "ok", f"{host.name} is ready as {node.role}", (host.name,), "swarm")
