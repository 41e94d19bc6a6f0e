"""A write through a published port, against a real HTTP server on the loopback address in the frontend's place."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from overlaykit.remote.fake import FakeConnection
from overlaykit.remote.fleet import Fleet
from overlaykit.remote.probes import way
from overlaykit.words.errors import HostError
from overlaykit.words.host import Host, Inventory
from overlaykit.words.probes import WriteThrough

ENTRY = {"entry": {"id": "e1"}, "entries": [{"id": "e1"}], "path": {}}


@contextmanager
def frontend(status: Callable[[int], int]) -> Iterator[tuple[Fleet, list[str]]]:
    """A host whose published port answers the n-th request with `status(n)`, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.command)
            body = json.dumps(ENTRY).encode()
            self.send_response(status(len(asked)))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        host = Host("node1", "127.0.0.1", "manager", published=f"127.0.0.1:{server.server_port}")
        with Fleet.open(Inventory((host,), "test"), connect=FakeConnection) as fleet:
            yield fleet, asked
        server.shutdown()
        thread.join()


def test_a_backend_that_is_not_known_yet_is_given_a_moment_and_written_to_once() -> None:
    with frontend(lambda number: 502 if number < 3 else 201) as (fleet, asked):
        seen = way.write_through(fleet, WriteThrough("node1", back="node1", port=80), way.Settling())
    assert (seen["wrote"]["status"], seen["wrote"]["id"], seen["read"]["found"]) == (201, "e1", True)
    assert asked == ["GET"] * 3 + ["POST", "GET"]


def test_a_host_that_is_written_to_and_read_from_settles_once() -> None:
    settling = way.Settling()
    with frontend(lambda _: 201) as (fleet, asked), ThreadPoolExecutor(8) as pool:
        probe = WriteThrough("node1", back="node1", port=80)
        list(pool.map(lambda _: way.write_through(fleet, probe, settling), range(8)))
    assert asked[0] == "GET"
    assert (asked.count("GET"), asked.count("POST")) == (1 + 8, 8)


def test_one_that_fails_every_other_time_is_told_as_it_is() -> None:
    with frontend(lambda number: 502 if number % 2 == 0 else 201) as (fleet, _):
        seen = way.write_through(fleet, WriteThrough("node1", back="node1", port=80), way.Settling())
    assert seen["wrote"]["status"] == 502


def test_a_backend_that_stays_away_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way, "_SETTLES_WITHIN", 0.3)
    with frontend(lambda _: 502) as (fleet, asked):
        seen = way.write_through(fleet, WriteThrough("node1", back="node1", port=80), way.Settling())
    assert seen["wrote"]["status"] == 502
    assert asked.count("POST") == 1
    assert len(asked) > 2


def test_a_port_where_nobody_is_stays_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way, "_SETTLES_WITHIN", 0.3)
    with frontend(lambda _: 201) as (fleet, _):
        pass
    with pytest.raises(HostError, match="nothing answers at its published port"):
        way.write_through(fleet, WriteThrough("node1", back="node1", port=80), way.Settling())


def test_an_answer_of_another_kind_is_taken_as_it_is() -> None:
    with frontend(lambda _: 500) as (fleet, asked):
        seen = way.write_through(fleet, WriteThrough("node1", back="node1", port=80), way.Settling())
    assert seen["wrote"]["status"] == 500
    assert asked == ["GET", "POST", "GET"]
