"""Inside the hosts: where one listens, what was heard there, and what the capture keeps then."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from test_lesson_starts import seen
from test_lesson_words import hosts_of_others
from test_wire_tap import may_capture

from overlaykit.lessons.overheard import overhear
from overlaykit.lessons.speeds import measure
from overlaykit.phases.overheard import heard, wanted_ears
from overlaykit.reading.packets import read_packets
from overlaykit.remote.probes.programs import source
from overlaykit.words.errors import PlanRefused
from overlaykit.words.overheard import Overheard, Place
from overlaykit.words.service import Port
from overlaykit.words.stack import Stack
from overlaykit.words.wire import Capture, Packet

STACK = Stack()
WORD = "open-sesame"


def test_one_listens_at_the_door_and_beside_each_tier_that_the_word_passes() -> None:
    asked = wanted_ears(seen("tiers"), STACK, WORD)
    assert [(place.name, place.host, place.port) for place in asked.places] == [
        ("at port 80, as the browser sent it", "node1", 80),
        ("beside the frontend, in its host", "node2", 80),
        ("beside the backend, in its host", "node1", 8000),
    ]
    assert [place.network.partition(":")[0] for place in asked.places] == ["host", "container", "container"]


def test_where_each_host_has_its_own_frontend_one_listens_beside_the_doors() -> None:
    """As on kernels without IPVS; the first manager has none where the stack places them elsewhere."""
    facts = seen("tiers")
    assert facts.swarm is not None
    frontend, task = facts.swarm.service("frontend"), facts.swarm.running("frontend")[0]
    assert frontend is not None
    everywhere = [replace(task, host=host.name, container=host.name) for host in reversed(facts.hosts)]
    others = [one for one in facts.swarm.tasks if one is not task]
    for rules, door in (((), "node1"), (("node.labels.overlaykit.host!=node1",), "node2")):
        spec = frontend.spec.but(replicas=None, ports=(Port(80, 80, "host"),), constraints=rules)
        services = [replace(one, spec=spec) if one is frontend else one for one in facts.swarm.services]
        swarm = replace(facts.swarm, services=tuple(services), tasks=(*everywhere, *others))
        asked = wanted_ears(replace(facts, swarm=swarm), STACK, WORD)
        assert asked.places[0].host == door
        assert (asked.places[1].host, asked.places[1].network) == (door, f"container:{door}")


def test_where_no_stack_runs_nothing_is_sent() -> None:
    with pytest.raises(PlanRefused, match="no word can go through the stack"):
        wanted_ears(seen("network"), STACK, WORD)


def told(capture: Capture, *, readable: bool, error: str = "") -> Overheard:
    asked = wanted_ears(seen("tiers"), STACK, WORD)
    packet = Packet("node1", 0.0, 100, "", "", (), readable=readable)
    return heard(asked, dict.fromkeys(asked.places, capture), {place: [packet] for place in asked.places}, error)


def test_what_was_heard() -> None:
    found = told(Capture("node1"), readable=True)
    assert found.readable
    assert repr(found).splitlines() == [
        "at port 80, as the browser sent it: readable",
        "beside the frontend, in its host: readable",
        "beside the backend, in its host: readable",
    ]
    assert "(on node2)" in found.details()
    assert json.dumps(found.as_json())


def test_silence_is_not_proof() -> None:
    assert {one.heard for one in told(Capture("node1"), readable=False).sightings} == {"not seen"}
    away = told(Capture("node1", error="node1: it is off"), readable=False)
    assert {one.heard for one in away.sightings} == {"cannot tell"}
    unanswered = told(Capture("node1"), readable=False, error="node1: status 502")
    assert not unanswered.readable
    assert "cannot tell (on node1): node1: status 502" in unanswered.details()


def test_nobody_listens_or_measures_on_hosts_of_others_unasked() -> None:
    with pytest.raises(PlanRefused, match="nobody listened there"):
        overhear(hosts_of_others(), STACK, WORD)
    with pytest.raises(PlanRefused, match="nothing was measured"):
        measure(hosts_of_others(), STACK)


def test_a_place_is_known_by_all_that_it_is() -> None:
    place = Place("here", "node1", 80, "sha256:kit")
    assert len({place, replace(place, port=8000)}) == 2


def take_one(server: socket.socket) -> None:
    """One caller, who is not listened to."""
    caller, _ = server.accept()
    caller.close()


@pytest.mark.skipif(not may_capture(), reason="this login may not capture on this machine")
def test_the_program_hears_tcp_on_every_interface() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        threading.Thread(target=take_one, args=(server,), daemon=True).start()
        asked = {"interface": "", "port": port, "protocol": 6, "seconds": 20, "most": 1 << 20, "snap": 4096}
        command = [sys.executable, "-ISc", source("capture"), json.dumps(asked)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as program:
            assert program.stdout is not None
            header = program.stdout.read(24)
            with socket.create_connection(("127.0.0.1", port)) as sender:
                sender.sendall(f"GET /?word={WORD} HTTP/1.1\r\n\r\n".encode())
            kept, said = program.communicate(b"\n", timeout=20)
    assert json.loads(said)["whole"]
    packets = read_packets(Capture("here", pcap=header + kept), 4789, WORD)
    assert "IP > TCP > HTTP" in {repr(packet) for packet in packets if packet.readable}
