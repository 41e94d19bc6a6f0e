"""Kernels without IPVS have no virtual IPs and no routing mesh: what takes their place, and what is said of it.

    specs = fit_for_kernels(facts, wanted_services(…))
    notes = mesh_notes(facts, stack)

A name then leads to the tasks themselves (DNS round robin), and each host publishes the port by a frontend of its own.
One such host is enough: any task may run on it, and every host is to answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from overlaykit.words.facts import Facts, NodeFacts, ServiceFacts, SwarmFacts
from overlaykit.words.service import ServiceSpec, satisfies
from overlaykit.words.stack import Stack

#: A global service's tasks have no number, and the id that Swarm fills in for it makes a hostname that is too long.
HOSTNAME_ON_EACH = "{{.Service.Name}}-0.{{.Node.Hostname}}"
#: Each host's own bridge. An engine forwards a port that a host publishes itself to no network that is internal, and to
#: the overlay only where that leads out.
HOSTS_OWN = "bridge"


def hosts_without_ipvs(facts: Facts) -> list[str]:
    """Those whose kernel is seen to have none."""
    return [host.name for host in facts if host.has_ipvs is False]


def fit_for_kernels(facts: Facts, specs: Sequence[ServiceSpec]) -> tuple[ServiceSpec, ...]:
    """The services as these hosts' kernels can carry them: unchanged where all have IPVS."""
    return tuple(map(_without_mesh, specs)) if hosts_without_ipvs(facts) else tuple(specs)


def mesh_notes(facts: Facts, stack: Stack) -> Iterator[str]:
    """What a plan says of it."""
    if without := hosts_without_ipvs(facts):
        tier = stack.frontend
        where = f"each of {', '.join(tier.placement)}" if tier.placement else "each host"
        yield (
            f"the kernel of {', '.join(without)} has no IPVS, so no virtual IPs and no routing mesh: names lead to the "
            f"tasks themselves (DNS round robin), and {where} publishes port {tier.published_port} by a frontend of "
            f"its own; frontend.replicas ({tier.replicas}) does not count"
        )


def must_be_made_anew(present: ServiceSpec, wanted: ServiceSpec) -> bool:
    """Swarm does not turn a replicated service into a global one, and goes on telling of a virtual IP it once gave."""
    one_on_each = (present.replicas is None) != (wanted.replicas is None)
    return one_on_each or present.endpoint_mode != wanted.endpoint_mode


def publishes_itself(service: ServiceFacts | None) -> bool:
    """Does a host answer at the published port only where a task of the service runs?"""
    return service is not None and any(port.mode == "host" for port in service.spec.ports)


def takes(service: ServiceFacts, node: NodeFacts) -> bool:
    """May a task of the service run on the node? (As far as the kit's own rules go.)"""
    active = node.state == "ready" and node.availability == "active"
    return active and satisfies(node.id, node.labels, service.spec.constraints)


def doors(swarm: SwarmFacts, ready: Sequence[str]) -> list[str]:
    """Of the ready hosts, those that are to answer at the frontend's published port: all of them by the mesh."""
    frontend = swarm.service("frontend")
    if frontend is None or not publishes_itself(frontend):
        return list(ready)
    own = {node.host for node in swarm.nodes if takes(frontend, node)}
    return [host for host in ready if host in own]


def door_near(swarm: SwarmFacts, ready: Sequence[str], name: str) -> str:
    """Where a guest of that host gets in: right there, but where it has no door of its own."""
    there = doors(swarm, ready)
    return name if name in there else next(iter(there), name)


def _without_mesh(spec: ServiceSpec) -> ServiceSpec:
    if not spec.ports:
        return spec.but(endpoint_mode="dnsrr")
    itself = spec.but(
        endpoint_mode="dnsrr",
        networks=(*spec.networks, HOSTS_OWN),
        ports=tuple(replace(port, mode="host") for port in spec.ports),
    )
    if spec.replicas == 0:  # none is wanted, so none on each
        return itself
    return itself.but(replicas=None, hostname=HOSTNAME_ON_EACH)
