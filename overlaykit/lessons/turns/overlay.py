"""Lesson 03: a second overlay, encrypted, that has come to a worker because a container there needs it.

docker network create --driver overlay --attachable --opt encrypted vault     # on the manager
docker run -d --name keeper --network vault IMAGE sleep infinity              # on the second host
"""

from __future__ import annotations

from collections.abc import Iterator

from docker.errors import NotFound

from overlaykit.kit import Hosts
from overlaykit.lessons.verdict import Verdict
from overlaykit.remote.fleet import FleetHost
from overlaykit.words.errors import HostError
from overlaykit.words.facts import Facts
from overlaykit.words.stack import Stack

NETWORK = "vault"


def check(hosts: Hosts, stack: Stack) -> Verdict:
    """What the manager says of the network, and whether the worker has it with a container inside."""
    wanted = hosts.inventory.hosts[1].name
    goal = f"{NETWORK} is an encrypted overlay network, and a container on {wanted} is in it"
    there = hosts.fleet.each(_here, [wanted])[wanted]
    hint = str(there) if isinstance(there, HostError) else next(_missing(hosts.look(), wanted, *there), "")
    return Verdict(goal, passed=not hint, hint=hint)


def _here(host: FleetHost) -> tuple[str, int]:
    """The network's driver on this host and how many containers here are in it; no driver where it is not here."""
    try:
        network = host.docker.api.inspect_network(NETWORK)
    except NotFound:
        return "", 0
    inside = network.get("Containers") or {}
    return network["Driver"], sum(not end.startswith("lb-") for end in inside)  # the engine's own endpoint


def _missing(facts: Facts, wanted: str, driver: str, inside: int) -> Iterator[str]:
    swarm = facts.swarm
    if swarm is None:
        yield "no manager answers, so there can be no overlay network: run the set-up cell again"
        return
    network = swarm.network(NETWORK)
    if network is None and driver:
        yield f"{wanted}'s {NETWORK} is a {driver} network and ends there: remove it, make an overlay on {swarm.host}"
    if network is None:
        yield f"the swarm has no overlay network {NETWORK}: docker network create --driver overlay … on {swarm.host}"
        return
    anew = "A network cannot be changed: docker network rm, then create it anew"
    if not network.encrypted:
        yield f"{NETWORK} is not encrypted (--opt encrypted). {anew}"
    if not network.attachable:
        yield f"{NETWORK} takes tasks of services alone (--attachable lets docker run in). {anew}"
    if driver != "overlay":
        yield f"{NETWORK} has not come to {wanted}: no container there needs it yet"
    elif not inside:
        yield f"no container on {wanted} is in {NETWORK}: docker run -d --network {NETWORK} … there"
