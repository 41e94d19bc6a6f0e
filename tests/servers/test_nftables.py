"""The page's rules for nftables, in a network of their own on this machine's kernel: the servers' kernels lack them.

A guard with the rules, and beside it callers: another server, and somebody else. Who gets through where?
"""

from __future__ import annotations

from pathlib import Path

import pytest
from desk import Desk
from page import steps

GUARD, SERVER, STRANGER = "192.0.2.12", "192.0.2.11", "192.0.2.99"
OPEN = {SERVER: ("tcp 22", "tcp 2377", "tcp 7946", "udp 4789", "udp 7946"), STRANGER: ("tcp 22",)}

#: Two networks and a cable; in one the rules and whoever listens, in the other the callers.
_SCRIPT = f"""
unshare --net sleep 60 & there=$!
trap 'kill $there' EXIT
while [ "$(readlink /proc/$there/ns/net)" = "$(readlink /proc/$$/ns/net)" ]; do :; done
ip link add cable type veth peer name cable netns $there
ip addr add {GUARD}/24 dev cable; ip link set cable up
in_there() {{ nsenter --target $there --net "$@"; }}
in_there ip addr add {SERVER}/24 dev cable; in_there ip addr add {STRANGER}/24 dev cable; in_there ip link set cable up
nft -f "$1"
python3 "$2" listen & listener=$!
trap 'kill $there $listener' EXIT
in_there python3 "$2" call {SERVER} {STRANGER}
"""
_PROGRAM = f"""
import select, socket, sys, time

PORTS = [(kind, port) for kind in ("tcp", "udp") for port in (22, 2377, 7946, 4789, 9999)]
KINDS = {{"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}}


def listen():
    listeners = []
    for kind, port in PORTS:
        one = socket.socket(socket.AF_INET, KINDS[kind])
        one.bind(("{GUARD}", port))
        if kind == "tcp":
            one.listen()
        listeners.append(one)
    while True:
        for one in select.select(listeners, [], [])[0]:
            if one.type == socket.SOCK_STREAM:
                one.accept()[0].close()
            else:
                data, caller = one.recvfrom(64)
                one.sendto(data, caller)


def through(source, kind, port):
    with socket.socket(socket.AF_INET, KINDS[kind]) as caller:
        caller.settimeout(0.5)
        caller.bind((source, 0))
        try:
            caller.connect(("{GUARD}", port))
            if kind == "udp":
                caller.send(b"anybody?")
                caller.recv(64)
        except OSError:
            return False
    return True


def call(sources):
    while not through(sources[0], "tcp", 22):
        time.sleep(0.1)  # until the listener is there; the test's own limit ends it
    for source in sources:
        for kind, port in PORTS:
            if through(source, kind, port):
                print(source, kind, port)


listen() if sys.argv[1] == "listen" else call(sys.argv[2:])
"""


@pytest.mark.timeout(120)
def test_the_servers_get_through_and_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "rules").write_text(steps()["nft"].split("<<'END'\n")[1].rpartition("END")[0])
    (tmp_path / "program").write_text(_PROGRAM)
    with Desk(tmp_path / "desk", ()) as desk:
        tried = desk.run("nft", "add table ip try; delete table ip try")
        if tried.returncode:
            pytest.skip(f"this machine's kernel has no nftables for IPv4: {tried.stderr.strip().splitlines()[0]}")
        done = desk.run("sh", "-ec", _SCRIPT, "sh", str(tmp_path / "rules"), str(tmp_path / "program"))
    assert done.returncode == 0, done.stderr
    seen: dict[str, tuple[str, ...]] = {}
    for line in sorted(done.stdout.splitlines()):
        source, what = line.split(" ", 1)
        seen[source] = (*seen.get(source, ()), what)
    assert seen == OPEN
