"""Ports that must be free: refused before the first change, with the host and the process that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from overlaykit.words.allowed import GOSSIP_PORT, MANAGER_PORT
from overlaykit.words.errors import PlanRefused
from overlaykit.words.facts import Facts, HostFacts
from overlaykit.words.host import lab_power
from overlaykit.words.stack import Stack
from overlaykit.words.steps import is_kits

#: What an engine writes on a task's container: the name of its service.
SERVICE_LABEL = "com.docker.swarm.service.name"
#: Who holds a task's port that its host publishes itself; empty where the login may not see it.
_ENGINES = ("dockerd", "docker-proxy", "")


def refuse_held_ports(hosts: Iterable[HostFacts], lab: str | None) -> None:
    """A swarm needs 2377 and 7946 for itself; an engine that kept 7946 open after leaving poisons the next swarm."""
    reasons = [
        f"{host.name}: TCP port {one.port} is held by {one.process or 'another process'}: "
        f"{_cure(host, one.process, lab)}"
        for host in hosts
        for one in host.listeners or ()
        if one.port in (MANAGER_PORT, GOSSIP_PORT)
    ]
    if reasons:
        raise PlanRefused([*reasons, "Nothing was changed."])


def refuse_taken_port(facts: Facts, stack: Stack) -> None:
    """A published port is opened on every host, so nobody may be there: asked before anything is made."""
    reasons = list(_taken(facts, stack.frontend.published_port, stack))
    if reasons:
        raise PlanRefused([*reasons, "Nothing was changed."])


def unseen_ports(facts: Facts) -> Iterator[str]:
    """What a plan says where nobody could look which ports are held."""
    hosts = ", ".join(host.name for host in facts.reachable if host.listeners is None)
    if hosts:
        yield f"which ports are held on {hosts} could not be seen: whoever holds one that is needed makes a step fail"


def _taken(facts: Facts, port: int, stack: Stack) -> Iterator[str]:
    services = facts.swarm.services if facts.swarm else ()
    owners = [service.spec for service in services if port in [one.published for one in service.spec.ports]]
    if any(is_kits(owner.labels, stack.name) for owner in owners):
        return
    if owners:
        yield from (f"frontend.published_port {port} is published by the service {owner.name!r}" for owner in owners)
        return
    for host in facts:
        for one in host.listeners or ():
            if one.port == port and not (one.process in _ENGINES and _gives_back(host, facts)):
                who = one.process or "a process of another user"
                yield (
                    f"{host.name}: frontend.published_port {port} is taken by {who}: stop it, or choose another port "
                    "(frontend.published_port)"
                )


def _gives_back(host: HostFacts, facts: Facts) -> bool:
    """Does a task end there whose service was removed? Published by the host itself, its port is held until it has."""
    services = [labels.get(SERVICE_LABEL) for labels in host.containers.values()]
    return facts.swarm is not None and any(name and facts.swarm.service(name) is None for name in services)


def _cure(host: HostFacts, process: str, lab: str | None) -> str:
    if not process:
        return "this login may not see whose it is (`sudo ss -ltnp` there tells); the swarm needs it"
    if process == "dockerd":
        restart = f"{lab_power(lab, host.name, 'off')}, then on" if lab else "restart Docker there"
        return f"an engine that has left a swarm and kept it; names would not resolve in the next one: {restart}"
    return "the swarm needs it; stop that process"
