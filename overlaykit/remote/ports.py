"""The ports that a swarm opens on its hosts, until they are closed again.

    held_by(host, (7946, 80))           # "node2: TCP port 80 is still held", or None
    held_by_any(fleet, (80,))           # of the hosts that answer

A service's ports are closed some seconds after it was removed, the swarm's own when the host has left. Whoever listens
there counts: which process it is only root is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from docker.errors import NotFound

from overlaykit.remote.fleet import Fleet, FleetHost


def published_ports(host: FleetHost, service: str) -> tuple[int, ...]:
    """The TCP ports of a service, as a manager knows it; none where there is no such service."""
    try:
        endpoint = host.docker.api.inspect_service(service).get("Endpoint") or {}
    except NotFound:
        return ()
    ports = endpoint.get("Ports") or ()
    return tuple(port["PublishedPort"] for port in ports if port.get("PublishedPort") and port["Protocol"] == "tcp")


def held_by(host: FleetHost, ports: Sequence[int]) -> str | None:
    """None once nobody at all listens there."""
    table = host.run(["cat", "/proc/net/tcp", "/proc/net/tcp6"]).stdout
    held = [str(port) for port in ports if re.search(rf":{port:04X} \S+ 0A ", table)]  # 0A: listening
    return f"{host.name}: TCP port {', '.join(held)} is still held" if held else None


def held_by_any(fleet: Fleet, ports: Sequence[int]) -> str | None:
    """None once no host that answers listens there."""
    answers = fleet.each(lambda host: held_by(host, ports)).values()
    return next((answer for answer in answers if isinstance(answer, str)), None)
