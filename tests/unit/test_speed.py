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
from overlaykit.words.speed import KINDS, MeasureSpeed
from overlaykit.words.stack import Stack

STACK = Stack()


def test_it_is_measured_between_two_hosts_of_the_swarm() -> None:
    facts = seen("tiers")
    asked = wanted_speed(facts, STACK)
    assert (asked.client, asked.server) == ("node3", "node2")
    assert asked.address == facts["node2"].node_addr
    assert set(asked.images) == {"node2", "node3"}
    assert asked.labels == STACK.labels


def test_a_host_that_takes_no_containers_is_left_out() -> None:
    facts = seen("tiers", {"hosts.node3": {"error": "it is off"}})
    assert {wanted_speed(facts, STACK).client, wanted_speed(facts, STACK).server} == {"node1", "node2"}
    drained = {f"swarm.nodes.{number}.Spec.Availability": "drain" for number in range(3)}
    with pytest.raises(PlanRefused, match="no two are ready"):
        wanted_speed(seen("tiers", drained), STACK)
    with pytest.raises(PlanRefused, match="the hosts form no swarm yet"):
        wanted_speed(seen("bare"), STACK)


def test_the_middle_of_the_rounds_is_taken() -> None:
    asked = wanted_speed(seen("tiers"), STACK)
    rounds = [
        {kind: {"bytes": size, "seconds": 1.0, "trips": [0.001, 0.002, trip]} for kind in KINDS}
        for size, trip in ((10_000_000, 0.003), (12_500_000, 0.9), (90_000_000, 0.004))
    ]
    speeds = read_speeds(asked, rounds)
    assert [one.kind for one in speeds.each] == list(KINDS)
    assert speeds["overlay"].megabits == 100.0
    assert speeds["overlay"].trip == 0.002
    assert repr(speeds) == "host network, overlay, encrypted overlay"
    assert "overlay: 100 Mbit/s, 2.00 ms there and back" in speeds.details()
    assert json.dumps(speeds.as_json())
    with pytest.raises(KeyError, match="nothing was measured on 'bridge'"):
        speeds["bridge"]


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
                "/networks/new": {"Id": "new", "Name": "overlaykit-speed"},
                "/networks": [],
                "/containers/new/json": {
                    "Id": "new",
                    "Config": {"Tty": True},
                    "NetworkSettings": {"Networks": {"overlaykit-speed": {"IPAddress": "10.0.3.5"}}},
                },
                "/logs": 40123,
                "/exec/new/json": {"ExitCode": exit_code},
            }

    def measured(self) -> Any:
        hosts = (self.server.host(), self.client.host(name="node2"))
        images = dict.fromkeys(("node1", "node2"), "sha256:kit")
        asked = MeasureSpeed("node1", "node1", "node2", "10.77.0.11", images, STACK.labels, rounds=2)
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


def test_everything_that_was_made_to_measure_goes_again(two: Two) -> None:
    two.tell()
    assert two.measured() == [dict.fromkeys(KINDS, SEEN)] * 2
    assert two.removed() == [3, 3]
    assert sum("/networks/create" in request for request in two.server.engine.requests) == 2
    for container in (*two.server.engine.created, *two.client.engine.created):
        settings: Any = container["HostConfig"]
        assert (settings["CapDrop"], settings["AutoRemove"], settings["ReadonlyRootfs"]) == (["ALL"], True, True)
        assert container["Labels"].items() >= STACK.labels.items()  # type: ignore[attr-defined]


def test_on_the_host_network_it_listens_at_one_address_alone(two: Two) -> None:
    two.tell()
    two.measured()
    listening = {str(one["HostConfig"]["NetworkMode"]): str(one["Cmd"]) for one in two.server.engine.created}  # type: ignore[index]
    assert [network for network, command in listening.items() if "10.77.0.11" in command] == ["host"]
    assert {str(one["Entrypoint"]) for one in two.client.engine.created} == {"['sleep']"}


def test_a_measurement_that_fails_leaves_nothing_either(two: Two) -> None:
    two.tell(exit_code=1)
    with pytest.raises(CommandFailed, match=r"node2: .* ended with status 1"):
        two.measured()
    assert two.removed() == [3, 3]


GAVE_UP = "attaching to network failed, make sure your network options are correct: context deadline exceeded"


def test_a_container_that_found_no_place_on_the_network_is_made_once_more(two: Two) -> None:
    two.tell()
    two.client.engine.refuses = {"/start": [GAVE_UP]}
    assert two.measured() == [dict.fromkeys(KINDS, SEEN)] * 2
    assert len(two.client.engine.created) == 4


@pytest.mark.parametrize(("said", "made"), [([GAVE_UP] * 2, 2), (["no space left on device"], 1)])
def test_what_is_refused_for_good_is_said_and_leaves_nothing(two: Two, said: list[str], made: int) -> None:
    two.tell()
    two.client.engine.refuses = {"/start": list(said)}
    with pytest.raises(EngineRefused, match=f"node2: .*{said[0][:20]}"):
        two.measured()
    assert two.removed() == [1, made]
