"""Follows the hosts: what they answer, again whenever one of them says that something has changed.

    watch = Watch(fleet, tell=lambda seen: …)      # told from a thread, with what every host answered last
    watch.start()
    watch.stop()

Each host is followed in threads of its own (`watched_host.py`), so one that hangs holds up no other; here is gathered
what they say. Looks are cheap ones (`glance.py`): enough to see who is there and what runs, not enough to plan with.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from overlaykit.remote.fleet import Fleet
from overlaykit.remote.look import Answers
from overlaykit.remote.watched_host import WatchedHost

#: A host that owes an answer for so long may be off; and where nobody can know, it is given up after a while.
SUSPICIOUS, PATIENCE = 0.9, 1.6
_LEAVE_WITHIN = 15.0


@dataclass(frozen=True)
class Seen:
    """What every host answered last, as `phases/facts.py` reads it, and what is known of their power."""

    answers: Answers
    off: frozenset[str] = frozenset()
    starting: frozenset[str] = frozenset()  # were off, are on, and have not answered yet


class Watch:
    """All hosts of a fleet, followed until `stop`, or until the fleet is hung up.

    A host that owes an answer for longer than `patience` is given up until it answers. `powered_off` is asked before,
    if anybody can know: a host that is off is hung up, so that whoever else waits for it waits no longer. `done` is
    called at the end.
    """

    def __init__(
        self,
        fleet: Fleet,
        tell: Callable[[Seen], None],
        *,
        patience: float = PATIENCE,
        powered_off: Callable[[], Collection[str]] = frozenset,
        done: Callable[[], None] = lambda: None,
    ) -> None:
        self.patience = patience
        self.ended = threading.Event()
        self.off: frozenset[str] = frozenset()
        self._starting: frozenset[str] = frozenset()
        self._given_up: frozenset[str] = frozenset()
        self._fleet = fleet
        self._tell = tell
        self._powered_off = powered_off
        self._done = done
        self._off_asked = 0.0
        self._threads: list[threading.Thread] = []
        self._news = threading.Event()
        self._hosts = [WatchedHost(host, self) for host in fleet.values()]

    @property
    def over(self) -> bool:
        """Is nobody to be asked any more? Asking would connect anew."""
        return self.ended.is_set() or self._fleet.closed

    def start(self) -> None:
        """Begin, in threads that end with the program."""
        for host in self._hosts:
            self._threads += [_thread(host.ask, f"look {host.name}"), _thread(host.listen, f"events {host.name}")]
        _thread(self._report, "watch")

    def stop(self) -> None:
        """End."""
        self.ended.set()
        self._news.set()
        for host in self._hosts:
            host.let_go()

    def look_now(self, within: float) -> Seen:
        """What every host answers to a look that begins now; of one that takes longer than that, what it said last."""
        asked = time.monotonic()
        for host in self._hosts:
            host.look_soon()
        waiting = [host for host in self._hosts if host.name not in self._given_up]
        while not all(host.looked >= asked for host in waiting) and time.monotonic() < asked + within:
            if self.ended.wait(0.05):
                break
        return self._seen(self._given_up)

    def heard(self, name: str) -> None:
        """Something happened on a host: look there, and at the managers."""
        for host in self._hosts:
            if host.name == name:
                host.look_soon()
            if host.name == name or host.leads:
                host.echo()

    def answered(self) -> None:
        """A host has something new to say."""
        self._news.set()

    def _report(self) -> None:
        """Tell what is known whenever it may have changed: an answer came, or one is overdue."""
        told = False
        while not self.ended.is_set():
            came = self._news.wait(0.2)
            self._news.clear()
            if self._fleet.closed:
                self.stop()
                break
            silent = self._silent()
            news = came or not told or silent != self._given_up
            self._given_up = silent
            if all(host.known or host.name in silent for host in self._hosts) and news:
                told = True
                self._tell(self._seen(silent))
        self._done()
        self._leave()

    def _leave(self) -> None:
        """Hang up once more where it was hung up on a thread that was just asking: that connected it anew."""
        for thread in self._threads:
            thread.join(_LEAVE_WITHIN)
        if self._fleet.closed:
            self._fleet.close()

    def _silent(self) -> frozenset[str]:
        """The hosts that are off, or owe an answer for too long."""
        owing = {host.name: host.owes() for host in self._hosts}
        if max(owing.values(), default=0) < SUSPICIOUS:
            self.off = self._starting = frozenset()
            return self.off
        self._look_at_power()
        self._starting = frozenset(name for name in self._starting if owing[name])
        return self.off | {name for name, seconds in owing.items() if seconds > self.patience}

    def _look_at_power(self) -> None:
        """Ask who is off, once a second at most, and hang up on those who have just gone."""
        now = time.monotonic()
        if now - self._off_asked < 1:
            return
        self._off_asked = now
        before, self.off = self.off, frozenset(self._powered_off())
        self._starting = self._starting | before - self.off
        for name in self.off - before:
            _thread(self._fleet[name].close, f"hang up {name}")

    def _seen(self, silent: frozenset[str]) -> Seen:
        """The answers as one look would have given them."""
        hosts: Answers = {}
        telling: list[Answers] = []
        for host in self._hosts:
            away = "is powered off" if host.name in self.off else host.error or "does not answer"
            gone = host.name in silent or host.error
            hosts[host.name] = {**host.answer, "error": away} if gone else host.answer
            telling += [] if gone else [host.answer]
        swarm = next((answer["swarm"] for answer in telling if "swarm" in answer), None)
        refused = next((answer["swarm_error"] for answer in telling if "swarm_error" in answer), "")
        return Seen({"hosts": hosts, "swarm": swarm, "swarm_error": "" if swarm else refused}, self.off, self._starting)


def _thread(run: Callable[[], None], name: str) -> threading.Thread:
    thread = threading.Thread(target=run, name=f"overlaykit {name}", daemon=True)
    thread.start()
    return thread
