"""The programs that run in tasks' networks, run here as they run there: `python3 -c`, on the loopback."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from overlaykit.remote.probes.programs import source

PATH = {"path": {"backend": {"host": "node2", "container": "backend-3"}}}


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on the loopback that treats each caller so; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return  # the test is over
                with caller:
                    answer(caller)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def ask(*questions: dict[str, Any]) -> dict[str, Any]:
    """What the program prints."""
    command = [sys.executable, "-ISc", source("names"), json.dumps([{"expects": [], **one} for one in questions])]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def http(caller: socket.socket) -> None:
    caller.recv(4096)
    caller.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + json.dumps(PATH).encode())


def mongodb(caller: socket.socket) -> None:
    """An answer to `hello` as a server gives it: OP_MSG, and in its BSON maxWireVersion."""
    length, request, _, kind = struct.unpack("<iiii", caller.recv(16))
    asked = caller.recv(length - 16)
    assert (kind, asked[5:9], asked[10:15]) == (2013, struct.pack("<i", len(asked) - 5), b"hello")
    document = b"\x10maxWireVersion\0" + struct.pack("<i", 21)
    body = struct.pack("<iB", 0, 0) + struct.pack("<i", len(document) + 5) + document + b"\0"
    caller.sendall(struct.pack("<iiii", 16 + len(body), 9, request, 2013) + body)


@pytest.mark.parametrize(("protocol", "server"), [("http", http), ("mongodb", mongodb), ("tcp", http)])
def test_a_peer_that_answers(protocol: str, server: Callable[[socket.socket], None]) -> None:
    with serving(server) as port:
        seen = ask({"name": "localhost", "port": port, "protocol": protocol, "tries": 3})["localhost"]
    assert seen["addresses"] == ["127.0.0.1"]
    assert [(call["connected"], call["answered"]) for call in seen["calls"]] == [(True, True)] * 3
    assert seen["calls"][0].get("peer") == ("backend-3" if protocol == "http" else None)


@pytest.mark.parametrize("protocol", ["http", "mongodb"])
def test_a_peer_that_speaks_something_else(protocol: str) -> None:
    with serving(lambda caller: caller.sendall(b"SSH-2.0-OpenSSH_10.0\r\n" * 4)) as port:
        seen = ask({"name": "localhost", "port": port, "protocol": protocol, "tries": 1})["localhost"]
    (call,) = seen["calls"]
    assert (call["connected"], call["answered"]) == (True, False)
    assert call["error"].startswith(f"127.0.0.1:{port}: ")


def test_what_is_not_so_at_first_is_asked_again() -> None:
    """A task that has just begun to run: the first who call it are turned away."""
    calls = []

    def late(caller: socket.socket) -> None:
        calls.append(caller)
        if len(calls) > 1:
            http(caller)

    with serving(late) as port:
        seen = ask({"name": "localhost", "port": port, "protocol": "http", "tries": 1, "expects": ["127.0.0.1"]})
    assert [call["answered"] for call in seen["localhost"]["calls"]] == [True]
    assert len(calls) == 2


def test_an_address_that_stays_away_is_not_waited_for_long() -> None:
    with serving(http) as port:
        began = time.monotonic()
        seen = ask({"name": "localhost", "port": port, "protocol": "http", "tries": 1, "expects": ["10.20.0.9"]})
    assert seen["localhost"]["addresses"] == ["127.0.0.1"]
    assert time.monotonic() - began < 10


def test_a_name_that_leads_nowhere_hides_no_other() -> None:
    with serving(http) as port:
        answers = ask(
            {"name": "nowhere.invalid", "port": port, "protocol": "http", "tries": 1},
            {"name": "localhost", "port": port, "protocol": "http", "tries": 1},
        )
    assert answers["nowhere.invalid"]["addresses"] == []
    assert answers["nowhere.invalid"]["error"].startswith("nowhere.invalid: ")
    assert answers["localhost"]["calls"][0]["answered"]


def test_a_shut_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    (call,) = ask({"name": "localhost", "port": port, "protocol": "tcp", "tries": 1})["localhost"]["calls"]
    assert not call["connected"]
    assert call["error"] == f"127.0.0.1:{port}: Connection refused"


@pytest.mark.timeout(30)
def test_a_pair_finds_each_other() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    asked = json.dumps({"peers": {"me": "localhost", "nobody": "nowhere.invalid"}, "port": port})
    command = [sys.executable, "-ISc", source("pairs"), asked]
    heard: dict[str, dict[str, Any]] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        for line in program.stdout:
            heard[json.loads(line)["peer"]] = json.loads(line)
            if len(heard) == 2 and heard["me"]["stream"]:
                break
        program.kill()
    assert (heard["me"]["tcp"], heard["me"]["packet"], heard["me"]["mtu"]) == (True, True, 65535)
    assert heard["nobody"]["error"].startswith("the name does not resolve")


#: In PyMongo's place: a database that takes one password, and refuses to delete where it is told to.
DATABASE = """
import os
class PyMongoError(Exception): pass
class OperationFailure(PyMongoError):
    def __init__(self, said, code): super().__init__(said); self.code, self.details = code, {"errmsg": said}
class Entries:
    def __init__(self, password): self.password = password
    def find_one(self):
        if self.password != "right": raise OperationFailure("who are you?", 18)
    def delete_many(self, which):
        if os.environ["DATABASE_NAME"] == "read-only": raise OperationFailure("not here", 13)
        print("deleted", *which["_id"]["$in"], file=__import__("sys").stderr)
class MongoClient:
    def __init__(self, host, port, *, password=None, **_): self.password = password
    def __getitem__(self, name): return {"entries": Entries(self.password)}
    def close(self): pass
"""


@pytest.mark.parametrize(
    ("name", "right", "deleted"),
    [("guestbook", {"accepted": True}, "deleted 6924"), ("read-only", {"accepted": True, "left": "not here"}, "")],
)
def test_the_right_password_alone_is_taken_and_strikes_out(
    tmp_path: Path, name: str, right: dict[str, Any], deleted: str
) -> None:
    (tmp_path / "pymongo").mkdir()
    (tmp_path / "pymongo" / "__init__.py").write_text(DATABASE)
    (tmp_path / "pymongo" / "errors.py").write_text("from pymongo import OperationFailure, PyMongoError")
    (tmp_path / "bson.py").write_text("ObjectId = str")
    (tmp_path / "password").write_text("right\n")
    done = subprocess.run(
        [sys.executable, "-c", source("passwords")],
        input='["6924"]\n', capture_output=True, text=True, check=True, timeout=20,
        env={"PYTHONPATH": str(tmp_path), "DATABASE_PASSWORD_FILE": str(tmp_path / "password"), "DATABASE_NAME": name},
    )  # fmt: skip
    answers = json.loads(done.stdout)
    assert answers["right"] == right
    assert [answers[kind]["code"] for kind in ("wrong", "none")] == [18, 18]
    assert done.stderr.strip() == deleted
