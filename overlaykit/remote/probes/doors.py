"""Knock from a host's own network where nobody must open, and ask the kernel what it has encrypted.

knock(fleet["node1"], KnockAtDoors("node1", doors=(Door("database", "10.77.0.11", 27017),)))
count_packets(fleet["node1"])
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from overlaykit.remote.engine import engine_errors
from overlaykit.remote.fleet import FleetHost
from overlaykit.words.probes import Door, KnockAtDoors

#: Seconds until a door counts as closed: what drops packets says nothing.
_WAIT_AT_DOOR = 1.5

#: Docker's bridge that gives tasks of an overlay their way out; it exists on the host alone.
_BRIDGE = "docker_gwbridge"

#: Addresses, SPIs and counters alone: the lines that hold keys never leave the host.
COUNT = r"""
PATH=$PATH:/usr/sbin:/sbin
states=$(ip -s xfrm state) || exit 1
ip -o -4 addr show | sed -nE 's/^[0-9]+: +[^ ]+ +inet ([0-9.]+)\/.*/address \1/p'
printf '%s\n' "$states" | sed -nE \
  -e '/^src [0-9.]+ dst [0-9.]+/p' \
  -e 's/^[[:space:]]+proto esp spi (0x[0-9a-f]+).*/spi \1/p' \
  -e 's/^[[:space:]]+[0-9]+\(bytes\), ([0-9]+)\(packets\)$/packets \1/p'
"""


def knock(host: FleetHost, probe: KnockAtDoors) -> dict[str, Any]:
    """Which doors opened. The connections are made by the host's own sshd, so in the host's own network."""
    bridge = _bridge_doors(host, probe)

    def opens(door: Door) -> bool:
        stream = host.connection.open_port(door.address, door.port, _WAIT_AT_DOOR)
        if stream is not None:
            stream.close()
        return stream is not None

    doors = [*probe.doors, *bridge]
    first = [opens(door) for door in doors[:1]]  # alone: where sshd forbids this altogether, it is said here
    with ThreadPoolExecutor(16, "knock") as pool:
        answers = [*first, *pool.map(opens, doors[1:])]
    opened = [door for door, is_open in zip(doors, answers, strict=True) if is_open]
    return {
        "opened": [asdict(door) for door in opened if door not in bridge],
        "bridge": [asdict(door) for door in opened if door in bridge],
        "tried": len(doors),
    }


def _bridge_doors(host: FleetHost, probe: KnockAtDoors) -> list[Door]:
    """Where this host's own tasks stand on its bridge; no manager knows these addresses."""
    if not probe.containers:
        return []
    with engine_errors(host.name):
        networks = host.docker.api.networks(names=[_BRIDGE])
        ends = host.docker.api.inspect_network(_BRIDGE)["Containers"] if networks else {}
    return [
        Door(service, end["IPv4Address"].partition("/")[0], probe.ports[service])
        for container, service in probe.containers.items()
        if (end := ends.get(container))
    ]


def count_packets(host: FleetHost) -> dict[str, Any]:
    """The host's addresses, and for each security association its two ends, its SPI and its packets."""
    lines = host.run(COUNT, check=True).stdout.splitlines()
    addresses = [line.split()[1] for line in lines if line.startswith("address ")]
    states: list[dict[str, Any]] = []
    for line in lines:
        words = line.split()
        if words[0] == "src":
            states.append({"src": words[1], "dst": words[3], "spi": 0, "packets": 0})
        elif words[0] == "spi" and states:
            states[-1]["spi"] = int(words[1], 16)
        elif words[0] == "packets" and states:
            states[-1]["packets"] += int(words[1])
    return {"addresses": addresses, "states": states}
