"""Pulling the plug of a practice host, and putting it back.

power_off(hosts, "node3")
power_on(hosts, "node3")        # returns once it answers
"""

from __future__ import annotations

from overlaykit.kit import Hosts
from overlaykit.lab import lab as practice
from overlaykit.words.errors import PlanRefused


def power_off(hosts: Hosts, name: str) -> None:
    """End a practice host at once. Raises PlanRefused for hosts that the lab did not make."""
    lab = _lab_of(hosts, name, "is not switched off")
    practice.power(lab, name, on=False)
    hosts[name].close()  # nobody there says farewell to the connection


def power_on(hosts: Hosts, name: str) -> None:
    """Start it again on the disk that it has, and wait until it answers."""
    lab = _lab_of(hosts, name, "is not switched on")
    practice.power(lab, name, on=True)


def _lab_of(hosts: Hosts, name: str, what: str) -> str:
    node = hosts.inventory[name]
    if hosts.inventory.lab is None:
        raise PlanRefused(
            f"{name} {what}: it is no practice host, and its power is not the lesson's. "
            f"Drain it instead, which moves its tasks too: docker node update --availability drain {node.name}"
        )
    return hosts.inventory.lab
