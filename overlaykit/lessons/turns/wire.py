"""Lesson 06: an encrypted overlay for a wire that carries less than most, its envelope reckoned with.

docker network create --driver overlay --opt encrypted --opt com.docker.network.driver.mtu=1400 narrow
"""

from __future__ import annotations

from overlaykit.kit import Hosts
from overlaykit.lessons.verdict import Verdict
from overlaykit.phases.network import container_mtu
from overlaykit.words.facts import SwarmFacts
from overlaykit.words.stack import Stack

NETWORK = "narrow"
#: Bytes that the wire carries in one packet.
WIRE = 1400
GOAL = f"{NETWORK} is an encrypted overlay network for a wire that carries {WIRE} bytes"
_ANEW = "A network cannot be changed: docker network rm, then create it anew"


def check(hosts: Hosts, stack: Stack) -> Verdict:
    """As the manager has it."""
    hint = missing(hosts.look().swarm)
    return Verdict(GOAL, not hint, hint)


def missing(swarm: SwarmFacts | None) -> str:
    """What is not yet so; empty when all is."""
    if swarm is None:
        return "no manager answers, so there can be no overlay network: run the set-up cell again"
    network = swarm.network(NETWORK)
    if network is None:
        return f"the swarm has no overlay network {NETWORK}: docker network create --driver overlay … on {swarm.host}"
    if not network.encrypted:
        return f"{NETWORK} is not encrypted (--opt encrypted). {_ANEW}"
    return _size(network.mtu)


def _size(mtu: int) -> str:
    if mtu == WIRE:
        return ""
    if not mtu:
        return (
            f"{NETWORK} has no --opt com.docker.network.driver.mtu=…, so it reckons with a wire of 1500 bytes. {_ANEW}"
        )
    if mtu in (container_mtu(WIRE, encrypted=True), container_mtu(WIRE, encrypted=False)):
        return f"{mtu} is what is left inside; the option wants the wire's own size. {_ANEW}"
    return f"{NETWORK} reckons with a wire of {mtu} bytes, and this one carries {WIRE}. {_ANEW}"
