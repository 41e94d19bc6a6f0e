"""The guest book as a learner's browser meets it, in a frame inside the lesson and in a tab of its own.

guestbook(hosts, stack, "node2")    # through node2's published port

A lab's ports are on the machine where Jupyter runs, which need not be the browser's: there the way goes through
jupyter-server-proxy, under whatever base URL Jupyter has. Hosts of one's own are asked at their own address.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import anywidget
import requests
import traitlets
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from overlaykit.kit import Hosts
from overlaykit.lessons.visits import guest_address, straight
from overlaykit.words.errors import InputError
from overlaykit.words.host import Host
from overlaykit.words.stack import Stack

#: Seconds that are waited for a frontend that has just been started, and for each answer.
PATIENCE = 4.0
LONGEST = 3.0


class Guestbook(anywidget.AnyWidget):
    """`address` is where this machine finds it; `port` is set where the browser may have to come through Jupyter."""

    _esm = Path(__file__).with_name("guestbook.js")
    _css = Path(__file__).with_name("guestbook.css")
    host = traitlets.Unicode().tag(sync=True)
    address = traitlets.Unicode().tag(sync=True)
    port = traitlets.Int(0).tag(sync=True)
    trouble = traitlets.Unicode().tag(sync=True)
    looks = traitlets.Int(0).tag(sync=True)  # how often it was looked: so that the same trouble is told again

    def __init__(self, host: Host, published_port: int) -> None:
        super().__init__(host=host.name)
        try:
            self.address = guest_address(host, published_port)
        except InputError as error:
            self.trouble = str(error)
            return
        self.port = int(host.published.rpartition(":")[2]) if host.published else 0
        self._look()
        self.on_msg(self._asked_again)

    def __repr__(self) -> str:
        return f"Guestbook({self.host})"

    def _look(self) -> None:
        answers = Retrying(
            retry=retry_if_result(lambda answered: not answered),
            wait=wait_fixed(0.3),
            stop=stop_after_delay(PATIENCE),
            retry_error_callback=lambda _: False,
        )(lambda: _answers(self.address))
        self.trouble = (
            ""
            if answers
            else f"{self.host}: nothing answers at the guest book's port. Does a frontend run, and is the host on? "
            "`overlaykit check` tells more."
        )
        self.looks += 1

    def _asked_again(self, _widget: object, content: Any, _buffers: object) -> None:
        """Somebody pressed the button; not in the kernel's own thread, which others wait for."""
        if content == "look again":
            threading.Thread(target=self._look, name=repr(self), daemon=True).start()


def guestbook(hosts: Hosts, stack: Stack, host: str) -> Guestbook:
    """The guest book through the published port of the host of that name. Raises InputError for another name."""
    try:
        asked = hosts.inventory[host]
    except KeyError as error:
        raise InputError(str(error.args[0])) from None
    return Guestbook(asked, stack.frontend.published_port)


def _answers(address: str) -> bool:
    """Does anything speak HTTP there? What it says is the page's own matter."""
    try:
        straight().get(address, timeout=LONGEST)
    except requests.RequestException:
        return False
    return True
