"""Waiting for practice hosts: each either answers, SSH and engine both, or is named with its last words.

wait_until_up(lab, lab.nodes, backend, observer)
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from overlaykit.lab.backend import Backend
from overlaykit.lab.layout import Lab, Node
from overlaykit.making.buildah import Observer
from overlaykit.remote.ssh.connect import connect_host
from overlaykit.words.errors import HostError, LabError

_LISTENS = "lab-init: the engine has a socket"  # said when sshd and the engine can be asked
_PANIC = re.compile(r"Kernel panic - not syncing: (.*)")
_BEGINS = "Linux version"
_LAST_WORDS = 12
_LOOK_EVERY = 0.1  # seconds, at its console
_LIFE_EVERY = 1.0  # at which hosts run: dearer
_ASK_EVERY = 0.5
_NO_CONFIG = Path("/dev/null")  # what a person's ~/.ssh/config says is of other hosts


def wait_until_up(
    lab: Lab, nodes: Sequence[Node], backend: Backend, observer: Observer, seconds: float | None = None
) -> None:
    """Return when all answer. Raise LabError that names each which does not, and the end of its console."""
    deadline = time.monotonic() + (seconds or 60 + 15 * len(nodes))
    waiting = _Waiting(lab, backend, deadline, observer)
    with ThreadPoolExecutor(max_workers=len(nodes) or 1) as pool:
        sentences = [sentence for sentence in pool.map(waiting.failure, nodes) if sentence]
    if sentences:
        raise LabError("\n".join(sentences))


class _Waiting:
    """For all hosts of a lab that are on their way."""

    def __init__(self, lab: Lab, backend: Backend, deadline: float, observer: Observer) -> None:
        self._lab, self._backend, self._deadline, self._observer = lab, backend, deadline, observer
        self._turn = threading.Lock()
        self._running: Collection[str] = ()
        self._looked = -_LIFE_EVERY

    def failure(self, node: Node) -> str | None:
        """Wait for one host. None when it answers; else the sentence that says why it does not."""
        while not (reason := self._silent(node)):
            reason = _unanswered(self._lab, node, self._deadline)
            if reason is None:
                self._observer(f"{node.name} answers")
                return None
            if node.name not in self._backend.running(self._lab):
                reason = "went off"
                break
            if time.monotonic() > self._deadline:
                break
            time.sleep(_ASK_EVERY)  # it may be on its way down, to come up again
        console = self._backend.console(self._lab, node).splitlines()[-_LAST_WORDS:]
        return "\n".join([f"{node.name} {reason}; its console ends with:", *(f"    {line}" for line in console)])

    def _silent(self, node: Node) -> str | None:
        """Why the host does not come as far as to listen; None when it does."""
        look_for_life = time.monotonic() + _LIFE_EVERY
        while _LISTENS not in (console := _last_boot(self._backend.console(self._lab, node))):
            now = time.monotonic()
            if panic := _PANIC.search(console):
                return f"panicked ({panic[1]})"
            if now > self._deadline:
                return "did not finish starting in time"
            if now > look_for_life:
                look_for_life = now + _LIFE_EVERY
                if not self._runs(node):
                    return "went off while it was starting"
            time.sleep(_LOOK_EVERY)  # nothing announces a line on a console
        return None

    def _runs(self, node: Node) -> bool:
        """Looked up once for all who wait: it takes a look at every process of the machine."""
        with self._turn:
            if time.monotonic() - self._looked >= _LIFE_EVERY:
                self._running, self._looked = self._backend.running(self._lab), time.monotonic()
            return node.name in self._running


def _last_boot(console: str) -> str:
    """A host that was rebooted from within goes on in the same console."""
    return console[max(0, console.rfind(_BEGINS)) :]


def _unanswered(lab: Lab, node: Node, deadline: float) -> str | None:
    """Why SSH or the engine do not answer; the engine's socket itself makes us wait until it is ready."""
    patience = max(5.0, deadline - time.monotonic())
    try:
        with connect_host(lab.host(node), timeout=patience, config=_NO_CONFIG) as connection:
            engine = connection.open_engine()
            engine.settimeout(patience)
            engine.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            answer = engine.recv()
            engine.close()
    except HostError as error:
        return f"started, but {error.text}"
    except TimeoutError:
        answer = b""
    return None if b" 200 OK" in answer else "started, but its Docker Engine does not answer"
