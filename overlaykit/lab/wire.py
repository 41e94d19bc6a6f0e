"""The wire between the hosts of a lab: a switch in user space, and the way in from 127.0.0.1.

lay(lab)        # a switch, and at 10.77.0.2 a router that forwards each host's two ports; nothing leads out
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
from tenacity import RetryError, Retrying, retry_if_not_result, stop_after_delay, wait_fixed

from overlaykit.lab import processes
from overlaykit.lab.layout import MOST_HOSTS, Lab, Node
from overlaykit.lab.ports import is_free
from overlaykit.words.errors import LabError

SOCKET = "wire/ctl"  # of the switch, relative to the lab's folder
_SWITCH, _ROUTER = "switch", "router"
_SECONDS = 10


def lay(lab: Lab) -> None:
    """Start what of the wire does not run."""
    running = processes.parts(lab.folder)
    if _SWITCH not in running:
        _start_switch(lab)
        running -= {_ROUTER}  # it hung on the switch that is gone
    if _ROUTER not in running:
        _start_router(lab)


def _start_switch(lab: Lab) -> None:
    processes.end(lab.folder, _ROUTER)
    (lab.folder / SOCKET).unlink(missing_ok=True)
    command = ["kernel/bin/vde_switch", "-s", "wire", "-d", "-m", "600", "-n", str(MOST_HOSTS + 2)]
    log = lab.folder / "switch.log"
    processes.start(lab.folder, _SWITCH, command, log=log)
    _wait((lab.folder / SOCKET).exists, "the lab's switch does not start", log)


def _start_router(lab: Lab) -> None:
    require_ports(lab, lab.nodes)
    forwards = ",".join(
        f"127.0.0.1:{outer}:{node.address}:{inner}"
        for node in lab.nodes
        for outer, inner in ((node.ssh_port, 22), (node.web_port, 80))
    )
    # `restricted`: what is forwarded comes in, nothing goes out.
    router = f"slirp:///addr=10.77.0.2/v4/restricted/disable_host_loopback/tcpfwd={forwards}"
    log = lab.folder / "router.log"
    processes.start(lab.folder, _ROUTER, ["kernel/bin/vde_plug", router, "vde://wire"], log=log)
    ports = {port for node in lab.nodes for port in (node.ssh_port, node.web_port)}
    _wait(lambda: ports <= _listening(lab.folder), f"nobody listens on some port of {sorted(ports)}", log)


def require_ports(lab: Lab, nodes: Sequence[Node]) -> None:
    """Raise LabError where another program has taken a port that leads to one of the hosts."""
    for node in nodes:
        for port in (node.ssh_port, node.web_port):
            if not is_free(port):
                raise LabError(
                    f"port {port} on 127.0.0.1, the way to {node.name} of lab {lab.name}, is taken by another program: "
                    f"end that, or let `overlaykit lab down --name {lab.name}` and `lab up` choose other ports"
                )


def _listening(folder: Path) -> set[int]:
    """The ports on which the lab's own router listens: that somebody does is not enough."""
    connections = [
        connection for process in processes.find(folder, _ROUTER) for connection in process.net_connections("tcp4")
    ]
    return {connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN}


def _wait(condition: Callable[[], bool], failure: str, log: Path) -> None:
    waiting = Retrying(retry=retry_if_not_result(bool), stop=stop_after_delay(_SECONDS), wait=wait_fixed(0.02))
    try:
        waiting(condition)
    except RetryError:
        said = log.read_text(errors="replace").strip().splitlines()
        raise LabError(f"{failure} within {_SECONDS} s{': ' + said[-1] if said else ''} (see {log})") from None
