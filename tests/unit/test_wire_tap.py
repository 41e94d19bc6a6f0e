"""The hands that capture: what a host's engine is asked for, and what becomes of a capture that does not go well."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sshd import Engine, SshServer

from overlaykit.reading.pcap import records
from overlaykit.remote.fleet import Fleet
from overlaykit.remote.probes.ask import run_probes
from overlaykit.remote.probes.programs import source
from overlaykit.words.host import Inventory
from overlaykit.words.probes import WatchWire
from overlaykit.words.wire import Capture

HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 4096, 1)
RECORD = struct.pack("<IIII", 1, 2, 3, 3) + b"abc"


def piece(stream: int, data: bytes) -> bytes:
    """As Docker sends what a container without a terminal prints."""
    return struct.pack(">BxxxL", stream, len(data)) + data


def told(**changes: object) -> bytes:
    """What the program says last."""
    return piece(2, json.dumps({"address": "10.77.0.11", "dropped": 0, "whole": True, **changes}).encode() + b"\n")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with SshServer(tmp_path) as server:
        yield server


def captured(server: SshServer, interface: str = "eth0") -> Capture:
    """What one host's capture comes to; nothing is sent, since no door is named."""
    host = server.host()
    probe = WatchWire(
        host.name,
        word="open-sesame",
        interfaces={host.name: interface},
        images={host.name: "sha256:kit"},
        labels={"overlaykit.stack": "guestbook"},
    )
    with Fleet.open(Inventory((host,), "a test")) as fleet:
        (answer,) = run_probes(fleet, [probe])
    assert not answer.error
    capture: Capture = answer.seen["captures"][host.name]
    return capture


def removed(engine: Engine) -> bool:
    return any(request.startswith("DELETE") and "/containers/new" in request for request in engine.requests)


def test_a_capture_listens_first_and_tells_all_when_it_is_stopped(server: SshServer) -> None:
    server.engine.attached = (
        piece(1, HEADER[:10]) + piece(1, HEADER[10:]),
        piece(1, RECORD[:5]) + piece(1, RECORD[5:]) + told(),
    )
    capture = captured(server)
    assert (capture.interface, capture.address, capture.error) == ("eth0", "10.77.0.11", "")
    assert [frame.data for frame in records(capture.pcap).frames] == [b"abc"]
    assert removed(server.engine)


def test_it_may_do_nothing_but_capture(server: SshServer) -> None:
    server.engine.attached = (piece(1, HEADER), told())
    captured(server)
    (made,) = server.engine.created
    host = made["HostConfig"]
    assert isinstance(host, dict)
    assert (host["NetworkMode"], host["CapDrop"], host["CapAdd"]) == ("host", ["ALL"], ["NET_RAW"])
    assert host["AutoRemove"] is host["ReadonlyRootfs"] is True
    assert made["StdinOnce"] is True  # it ends when we hang up
    assert made["Labels"] == {"overlaykit.stack": "guestbook"}  # `down` would find it
    assert made["Image"] == "sha256:kit"


@pytest.mark.parametrize(
    ("attached", "why"),
    [
        ((piece(2, b"Operation not permitted\n"), None), "may not be captured on eth0: Operation not permitted"),
        ((piece(1, HEADER), piece(1, RECORD)), "the capture broke off before it was read"),
        ((piece(1, HEADER), piece(1, RECORD)[:-1]), "the capture broke off before it was read"),
        ((piece(1, HEADER), told(whole=False)), "more passed than a capture keeps (16 MB in 60 s)"),
        ((piece(1, HEADER), told(dropped=7)), "the kernel dropped 7 packets"),
    ],
)
def test_what_is_not_all_of_it_says_why(server: SshServer, attached: tuple[bytes, bytes | None], why: str) -> None:
    server.engine.attached = attached
    capture = captured(server)
    assert why in capture.error
    assert capture.error.startswith(server.host().name)
    assert removed(server.engine)


def test_where_no_interface_is_known_nothing_is_started(server: SshServer) -> None:
    assert "which interface carries the swarm's traffic" in captured(server, interface="").error
    assert server.engine.created == []


def test_where_the_kits_image_is_not_there_it_is_said_what_brings_it(server: SshServer) -> None:
    server.engine.absent = {"sha256:kit"}
    capture = captured(server)
    assert capture.error == (
        f"{server.host().name}: the kit's image in which it looks there, sha256:kit, is not on this host: "
        "`overlaykit up` sends it, whatever your tiers are made of, once this machine has made it "
        "(`overlaykit lab build`)"
    )
    assert server.engine.created == []


def may_capture() -> bool:
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except (OSError, AttributeError):
        return False
    return True


@pytest.mark.skipif(not may_capture(), reason="this login may not capture on this machine")
def test_the_program_keeps_the_swarms_packets_alone() -> None:
    asked = {"interface": "lo", "port": 47890, "seconds": 20, "most": 1 << 20, "snap": 60}
    command = [sys.executable, "-ISc", source("capture"), json.dumps(asked)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout is not None
        header = program.stdout.read(24)  # from here on it listens
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"not for us", ("127.0.0.1", 47891))
            sender.sendto(b"a long canary, cut off in the file", ("127.0.0.1", 47890))
        kept, said = program.communicate(b"\n", timeout=20)
    found = records(header + kept)
    assert json.loads(said) == {"address": "127.0.0.1", "dropped": 0, "whole": True}
    assert found.whole
    assert {frame.data[42:] for frame in found.frames} == {b"a long canary, cut"}
    assert {frame.size for frame in found.frames} == {42 + 34}


@pytest.mark.skipif(not may_capture(), reason="this login may not capture on this machine")
def test_the_program_says_when_it_had_to_stop_before_it_was_told() -> None:
    asked = {"interface": "lo", "port": 47892, "seconds": 0.2, "most": 1 << 20, "snap": 60}
    command = [sys.executable, "-ISc", source("capture"), json.dumps(asked)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        program.wait(20)
        assert program.stderr is not None
        assert json.loads(program.stderr.read())["whole"] is False


def test_the_program_says_why_it_may_not() -> None:
    asked = {"interface": "no-such0", "port": 4789, "seconds": 1, "most": 1, "snap": 60}
    command = [sys.executable, "-ISc", source("capture"), json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 1
    assert done.stderr.strip() in ("No such device", "Operation not permitted")
