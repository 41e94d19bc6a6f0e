"""The guest book in a lesson: where a browser is sent, and what is said where nothing answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from fake_kit import FakeKit
from panel_reader import until

from overlaykit.ui.notebook import guestbook
from overlaykit.ui.notebook.guestbook_frame import Guestbook
from overlaykit.words.errors import InputError
from overlaykit.words.host import Host
from overlaykit.words.stack import Stack


class Page(BaseHTTPRequestHandler):
    """Something that speaks HTTP."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("overlaykit.ui.notebook.guestbook_frame.PATIENCE", 0.0)


def practice_host(port: int) -> Host:
    return Host("node2", "127.0.0.1", "worker", published=f"127.0.0.1:{port}")


def test_a_practice_host_is_reached_through_jupyter(port: int) -> None:
    book = Guestbook(practice_host(port), 80)
    assert (book.port, book.address, book.trouble) == (port, f"http://127.0.0.1:{port}", "")
    assert repr(book) == "Guestbook(node2)"


def test_hosts_of_others_are_reached_at_their_own_address(port: int) -> None:
    book = Guestbook(Host("web", "127.0.0.1", "worker"), port)
    assert (book.port, book.address, book.trouble) == (0, f"http://127.0.0.1:{port}", "")


def test_where_nothing_answers_it_says_so_and_looks_again_when_asked(port: int) -> None:
    book = Guestbook(practice_host(9), 80)  # the discard port: nobody listens
    assert book.trouble.startswith("node2: nothing answers at the guest book's port")
    book.address = f"http://127.0.0.1:{port}"
    book._handle_custom_msg("look again", [])
    until(lambda: book.looks == 2)
    assert book.trouble == ""


def test_a_port_that_is_not_brought_out_is_said() -> None:
    assert "only its port 80 is brought out" in Guestbook(practice_host(9), 8080).trouble


def test_a_host_that_is_not_there_is_said() -> None:
    with pytest.raises(InputError, match="there are: node1, node2"):
        guestbook(FakeKit(), Stack(), "node9")  # type: ignore[arg-type]
