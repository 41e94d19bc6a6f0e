"""Lesson 01: two containers on the second host, of which the others reach one by its port, and none the other.

docker network create pair
docker run -d --name front --network pair -p 9090:80 IMAGE
docker run -d --name back --network pair IMAGE
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from overlaykit.kit import Hosts
from overlaykit.lessons.verdict import Verdict
from overlaykit.remote.fleet import FleetHost
from overlaykit.words.errors import HostError
from overlaykit.words.stack import Stack

NETWORK, FRONT, BACK = "pair", "front", "back"
PORT = 9090
_LOCAL = ("127.0.0.1", "::1")

Json = dict[str, Any]


def check(hosts: Hosts, stack: Stack) -> Verdict:
    """Both are in one network of their own, one door is open, and it answers when another host knocks."""
    asking, wanted = hosts.inventory.hosts[:2]
    goal = (
        f"on {wanted.name}, {FRONT} and {BACK} share the network {NETWORK}; "
        f"other hosts reach {FRONT} at port {PORT}, and {BACK} not at all"
    )
    seen = hosts.fleet.each(_containers, [wanted.name])[wanted.name]
    hint = str(seen) if isinstance(seen, HostError) else next(_missing(wanted.name, seen), "")
    hint = hint or _silence(hosts[asking.name], wanted.name, wanted.advertise_addr or wanted.address)
    return Verdict(goal, passed=not hint, hint=hint)


def _containers(host: FleetHost) -> Mapping[str, Json]:
    """The running containers by name, as `docker ps` sees them."""
    return {one["Names"][0].removeprefix("/"): one for one in host.docker.api.containers()}


def _missing(host: str, seen: Mapping[str, Json]) -> Iterator[str]:
    for name in (FRONT, BACK):
        if name not in seen:
            yield f"{host} has no running container {name}"
        elif NETWORK not in seen[name]["NetworkSettings"]["Networks"]:
            yield f"{name} is not in a network {NETWORK}, where the two find each other by name"
    if _doors(seen[BACK]):
        yield f"{BACK} publishes a port, so every host on the wire may knock: leave out its -p"
    doors = [door for door in _doors(seen[FRONT]) if door["PublicPort"] == PORT]
    if not doors:
        yield f"{FRONT} does not publish port {PORT}: -p {PORT}:80"
    elif all(door["IP"] in _LOCAL for door in doors):
        yield f"{FRONT} publishes port {PORT} on {host}'s own 127.0.0.1, where no other host can knock: -p {PORT}:80"


def _doors(container: Json) -> list[Json]:
    return [port for port in container.get("Ports") or [] if "PublicPort" in port]


def _silence(asking: FleetHost, name: str, address: str) -> str:
    """Nothing when the port answers, else what to look at."""
    url = f"http://{address}:{PORT}/"
    asked = asking.run(f"curl -s -o /dev/null --max-time 5 {url}")
    if asked.status == 0:
        return ""
    return (
        f"{asking.name} knocked at port {PORT} of {name} and heard nothing: does the program in {FRONT} listen on "
        "the port behind the colon?"
    )
