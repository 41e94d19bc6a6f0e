"""Ports on 127.0.0.1 for a lab: speaking ones where they are free, any where they are not.

>>> choose_ports(3, taken=set())        # SSH and web of node1, of node2, of node3
[2201, 8081, 2202, 8082, 2203, 8083]
"""

from __future__ import annotations

import random
import socket

# Below 32768, where Linux takes the ports of outgoing connections from.
_ANY = range(20000, 32768)


def choose_ports(hosts: int, taken: set[int]) -> list[int]:
    """Two ports per host, none of them in `taken` or listened on by anybody."""
    chosen: list[int] = []
    for number in range(1, hosts + 1):
        for wanted in (2200 + number, 8080 + number):
            chosen.append(_free(wanted, taken | set(chosen)))
    return chosen


def is_free(port: int) -> bool:
    """Whether we could listen on the port."""
    with socket.socket() as probe:
        # As a server would: what a closed connection leaves behind for a minute does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free(wanted: int, taken: set[int]) -> int:
    port = wanted
    while port in taken or not is_free(port):
        port = random.choice(_ANY)
    return port
