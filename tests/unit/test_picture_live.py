"""The picture as a widget, without a browser: what a notebook keeps of it, when it rests, and what a request says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sshd import SshServer

from overlaykit.kit import Hosts
from overlaykit.remote.fleet import Fleet
from overlaykit.ui.picture import picture
from overlaykit.ui.picture.live import Picture
from overlaykit.words.host import Inventory
from overlaykit.words.stack import Stack

BARE = {
    "/info": {"Name": "node1", "Swarm": {"LocalNodeState": "inactive"}},
    "/networks": [],
    "/containers/json": [],
    "/_ping": "OK",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with SshServer(tmp_path) as server:
        server.engine.answers = dict(BARE)
        yield server


@pytest.fixture
def hosts(server: SshServer) -> Iterator[Hosts]:
    # the port 80 that this machine reaches is one where nobody listens
    inventory = Inventory((server.host(published="127.0.0.1:9"),), "hosts.ini")
    with Hosts(inventory, Fleet.open(inventory), allow_changes=False, adopt=False) as hosts:
        yield hosts


@pytest.fixture
def shown(hosts: Hosts) -> Iterator[Picture]:
    shown = picture(hosts, Stack())
    yield shown
    shown.close()


def until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_notebook_keeps_a_name_that_is_the_same_each_time_and_a_drawing(shown: Picture) -> None:
    bundle = shown._repr_mimebundle_()
    assert bundle is not None
    data, _ = bundle
    assert data["text/plain"] == "Picture(guestbook)"
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "1 host, no swarm" in data["image/svg+xml"]


def test_shown_again_a_notebook_keeps_how_it_is_by_then(server: SshServer, shown: Picture) -> None:
    shown._repr_mimebundle_()
    server.engine.answers["/networks"] = [{"Name": "vault", "Driver": "overlay"}]  # and no event tells of it
    bundle = shown._repr_mimebundle_()
    assert bundle is not None
    assert "vault" in bundle[0]["image/svg+xml"]


def test_it_follows_once_it_is_shown_and_rests_when_nobody_looks(shown: Picture) -> None:
    assert not shown.follows
    shown.start()
    assert shown.follows
    assert shown.words.startswith("1 host, no swarm")
    shown._wanted_until = 0.0
    until(lambda: not shown.follows)
    shown._handle_custom_msg({"seen": True}, [])
    until(lambda: shown.follows)


def test_hosts_whose_lab_was_taken_down_are_off_and_not_about_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "no lab is here"))
    with SshServer(tmp_path) as server:
        server.engine.answers = dict(BARE)
        inventory = Inventory((server.host(published="127.0.0.1:9"),), "lab default", lab="default")
        with Hosts(inventory, Fleet.open(inventory), allow_changes=True, adopt=False) as hosts:
            shown = picture(hosts, Stack())
            assert shown._powered_off() == {"node1"}
            shown.close()


def test_it_ends_with_the_connection_and_says_so(hosts: Hosts, shown: Picture) -> None:
    shown.start()
    hosts.close()
    until(lambda: not shown.follows)


def test_a_request_that_nobody_answers_is_a_sentence_in_the_picture(shown: Picture) -> None:
    way = shown.request("node1")
    assert way.error.startswith("its sshd opens no TCP ports for us")  # this machine's own try found nobody
    assert repr(way) == f"Request through node1: {way.error}"
    assert way.error in shown.words and shown.sent == 1
