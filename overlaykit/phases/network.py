"""Phase 1, the overlay network. Facts in, steps or findings out.

plan_network(facts, stack, images)  ->  Plan: create, or nothing; recreate only when asked to
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from overlaykit.phases.delivery import missing_images
from overlaykit.phases.swarm import refuse_foreign, refuse_unreachable
from overlaykit.words.errors import PlanRefused
from overlaykit.words.facts import Facts, HostFacts, NetworkFacts, SwarmFacts
from overlaykit.words.findings import Finding, Findings
from overlaykit.words.images import KitImages
from overlaykit.words.plan import Plan
from overlaykit.words.stack import Stack
from overlaykit.words.steps import CreateNetwork, Remove, RemoveNetwork, Step, is_kits

#: What the engine assumes of the wire where nobody says otherwise (moby, overlay driver: maxMTU).
ASSUMED_WIRE = 1500
VXLAN_OVERHEAD = 50
#: What an engine writes on the container of a task.
TASK_LABEL = "com.docker.swarm.task.id"
#: The tier whose image can run probes.
PROBE_TIER = "backend"
#: What is said where nobody has allowed the probes.
NOT_TRIED = Finding(
    "OK203",
    "unknown",
    "it was not tried whether packets pass between the hosts",
    layer="network",
    evidence=(
        "the probes are short-lived services, and on hosts that the lab did not make nobody has allowed changes",
    ),
    fix=("overlaykit up --until network --yes", "in Python: connect(…, allow_changes=True)"),
)
ESP_OVERHEAD = 26


def plan_network(facts: Facts, stack: Stack, images: KitImages, *, adopt: bool = False, recreate: bool = False) -> Plan:
    """The steps to the overlay network; raises PlanRefused where it must not or cannot be made.

    The probes that prove it run in the kit's backend image, which is brought to the hosts that lack it.
    """
    refuse_unreachable(facts)
    swarm = need_swarm(facts)
    refuse_foreign(swarm, stack, adopt=adopt)
    wanted = wanted_network(facts, stack)
    present = _present(swarm, stack)
    if present is not None and not is_kits(present.labels, stack.name):
        raise PlanRefused(
            f"the swarm has a network {present.name!r} that overlaykit did not make: nothing was changed. "
            "Choose another name (network.name)."
        )
    changes = [] if present is None else list(_changes(present, wanted))
    probes = list(missing_images(facts, [image for image in images if image.tier == PROBE_TIER]))
    if present is not None and not changes:
        return Plan.of("network", probes, notes=list(_notes(facts, stack)))
    _refuse_impossible(facts, stack)
    _refuse_overlaps(facts, swarm, stack, present)
    removals = _removals(facts, swarm, stack, present, changes, recreate=recreate) if present else ([], [])
    return Plan.of("network", probes, *removals, [wanted], notes=list(_notes(facts, stack)))


def prove_network(facts: Facts, stack: Stack) -> Findings:
    """Is the network what the stack says? (That packets pass is proved by probes: `phases/discovery.py`.)"""
    network = facts.swarm.network(stack.network.name) if facts.swarm else None
    if network is None:
        title, fix = f"there is no overlay network {stack.network.name}", ("overlaykit up --until network",)
        return Findings((Finding("OK201", "error", title, layer="network", fix=fix),))
    changes = list(_changes(network, wanted_network(facts, stack)))
    if changes:
        fix = ("overlaykit up --until network --recreate",)
        title = f"network {network.name} is not as the stack says"
        return Findings((Finding("OK202", "error", title, layer="network", evidence=tuple(changes), fix=fix),))
    title = f"network {network.name} is there as the stack says"
    return Findings((Finding("OK202", "ok", title, layer="network", evidence=(f"subnet {network.subnet}",)),))


def need_swarm(facts: Facts) -> SwarmFacts:
    """The swarm, or the sentence that says to form it first."""
    if facts.swarm is None and facts.swarm_error:
        raise PlanRefused([facts.swarm_error, "Nothing was changed."])
    if facts.swarm is None:
        raise PlanRefused("the hosts form no swarm yet: run `overlaykit up --until swarm` first. Nothing was changed.")
    return facts.swarm


def wanted_network(facts: Facts, stack: Stack) -> CreateNetwork:
    """The network as the stack wants it, on this wire."""
    settings = stack.network
    return CreateNetwork(
        facts.swarm.host if facts.swarm else facts.hosts[0].name,
        name=settings.name,
        subnet=settings.subnet,
        attachable=settings.attachable,
        internal=settings.internal,
        encrypted=settings.encrypted,
        mtu=settings.mtu or _narrow_wire(facts),
        labels=stack.labels,
    )


def container_mtu(wire: int, *, encrypted: bool) -> int:
    """The MTU a container gets on an overlay over that wire (0: what the engine assumes).

    >>> container_mtu(0, encrypted=False), container_mtu(1500, encrypted=True)
    (1450, 1424)

    The numbers are the engine's: moby, overlay driver, maxMTU (it rounds down to a multiple of 4 under ESP).
    """
    inside = (wire or ASSUMED_WIRE) - VXLAN_OVERHEAD
    return (inside - ESP_OVERHEAD) // 4 * 4 if encrypted else inside


def _narrow_wire(facts: Facts) -> int:
    """The least MTU of the hosts' interfaces where it is less than the engine assumes, else 0 (leave it)."""
    least = min((host.underlay_mtu for host in facts if host.underlay_mtu), default=ASSUMED_WIRE)
    return least if least < ASSUMED_WIRE else 0


def _present(swarm: SwarmFacts, stack: Stack) -> NetworkFacts | None:
    """The network of that name; else the stack's under the name that it had before."""
    named = next((network for network in swarm.networks if network.name == stack.network.name), None)
    return named or next((network for network in swarm.networks if is_kits(network.labels, stack.name)), None)


def _changes(present: NetworkFacts, wanted: CreateNetwork) -> Iterator[str]:
    """What cannot be changed in place, said as a person would."""
    for name in ("name", "subnet", "attachable", "internal", "encrypted", "mtu"):
        before, after = getattr(present, name), getattr(wanted, name)
        if before != after:
            yield f"network.{name} is {before!r}, wanted is {after!r}"


def _removals(
    facts: Facts, swarm: SwarmFacts, stack: Stack, present: NetworkFacts, changes: list[str], *, recreate: bool
) -> tuple[list[Step], list[Step]]:
    """Removing the network means removing what is attached to it first."""
    attached = [service for service in swarm.services if present.name in service.spec.networks]
    strangers = [service.spec.name for service in attached if not is_kits(service.spec.labels, stack.name)]
    names = ", ".join(service.spec.name for service in attached) or "no service"
    if strangers:
        users = ", ".join(strangers)
        raise PlanRefused(
            [*changes, f"the network cannot be recreated: it is used by {users}, which the kit did not make"]
        )
    if not recreate:
        raise PlanRefused(
            [
                *changes,
                f"A network cannot be changed in place. Recreating it interrupts {names} until `overlaykit up` "
                "has brought them back (volumes stay). Say --recreate to do it. Nothing was changed.",
            ]
        )
    refuse_attached(facts, [present.name], stack)
    services: list[Step] = [Remove(swarm.host, kind="service", name=service.spec.name) for service in attached]
    return services, [RemoveNetwork(swarm.host, name=present.name)]


def refuse_attached(facts: Facts, networks: Iterable[str], stack: Stack) -> None:
    """Containers that somebody attached by hand: the network could not go, and all that uses it would have gone."""
    attached = [
        f"{container} on {host.name}"
        for host in facts
        for container, ends in host.addresses.items()
        if {name for name, _ in ends} & _overlays(host, networks)
        and _is_strangers(host.containers.get(container, {}), stack)
    ]
    if attached:
        raise PlanRefused(
            f"containers that overlaykit did not start are attached to the network: {', '.join(attached)}. Remove or "
            "disconnect them first. Nothing was changed."
        )


def _overlays(host: HostFacts, networks: Iterable[str]) -> set[str]:
    """Those that are an overlay here: a host may have a bridge of the same name."""
    return {name for name in networks if host.networks.get(name, "overlay") == "overlay"}


def _is_strangers(labels: Mapping[str, str], stack: Stack) -> bool:
    """Neither a task of a service nor one of the kit's probes."""
    return TASK_LABEL not in labels and not is_kits(labels, stack.name)


def _refuse_impossible(facts: Facts, stack: Stack) -> None:
    """An encrypted network on a kernel without ESP is created, joined, and carries nothing: refuse it."""
    without = [host.name for host in facts if host.can_encrypt is False]
    if stack.network.encrypted and without:
        raise PlanRefused(
            f"network.encrypted cannot be had: the kernel of {', '.join(without)} has no ESP (module esp4), so no "
            "packet would pass. Install the kernel's extra modules there, or set it to false. Nothing was changed."
        )


def _refuse_overlaps(facts: Facts, swarm: SwarmFacts, stack: Stack, present: NetworkFacts | None) -> None:
    """A subnet that the hosts already use swallows their traffic."""
    wanted = ipaddress.ip_network(stack.network.subnet)
    taken = [(f"{host.name}'s {device}", subnet) for host in facts.reachable for device, subnet in host.subnets] + [
        (f"network {n.name}", n.subnet) for n in swarm.networks if n.subnet and n is not present
    ]
    reasons = [
        f"network.subnet {wanted} overlaps {owner} ({subnet})"
        for owner, subnet in taken
        if wanted.overlaps(ipaddress.ip_network(subnet))
    ]
    if reasons:
        raise PlanRefused([*reasons, "Choose another subnet. Nothing was changed."])


def _notes(facts: Facts, stack: Stack) -> Iterator[str]:
    unseen = [host.name for host in facts if host.can_encrypt is None]
    if stack.network.encrypted and unseen:
        yield f"whether the kernel of {', '.join(unseen)} has ESP could not be seen: the proof will tell"
    wire = stack.network.mtu or _narrow_wire(facts)
    if wire:
        inside = container_mtu(wire, encrypted=stack.network.encrypted)
        yield f"the wire carries {wire} bytes, so containers get an MTU of {inside}"
    if not stack.network.encrypted:
        yield "traffic between the hosts is not encrypted (network.encrypted = true for IPsec)"
