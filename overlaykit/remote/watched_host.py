"""Follows one host, in two threads: one hears its engine's events, one looks when there is a reason to.

host = WatchedHost(fleet["node1"], watcher)
threading.Thread(target=host.ask).start()        # looks, and asks for a sign of life in between
threading.Thread(target=host.listen).start()
host.answer, host.owes()
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Any, Protocol

from docker.errors import DockerException
from docker.types.daemon import CancellableStream

from overlaykit.remote.engine import engine_errors
from overlaykit.remote.fleet import FleetHost
from overlaykit.remote.glance import EVENTS, glance, is_on_its_way
from overlaykit.remote.look import Answers
from overlaykit.words.errors import HostError

#: Seconds between two signs of life, and between two looks without a reason.
PULSE, HEARTBEAT = 0.8, 5.0
#: A look comes this long after its reason, so that what happens together is seen together; and then a pause.
GATHERING, PAUSE = 0.12, 0.25
#: For so long after an event looks follow each other: what a worker does reaches its manager's list a moment later,
#: and what becomes of a task before it has a container makes no event at all.
ECHO, ECHOES = 0.7, 2.0


class Watcher(Protocol):
    """Who wants to know."""

    ended: threading.Event

    @property
    def patience(self) -> float:
        """Seconds that a host may owe an answer."""

    @property
    def off(self) -> Collection[str]:
        """Hosts that need not be asked."""

    @property
    def over(self) -> bool:
        """Is nobody to be asked any more?"""

    def heard(self, name: str) -> None:
        """Something happened on the host."""

    def answered(self) -> None:
        """The host has something new to say."""


class WatchedHost:
    """One host: what it answered last, when to look again, and since when it owes an answer."""

    def __init__(self, host: FleetHost, watch: Watcher) -> None:
        self.name = host.name
        self.answer: Answers = {}
        self.error = ""
        self._host = host
        self._watch = watch
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._well = threading.Event()
        self._next_look = 0.0
        self._echo_until = 0.0
        self.looked = 0.0  # when the last look that came back was begun
        self._owes_since: float | None = time.monotonic()
        self._stream: CancellableStream[Any] | None = None

    @property
    def known(self) -> bool:
        """Has it said anything yet?"""
        return bool(self.answer or self.error)

    @property
    def leads(self) -> bool:
        """Is it a manager?"""
        return "swarm" in self.answer

    def owes(self) -> float:
        """For how many seconds it has owed an answer."""
        since = self._owes_since
        return 0.0 if since is None else time.monotonic() - since

    def look_soon(self, after: float = 0.0) -> None:
        """Look, no later than then."""
        with self._lock:
            self._next_look = min(self._next_look, time.monotonic() + after)
        if not after:
            self._wake.set()

    def echo(self) -> None:
        """Look again and again for a while."""
        self._echo_until = time.monotonic() + ECHOES
        self.look_soon(ECHO)

    def ask(self) -> None:
        """The thread that looks, or pings."""
        while not self._watch.over:
            if self.name not in self._watch.off:
                self._ask_once()
            self._wake.wait(max(0.05, min(PULSE, self._next_look - time.monotonic())))
            self._wake.clear()

    def _ask_once(self) -> None:
        self._owes_since = self._owes_since or time.monotonic()
        try:
            if self._next_look <= time.monotonic() or self.error:
                self._look()
            else:
                self._ping()
        except HostError as error:
            self.error = error.text
            self._well.clear()
            self._watch.answered()
            self._watch.ended.wait(PULSE)
        else:
            self._owes_since = None

    def _look(self) -> None:
        self._watch.ended.wait(GATHERING)
        began = time.monotonic()
        with self._lock:
            self._next_look = began + HEARTBEAT
        self.answer, self.error = glance(self._host), ""
        self.looked, self._owes_since = began, None
        self._well.set()
        self._watch.answered()
        if time.monotonic() < self._echo_until or is_on_its_way(self.answer):
            self.look_soon(ECHO)
        self._watch.ended.wait(PAUSE)

    def _ping(self) -> None:
        with engine_errors(self.name):
            api = self._host.docker.api
            api.get(f"{api.base_url}/_ping", timeout=self._watch.patience)

    def listen(self) -> None:
        """The thread that hears the engine's events, while the host is well."""
        while not self._watch.over:
            if self._well.wait(1):
                with suppress(HostError):  # the other thread meets it too, and tells
                    self._hear()
                self._watch.ended.wait(PULSE)

    def _hear(self) -> None:
        with engine_errors(self.name):
            self._stream = self._host.docker.events(decode=True, filters=EVENTS)
            if self._watch.over:  # hung up meanwhile, and connected anew by our asking
                self.let_go()
            self.look_soon()  # what happened before we listened
            for _ in self._stream:
                if self._watch.ended.is_set():
                    return
                self._watch.heard(self.name)

    def let_go(self) -> None:
        """Wake both threads, so that they end."""
        self._wake.set()
        self._well.set()
        if self._stream is not None:
            with suppress(DockerException, HostError, OSError):  # it has ended already
                self._stream.close()
