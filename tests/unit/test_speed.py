"""How fast two hosts are: who is asked, the program on the loopback, what engines are asked for, what figures mean."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sshd import SshServer
from test_lesson_starts import seen

from overlaykit.phases.speed import read_speeds, wanted_speed
from overlaykit.remote.fleet import Fleet
from overlaykit.remote.probes.programs import source
from overlaykit.remote.probes.speed import measure_speed
from overlaykit.words.errors import CommandFailed, EngineRefused, PlanRefused
from overlaykit.words.host import Inventory
from overlaykit.words.speed import Kind, MeasureSpeed, Speed, Speeds, Way
from overlaykit.words.stack import Stack

STACK = Stack()


def test_it_is_measured_between_the_hosts_of_two_tiers() -> None:
    facts = seen("tiers")
    asked = wanted_speed(facts, STACK)
    tasks = {tier: facts.swarm.running(tier)[0] for tier in ("backend", "database")} if facts.swarm else {}
    assert (asked.client, asked.server) == (tasks["backend"].host, tasks["database"].host)
    assert set(asked.images) == {asked.client, asked.server}
    assert asked.ways["host network"] == Way("host", "host", facts[asked.server].node_addr)
    inside = dict(tasks["database"].addresses)["guestbook"]
    server, client = (f"container:{tasks[tier].container}" for tier in ("database", "backend"))
    assert asked.ways["overlay"] == Way(server, client, inside)
    assert asked.labels == STACK.labels


def test_what_is_not_on_two_hosts_is_not_measured() -> None:
    database = wanted_speed(seen("tiers"), STACK).server
    with pytest.raises(PlanRefused, match="run on two that answer"):
        wanted_speed(seen("tiers", {f"hosts.{database}": {"error": "it is off"}}), STACK)
    with pytest.raises(PlanRefused, match="the hosts form no swarm yet"):
        wanted_speed(seen("bare"), STACK)


def test_the_middle_of_the_rounds_is_taken() -> None:
    asked = wanted_speed(seen("tiers"), STACK)
    rounds = [
        {kind: {"bytes": size, "seconds": 1.0, "trips": [0.001, 0.002, trip]} for kind in asked.ways}
        for size, trip in ((10_000_000, 0.003), (12_500_000, 0.9), (90_000_000, 0.004))
    ]
    speeds = read_speeds(asked, rounds)
    assert speeds["overlay"].megabits == 100.0
    assert speeds["overlay"].trip == 0.002
    assert repr(speeds) == "host network, overlay"
    assert "to node3: 100 Mbit/s, 2.00 ms there and back" in speeds.details()
    assert json.dumps(speeds.as_json())
    with pytest.raises(KeyError, match="nothing was measured on 'bridge'"):
        speeds["bridge"]


def test_what_was_measured_twice_stands_side_by_side() -> None:
    once = Speeds((Speed("host network", "a", "b", 300, 0.1), Speed("overlay", "a", "b", 200, 0.1)))
    later = Speeds((Speed("host network", "a", "b", 310, 0.1), Speed("encrypted overlay", "a", "b", 60, 0.1)))
    assert repr(once | later) == "host network, overlay, encrypted overlay"
    assert (once | later)["host network"].megabits == 310


@pytest.mark.timeout(60)
def test_the_program_measures_what_listens_for_it() -> None:
    command = [sys.executable, "-ISc", source("speed")]
    listens = [*command, '{"address": "127.0.0.1"}']
    with subprocess.Popen(listens, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        asked = {"address": "127.0.0.1", "port": int(server.stdout.readline()), "seconds": 0.1, "trips": 5}
        done = subprocess.run([*command, json.dumps(asked)], capture_output=True, text=True, check=True, timeout=30)
        server.terminate()
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["bytes"] > 0 and told["seconds"] >= 0.1
    assert len(told["trips"]) == 5 and min(told["trips"]) > 0


SEEN = {"bytes": 1000, "seconds": 0.5, "trips": [0.001]}


def piece(data: object) -> bytes:
    """As Docker sends what a program in a container prints."""
    text = json.dumps(data).encode()
    return struct.pack(">BxxxL", 1, len(text)) + text


@dataclass
class Two:
    """Two hosts, each with an engine of its own."""

    server: SshServer
    client: SshServer

    def tell(self, exit_code: int = 0) -> None:
        """What the engines answer."""
        for one in (self.server, self.client):
            one.engine.attached = (b"", piece(SEEN))
            one.engine.answers = {
                "/containers/new/json": {"Id": "new", "Config": {"Tty": True}},
                "/logs": 40123,
                "/exec/new/json": {"ExitCode": exit_code},
            }

    def measured(self) -> Any:
        hosts = (self.server.host(), self.client.host(name="node2"))
        images = dict.fromkeys(("node1", "node2"), "sha256:kit")
        ways: dict[Kind, Way] = {
            "host network": Way("host", "host", "10.77.0.11"),
            "overlay": Way("container:database", "container:backend", "10.20.0.5"),
        }
        asked = MeasureSpeed("node1", "node2", ways, images, STACK.labels, rounds=2)
        with Fleet.open(Inventory(hosts, "a test")) as fleet:
            return measure_speed(fleet, asked)

    def removed(self) -> list[int]:
        """How many containers, on each."""
        return [sum(r.startswith("DELETE") for r in one.engine.requests) for one in (self.server, self.client)]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    folders = [tmp_path / name for name in ("server", "client")]
    for folder in folders:
        folder.mkdir()
    with SshServer(folders[0]) as server, SshServer(folders[1]) as client:
        yield Two(server, client)


EACH = {"host network": SEEN, "overlay": SEEN}


def test_everything_that_was_made_to_measure_goes_again(two: Two) -> None:
    two.tell()
    assert two.measured() == [EACH] * 2
    assert two.removed() == [2, 2]
    for container in (*two.server.engine.created, *two.client.engine.created):
        settings: Any = container["HostConfig"]
        assert (settings["CapDrop"], settings["AutoRemove"], settings["ReadonlyRootfs"]) == (["ALL"], True, True)
        assert container["Labels"].items() >= STACK.labels.items()


def test_it_listens_at_one_address_alone_and_in_a_tasks_own_network(two: Two) -> None:
    two.tell()
    two.measured()
    listening = {str(one["HostConfig"]["NetworkMode"]): str(one["Cmd"]) for one in two.server.engine.created}
    assert listening.keys() == {"host", "container:database"}
    assert "10.77.0.11" in listening["host"]
    assert "10.20.0.5" in listening["container:database"]
    assert {str(one["HostConfig"]["NetworkMode"]) for one in two.client.engine.created} == {"host", "container:backend"}
    assert {str(one["Entrypoint"]) for one in two.client.engine.created} == {"['sleep']"}


def test_a_measurement_that_fails_leaves_nothing_either(two: Two) -> None:
    two.tell(exit_code=1)
    with pytest.raises(CommandFailed, match=r"node2: .* ended with status 1"):
        two.measured()
    assert two.removed() == [2, 2]


def test_a_container_that_cannot_start_is_said_and_leaves_nothing(two: Two) -> None:
    two.tell()
    two.client.engine.refuses = {"/start": ["no space left on device"]}
    with pytest.raises(EngineRefused, match=r"node2: .*no space left"):
        two.measured()
    assert two.removed() == [2, 2]
