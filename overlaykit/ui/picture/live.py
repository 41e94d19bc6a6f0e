"""The picture as a widget: it follows the hosts while somebody looks at it, and sends requests through them.

Python draws; the browser moves what is drawn to its new place (`live.js`). What is drawn says itself when it was left
behind: nobody's view, or no connection, and the picture rests.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from overlaykit.kit import Hosts
from overlaykit.lab import lab
from overlaykit.phases.facts import read_facts
from overlaykit.remote.probes.way import visit
from overlaykit.remote.watch import PATIENCE, Seen, Watch
from overlaykit.ui.picture.ink import dark_rules
from overlaykit.ui.picture.scene import Scene, see
from overlaykit.ui.picture.svg import drawing, static_svg
from overlaykit.ui.picture.way import Way, read_way
from overlaykit.ui.picture.words import in_words, news, way_in_words
from overlaykit.words.errors import HostError
from overlaykit.words.facts import Facts, HostFacts
from overlaykit.words.stack import Stack

_HERE = Path(__file__).parent
#: Seconds that showing a picture waits for the first look, and that a picture nobody looks at goes on.
_FIRST_LOOK, _UNSEEN = 6.0, 120.0
#: A request may pass tasks that the last look did not see yet; for so long its way waits to be drawn.
_CATCH_UP = 3.0
#: A practice host is known to be off; so one that is merely slow need not be taken for it.
_LAB_PATIENCE = 10.0
_DARK = ('body[data-jp-theme-light="false"] .overlaykit-live', "body.vscode-dark .overlaykit-live")


class Picture(anywidget.AnyWidget):
    """A live picture. `stop()` ends it; shown again, it goes on."""

    _esm = _HERE / "live.js"
    _css = (_HERE / "live.css").read_text() + "".join(map(dark_rules, _DARK))

    drawing = traitlets.Unicode("").tag(sync=True)
    words = traitlets.Unicode("").tag(sync=True)
    news = traitlets.Unicode("").tag(sync=True)
    follows = traitlets.Bool(False).tag(sync=True)
    sent = traitlets.Int(0).tag(sync=True)  # how many requests: one more, and the browser shows its way

    def __init__(self, hosts: Hosts, stack: Stack) -> None:
        self.hosts = hosts
        self.stack = stack
        self.scene = see(Facts(tuple(HostFacts(host.name) for host in hosts.inventory)), stack)
        self._facts: Facts | None = None
        self._way: Way | None = None
        self._way_kept_until = 0.0
        self._lock = threading.RLock()
        self._looked = threading.Event()
        self._watch: Watch | None = None
        self._wanted_until = 0.0
        super().__init__()
        self.on_msg(self._somebody_looks)
        self._view_count = 0  # so that a page that has come says so: it missed what was told while it was loaded
        self.observe(lambda _: self.send_state(["drawing", "words", "follows"]), "_view_count")

    def __repr__(self) -> str:
        return f"Picture({self.stack.name})"

    def request(self, host: str) -> Way:
        """Send one request through a host's published port, and draw the way that it took."""
        self.start()
        name = self.hosts[host].name
        address = self._facts[name].node_addr if self._facts else ""
        try:
            way = read_way(name, visit(self.hosts[name], self.stack.frontend.published_port, address))
        except HostError as error:
            way = Way(name, error=error.text)
        with self._lock:
            self._way, self._way_kept_until = self.scene.settled(way), time.monotonic() + _CATCH_UP
            self._show(self.scene)
            self.news, self.sent = way_in_words(way), self.sent + 1
        return way

    def start(self) -> None:
        """Follow the hosts from now on; return once each was seen, or given up."""
        self._wanted_until = time.monotonic() + _UNSEEN
        with self._lock:
            if self._watch is None or self._watch.ended.is_set():
                self._looked.clear()
                self._watch = self._new_watch()
                self._watch.start()
                self.follows = True
        self._looked.wait(_FIRST_LOOK)

    def stop(self) -> None:
        """Follow no longer. What is drawn stays."""
        if self._watch is not None:
            self._watch.stop()
            self._rests()

    def close(self) -> None:
        """End for good."""
        self.stop()
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        followed, before = self.follows, self._watch
        self.start()
        if followed and before is not None:  # shown again: what a notebook keeps is how things are now
            self._tell(before.look_now(_FIRST_LOOK))
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            bundle[0]["image/svg+xml"] = static_svg(self.scene)
        return bundle

    def _new_watch(self) -> Watch:
        patience = _LAB_PATIENCE if self.hosts.inventory.lab else PATIENCE
        return Watch(
            self.hosts.fleet, self._tell, patience=patience, powered_off=self._powered_off, done=self._rests
        )  # fmt: skip

    def _rests(self) -> None:
        """Say so, unless another watch has begun meanwhile."""
        self.follows = self._watch is not None and not self._watch.ended.is_set()

    def _tell(self, seen: Seen) -> None:
        """What the watch saw. It is told from a thread: traits are all that is touched."""
        if time.monotonic() > self._wanted_until:
            self.stop()
            return
        self._facts = read_facts(seen.answers, self.hosts.inventory)
        scene = see(self._facts, self.stack, seen.off, seen.starting)
        with self._lock:
            told = news(self.scene, scene) if self._looked.is_set() else []
            self._show(scene)
            if told:
                self.news = "; ".join(told[:3]) + (f"; and {len(told) - 3} more" if len(told) > 3 else "")
        self._looked.set()

    def _show(self, scene: Scene) -> None:
        self.scene = scene.with_way(self._way)
        if time.monotonic() > self._way_kept_until:
            self._way = self.scene.way
        with self.hold_sync():
            self.drawing, self.words = drawing(self.scene), in_words(self.scene)

    def _powered_off(self) -> frozenset[str]:
        """The practice hosts that do not run: all, where their lab is gone. Of other people's nobody can tell."""
        name = self.hosts.inventory.lab
        if not name:
            return frozenset()
        running = {node.name for node in lab.status(name) if node.running}
        return frozenset(host.name for host in self.hosts.inventory if host.name not in running)

    def _somebody_looks(self, _: object, message: dict[str, Any], __: object) -> None:
        if message.get("seen") and not self.hosts.fleet.closed:
            self._wanted_until = time.monotonic() + _UNSEEN
            if self._watch is None or self._watch.ended.is_set():
                threading.Thread(target=self.start, name="overlaykit picture", daemon=True).start()
