"""Hosts that are followed: over an SSH server in this process, with a small engine behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sshd import SshServer

from overlaykit.remote.fleet import Fleet
from overlaykit.remote.watch import Seen, Watch
from overlaykit.words.host import Inventory

ALONE = {"LocalNodeState": "inactive", "ControlAvailable": False}


class Follower:
    """Who is told; waits until it was told something."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._told = threading.Condition()

    def __call__(self, seen: Seen) -> None:
        with self._told:
            self.seen.append(seen)
            self._told.notify_all()

    def until(self, so: Callable[[Seen], bool], within: float = 5) -> float:
        """How many seconds it took until that was so."""
        began = time.monotonic()
        with self._told:
            assert self._told.wait_for(lambda: self.seen and so(self.seen[-1]), within), self.seen[-1:]
        return time.monotonic() - began


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with SshServer(tmp_path) as server:
        server.engine.answers = {
            "/info": {"Name": "node1", "Swarm": ALONE},
            "/networks": [],
            "/containers/json": [],
            "/_ping": "OK",
        }
        yield server


@pytest.fixture
def fleet(server: SshServer) -> Iterator[Fleet]:
    with Fleet.open(Inventory((server.host(),), "hosts.ini")) as fleet:
        yield fleet


@pytest.fixture
def follower(fleet: Fleet) -> Iterator[Follower]:
    follower = Follower()
    watch = Watch(fleet, follower, patience=1.0)
    watch.start()
    yield follower
    watch.stop()


def node(seen: Seen) -> dict[str, object]:
    answer: dict[str, object] = seen.answers["hosts"]["node1"]
    return answer


def test_what_the_hosts_are_is_told_at_once(follower: Follower) -> None:
    follower.until(lambda seen: node(seen).get("containers") == [])
    assert follower.seen[-1].answers["swarm"] is None


def test_what_happens_is_told_within_two_seconds(server: SshServer, follower: Follower) -> None:
    follower.until(lambda seen: bool(server.engine.listening))
    server.engine.answers["/networks"] = [{"Name": "guestbook", "Driver": "overlay"}]
    server.engine.happen({"Type": "network", "Action": "create"})
    assert follower.until(lambda seen: node(seen).get("networks") != []) < 2


def test_who_asks_now_is_not_told_of_before(server: SshServer, fleet: Fleet) -> None:
    watch = Watch(fleet, lambda _: None, patience=1.0)
    watch.start()
    try:
        assert node(watch.look_now(5))["networks"] == []
        server.engine.answers["/networks"] = [{"Name": "guestbook", "Driver": "overlay"}]  # and no event tells of it
        began = time.monotonic()
        assert node(watch.look_now(5))["networks"] != []
        assert time.monotonic() - began < 2
        server.frozen.set()
        assert node(watch.look_now(0.3))["networks"] != []
    finally:
        watch.stop()
        server.frozen.clear()


def test_events_that_come_together_are_one_reason_to_look(server: SshServer, follower: Follower) -> None:
    follower.until(lambda seen: bool(server.engine.listening))
    before = len([line for line in server.engine.requests if line.endswith("/info")])
    for number in range(50):
        server.engine.happen({"Type": "container", "Action": "start", "number": number})
    server.engine.answers["/containers/json"] = [{"Id": "last"}]
    follower.until(lambda seen: node(seen).get("containers") != [])
    assert len([line for line in server.engine.requests if line.endswith("/info")]) - before <= 3


def test_a_host_that_went_away_is_told_with_what_it_said_last_and_found_again(
    server: SshServer, follower: Follower
) -> None:
    follower.until(lambda seen: "error" not in node(seen))
    server.frozen.set()
    server.hang_up()
    follower.until(lambda seen: "error" in node(seen))
    assert node(follower.seen[-1])["info"] == {"Name": "node1", "Swarm": ALONE | {"NodeID": None, "NodeAddr": None}}
    server.frozen.clear()
    follower.until(lambda seen: "error" not in node(seen), within=20)


def test_hanging_up_ends_it(fleet: Fleet, follower: Follower) -> None:
    follower.until(lambda seen: "error" not in node(seen))
    fleet.close()
    deadline = time.monotonic() + 5
    while names := [thread.name for thread in threading.enumerate() if thread.name.startswith("overlaykit ")]:
        assert time.monotonic() < deadline, names
        time.sleep(0.05)
