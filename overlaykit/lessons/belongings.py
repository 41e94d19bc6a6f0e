"""What lies on the hosts, and whose it is: to see what a clean-up took, and that it took nothing else.

    >>> before = belongings(hosts, stack)
    >>> hosts.down(stack, volumes=True).apply()
    >>> difference(before, belongings(hosts, stack))
    ()

Images are not counted: what a host once has of them it keeps, so that the next run need not bring them again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from overlaykit.kit import Hosts
from overlaykit.phases.ports import SERVICE_LABEL
from overlaykit.remote.engine import engine_errors
from overlaykit.remote.fleet import FleetHost
from overlaykit.words.errors import HostError
from overlaykit.words.facts import Facts, HostFacts
from overlaykit.words.stack import Stack
from overlaykit.words.steps import is_kits

#: Each process on a host that runs in a container: the container's id, and what the process is called. A practice host
#: may be a container itself, whose name is before that of each of its own.
IN_CONTAINERS = r"""
read -r own < /proc/1/cgroup
for p in /proc/[0-9]*; do
    { read -r group < $p/cgroup && read -r name < $p/comm; } 2>/dev/null || continue
    case ${group#"$own"} in *docker*) echo "${group#"$own"} $name";; esac
done
"""
_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, order=True)
class Thing:
    """One thing on a host. `kits`: the stack's own, to be taken away with it."""

    host: str
    kind: str
    name: str
    kits: bool = False

    def __repr__(self) -> str:
        return f"{self.host}: {self.kind} {self.name}"


def belongings(hosts: Hosts, stack: Stack, *, volumes: bool = True) -> tuple[Thing, ...]:
    """Containers, their processes, networks, volumes, and what the swarm holds. Raises HostError of a silent host.

    `volumes`: are the stack's volumes to be taken away with it, or do they stay as if they were somebody else's?
    """
    facts = hosts.look()
    silent = next((host for host in facts if host.error), None)
    if silent:
        raise HostError(silent.name, f"{silent.error}; what lies there cannot be seen")
    found = [thing for host in facts for thing in _on_host(host, facts, stack, volumes=volumes)]
    found += [thing for host in facts for thing in _processes(hosts[host.name], facts, stack)]
    return tuple(sorted([*found, *_in_swarm(facts, stack)]))


def difference(before: tuple[Thing, ...], after: tuple[Thing, ...]) -> tuple[str, ...]:
    """What is left of the kit, what is new, and what is gone that was somebody else's."""
    stays = {thing for thing in before if not thing.kits}
    left = (f"{'left' if thing in before else 'new'}: {thing!r}" for thing in after if thing not in stays)
    return (*left, *(f"gone: {thing!r}" for thing in sorted(stays) if thing not in after))


def table(things: tuple[Thing, ...]) -> tuple[tuple[str, str, int, int], ...]:
    """By host and kind: how many, and how many of them are the kit's."""
    kinds = dict.fromkeys((thing.host, thing.kind) for thing in things)
    rows = (((host, kind), [t for t in things if (t.host, t.kind) == (host, kind)]) for host, kind in kinds)
    return tuple((host, kind, len(these), sum(t.kits for t in these)) for (host, kind), these in rows)


def _on_host(host: HostFacts, facts: Facts, stack: Stack, *, volumes: bool) -> Iterator[Thing]:
    for name, labels in host.containers.items():
        yield Thing(host.name, "container", name, _is_ours(labels, facts, stack))
    for name, labels in host.volumes.items():
        yield Thing(host.name, "volume", name, volumes and _is_ours(labels, facts, stack))
    for name, driver in host.networks.items():
        if driver != "overlay":  # those are the swarm's
            yield Thing(host.name, "network", name)
    if host.swarm_state != "inactive":
        yield Thing(host.name, "membership", "in a swarm", _goes(facts, stack))


def _processes(host: FleetHost, facts: Facts, stack: Stack) -> Iterator[Thing]:
    with engine_errors(host.name):
        labels = {one["Id"]: one.get("Labels") or {} for one in host.docker.api.containers()}
    seen = host.run(IN_CONTAINERS, check=True).stdout
    for line in seen.splitlines():
        if found := _ID.search(line):
            ours = _is_ours(labels.get(found[0], {}), facts, stack)
            yield Thing(host.name, "process", line.split()[-1], ours)


def _in_swarm(facts: Facts, stack: Stack) -> Iterator[Thing]:
    swarm = facts.swarm
    if swarm is None:
        return
    labelled: list[tuple[str, str, Mapping[str, str]]] = [
        *(("service", service.spec.name, service.spec.labels) for service in swarm.services),
        *(("network", network.name, network.labels) for network in swarm.networks if not network.ingress),
        *(("secret", name, labels) for name, labels in swarm.secrets.items()),
        *(("config", name, labels) for name, labels in swarm.configs.items()),
    ]
    for kind, name, labels in labelled:
        yield Thing("the swarm", kind, name, is_kits(labels, stack.name) or _goes(facts, stack))


def _is_ours(labels: Mapping[str, str], facts: Facts, stack: Stack) -> bool:
    """By its own label, as a task of a service that carries it, or as a task in a swarm that goes."""
    swarm, task_of = facts.swarm, labels.get(SERVICE_LABEL)
    service = swarm.service(task_of) if swarm and task_of else None
    own = is_kits(labels, stack.name) or (service is not None and is_kits(service.spec.labels, stack.name))
    return own or (task_of is not None and _goes(facts, stack))


def _goes(facts: Facts, stack: Stack) -> bool:
    """Did the kit form this swarm? Then it goes, and with it whatever else is in it; on the lab one without managers
    goes, too."""
    return is_kits(facts.swarm.labels, stack.name) if facts.swarm else facts.lab is not None
