"""The hands that ask: what is read of a host's answers, and what becomes of those that do not answer."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest

from overlaykit.remote.connection import CommandResult
from overlaykit.remote.fake import FakeConnection
from overlaykit.remote.fleet import Fleet
from overlaykit.remote.probes import doors
from overlaykit.remote.probes.ask import run_probes
from overlaykit.remote.ssh.channels import EngineSocket
from overlaykit.words.errors import ConnectionTimedOut
from overlaykit.words.host import Host, Inventory
from overlaykit.words.probes import Answer, CountPackets, Door, KnockAtDoors, Probe

KEY = "0x6b8f1c1a2d3e4f5061728394a5b6c7d8e9f00112"
STATES = f"""\
src 10.77.0.11 dst 10.77.0.12
\tproto esp spi 0x5c3b1d7e(1547378046) reqid 13681891(0x00d0c4e3) mode transport
\treplay-window 0
\taead rfc4106(gcm(aes)) {KEY} 64
\tlifetime config:
\t  limit: soft (INF)(bytes), hard (INF)(bytes)
\t  limit: soft (INF)(packets), hard (INF)(packets)
\tlifetime current:
\t  5012(bytes), 55(packets)
\t  add 2026-11-24 11:02:31 use 2026-11-24 11:02:33
\tstats:
\t  replay-window 0 replay 0 failed 0
src 10.77.0.12 dst 10.77.0.11
\taead rfc4106(gcm(aes)) {KEY} 64
\tlifetime current:
\t  0(bytes), 0(packets)
"""
ADDRESSES = """\
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
2: eth0    inet 10.77.0.11/24 scope global eth0\\       valid_lft forever preferred_lft forever
"""
SEEN = "address 127.0.0.1\naddress 10.77.0.11\nsrc 10.77.0.11 dst 10.77.0.12\nspi 0x5c3b1d7e\npackets 55\n"


def fleet_of(*connections: FakeConnection) -> Fleet:
    """A fleet on stand-ins."""
    made = {connection.host.name: connection for connection in connections}
    hosts = tuple(connection.host for connection in connections)
    return Fleet.open(Inventory(hosts, "a test"), connect=lambda host: made[host.name])


def host(name: str) -> Host:
    return Host(name, "192.0.2.1", role="manager", user="root")


def ask(fleet: Fleet, probes: Sequence[Probe]) -> tuple[Answer, ...]:
    """The answers, and a proof that whoever watches was told of each."""
    told: list[Answer] = []
    answers = run_probes(fleet, probes, told.append)
    assert sorted(a.probe.key for a in told) == sorted(p.key for p in probes)
    return answers


def test_keys_never_leave_the_host(tmp_path: Path) -> None:
    """The host's own shell runs this, so it is run here, with an `ip` that answers as the real one does."""
    ip = tmp_path / "ip"
    ip.write_text(f"#!/bin/sh\ncase $1 in -s) cat {tmp_path}/states ;; *) cat {tmp_path}/addresses ;; esac\n")
    ip.chmod(0o755)
    (tmp_path / "states").write_text(STATES)
    (tmp_path / "addresses").write_text(ADDRESSES)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", doors.COUNT], env=environment, capture_output=True, text=True, check=True, timeout=20
    )
    assert KEY[2:] not in done.stdout
    assert done.stdout == SEEN + "src 10.77.0.12 dst 10.77.0.11\npackets 0\n"


def test_packets_are_counted_by_the_two_ends() -> None:
    fleet = fleet_of(FakeConnection(host("node1"), {doors.COUNT: SEEN}))
    (answer,) = ask(fleet, [CountPackets("node1")])
    assert answer.seen == {
        "addresses": ["127.0.0.1", "10.77.0.11"],
        "states": [{"src": "10.77.0.11", "dst": "10.77.0.12", "spi": 0x5C3B1D7E, "packets": 55}],
    }


def test_who_may_not_look_says_so_and_hides_nobody() -> None:
    forbidden = CommandResult("", "RTNETLINK answers: Operation not permitted", 1)
    fleet = fleet_of(
        FakeConnection(host("node1"), {doors.COUNT: forbidden}), FakeConnection(host("node2"), {doors.COUNT: SEEN})
    )
    first, second = ask(fleet, [CountPackets("node1"), CountPackets("node2")])
    assert "ended with status 1" in first.error
    assert second.seen["states"]


def test_a_host_that_is_off_is_an_answer_too() -> None:
    off = FakeConnection(host("node1"), down=ConnectionTimedOut("node1", "no answer"))
    (answer,) = ask(fleet_of(off), [CountPackets("node1")])
    assert answer.error == "node1: no answer"


@pytest.mark.parametrize("kind", [KnockAtDoors, CountPackets])
def test_answers_come_in_the_order_of_the_questions(kind: type[Probe]) -> None:
    fleet = fleet_of(*(FakeConnection(host(name), {doors.COUNT: SEEN}) for name in ("node1", "node2", "node3")))
    probes = [kind(name) for name in ("node3", "node1", "node2")]
    assert [answer.probe for answer in ask(fleet, probes)] == probes


class OneOpenDoor(FakeConnection):
    """A host on which one port is open."""

    def open_port(self, address: str, port: int, timeout: float) -> EngineSocket | None:
        return EngineSocket(Mock()) if (address, port) == ("10.77.0.11", 27017) else None


def test_a_door_that_opens_is_told_of() -> None:
    doors_of_a_host = tuple(Door("database", address, 27017) for address in ("127.0.0.1", "10.77.0.11", "10.20.0.9"))
    (answer,) = ask(fleet_of(OneOpenDoor(host("node1"))), [KnockAtDoors("node1", doors_of_a_host)])
    assert answer.seen == {
        "opened": [{"service": "database", "address": "10.77.0.11", "port": 27017}],
        "bridge": [],
        "tried": 3,
    }
