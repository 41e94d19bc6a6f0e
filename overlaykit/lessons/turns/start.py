"""Lesson 00: a container of the learner's own runs on the second host.

docker run -d --name hello IMAGE sleep infinity
"""

from __future__ import annotations

from collections.abc import Mapping

from overlaykit.kit import Hosts
from overlaykit.lessons.verdict import Verdict
from overlaykit.remote.fleet import FleetHost
from overlaykit.words.errors import HostError
from overlaykit.words.stack import Stack

NAME = "hello"


def check(hosts: Hosts, stack: Stack) -> Verdict:
    """Is there a running container of that name, on that host?"""
    wanted = hosts.inventory.hosts[1].name
    hint = _missing(wanted, hosts.fleet.each(_state))
    return Verdict(f"a container named {NAME} runs on {wanted}", passed=not hint, hint=hint)


def _state(host: FleetHost) -> str:
    """As `docker ps -a` shows it: running, exited, created; empty where there is no such container."""
    listed = host.docker.api.containers(all=True)
    return next((str(one["State"]) for one in listed if f"/{NAME}" in one["Names"]), "")


def _missing(wanted: str, seen: Mapping[str, str | HostError]) -> str:
    state = seen[wanted]
    if isinstance(state, HostError):
        return str(state)
    if state == "running":
        return ""
    if state:
        return f"{NAME} is on {wanted}, but it has ended: give it a command that goes on, such as sleep infinity"
    elsewhere = [name for name, state in seen.items() if state and not isinstance(state, HostError)]
    if elsewhere:
        return f"{NAME} is on {', '.join(elsewhere)}: each host has an engine of its own, so ask {wanted}'s"
    return f"{wanted} has no container {NAME}: begin a cell with %%on {wanted}, then docker run -d --name {NAME} …"
