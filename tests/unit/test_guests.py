"""Guests at the guest book: what each got, in words and on the plot. The door is a small server of the test's own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from overlaykit.kit import Hosts
from overlaykit.lessons.visits import guest_address, visit
from overlaykit.remote.fleet import Fleet
from overlaykit.ui.notebook.guests import Guests
from overlaykit.ui.notebook.plot import Dot, longest_gap, plot, summary
from overlaykit.words.errors import InputError
from overlaykit.words.host import Host, Inventory
from overlaykit.words.stack import Stack

PATH = {
    "frontend": {"host": "node1", "container": "frontend-1"},
    "backend": {"host": "node2", "container": "backend-1"},
    "database": {"host": "node3", "container": "database-1"},
}


class Door(HTTPServer):
    """Answers as the guest book does."""

    status = 200
    body = json.dumps({"path": PATH})


class Answer(BaseHTTPRequestHandler):
    """One request."""

    server: Door

    def do_GET(self) -> None:
        """What the test put into the door."""
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body.encode())

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@pytest.fixture
def door() -> Iterator[Door]:
    """A door of one's own."""
    with Door(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def hosts_behind(published: str) -> Hosts:
    """One host whose port 80 is there; nothing connects to it."""
    inventory = Inventory((Host("node1", "192.0.2.1", role="manager", published=published),), "hosts.ini", lab="t")
    return Hosts(inventory, Fleet(()), allow_changes=True, adopt=False)


def at(door: Door) -> Hosts:
    return hosts_behind(f"127.0.0.1:{door.server_port}")


def until(condition: Callable[[], bool]) -> None:
    Retrying(retry=retry_if_result(lambda so: not so), wait=wait_fixed(0.05), stop=stop_after_delay(10))(condition)


def test_a_visit_tells_its_way(door: Door) -> None:
    seen = visit(at(door), Stack(), "node1")
    assert seen.ok
    assert seen.way == {"frontend": "node1", "backend": "node2", "database": "node3"}
    assert repr(seen) == "200: through frontend, backend and database"


def test_a_guest_who_is_turned_away_is_told_why(door: Door) -> None:
    door.status, door.body = 503, json.dumps({"error": "The name database does not resolve.", "path": PATH})
    seen = visit(at(door), Stack(), "node1")
    assert not seen.ok
    assert repr(seen) == "503: The name database does not resolve."


def test_a_frontend_of_ones_own_need_not_speak_json(door: Door) -> None:
    door.body = "<h1>welcome</h1>"
    assert repr(visit(at(door), Stack(), "node1")) == "200: through an unknown way"


def test_nobody_listens() -> None:
    seen = visit(hosts_behind("127.0.0.1:9"), Stack(), "node1")
    assert repr(seen) == "no answer: nothing listens at the guest book's port of node1"


def test_waiting_ends_when_the_status_comes(door: Door) -> None:
    door.status = 503
    threading.Timer(0.3, lambda: setattr(door, "status", 200)).start()
    assert visit(at(door), Stack(), "node1", wait_for=200).ok


def test_a_port_that_is_not_brought_out_is_refused() -> None:
    host = Host("node1", "127.0.0.1", role="manager", published="127.0.0.1:8081")
    assert guest_address(host, 80) == "http://127.0.0.1:8081"
    assert guest_address(Host("node2", "192.0.2.2", role="worker"), 8080) == "http://192.0.2.2:8080"
    with pytest.raises(InputError, match=r"frontend\.published_port is 8080"):
        guest_address(host, 8080)


def test_guests_come_until_they_are_stopped(door: Door) -> None:
    guests = Guests(at(door), Stack(), "node1")
    until(lambda: len(guests.served) >= 2)
    door.status = 503
    until(lambda: guests.failed > 0)
    assert guests.stop() is guests
    assert not guests.coming
    assert repr(guests) == "Guests(node1)"
    guests._view_count = 1  # a page has come; what is drawn is sent to it
    drawn = guests._repr_mimebundle_()["image/svg+xml"]
    assert f"{len(guests.served)} requests, {guests.failed} failed" in drawn


def test_the_plot_says_in_words_what_it_shows() -> None:
    assert summary([]) == "0 requests, none failed"
    assert summary([Dot(0.0, 0.02, True)]) == "1 request, none failed"
    assert summary([Dot(0.0, 0.02, True), Dot(0.1, 5.0, False)]) == (
        "2 requests, 1 failed; the longest time without an answer: 5.0 s"
    )


def test_a_gap_lasts_from_the_first_refusal_to_the_next_answer() -> None:
    dots = [Dot(0, 0.1, True), Dot(1, 2, False), Dot(3.2, 1.8, False), Dot(5.2, 0.3, True), Dot(9, 0.1, False)]
    assert longest_gap(dots) == 4.5
    assert longest_gap(dots[:1]) == 0


def test_a_failed_request_is_a_cross_and_does_not_stretch_the_axis() -> None:
    drawn = plot([Dot(0.0, 0.02, True), Dot(0.1, 5.0, False), Dot(30.0, 0.03, True)])
    assert drawn.count("<circle") == 2
    assert drawn.count("l8 8m0 -8l-8 8") == 1
    assert ">200 ms<" in drawn
    assert ">30 s<" in drawn
    assert ">3 requests, 1 failed; the longest time without an answer: 29.9 s<" in drawn
