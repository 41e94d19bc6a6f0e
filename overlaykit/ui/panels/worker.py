"""The thread behind a panel.

worker = Worker("NetworkPanel(guestbook)")
worker.submit(plan).result()        # one piece of work after the other, in one thread
worker.soon(plan)                   # the same, once nobody has asked for it again for a moment

A kernel's callbacks must not wait: while one does, no button is heard. So panels begin work here and go on.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

#: Seconds without another change after which the plan is made anew: whoever types is not interrupted.
MOMENT = 0.5


class Worker:
    """One thread, started with the first piece of work. It ends with the kernel, not with the browser's tab."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._timer: threading.Timer | None = None

    def submit(self, do: Callable[[], T]) -> Future[T]:
        """Do it after what was submitted before."""
        future: Future[T] = Future()
        self._work.put(lambda: _carry_out(do, future))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        return future

    def soon(self, do: Callable[[], Any]) -> None:
        """Do it in a moment, unless it is asked for again, or called off, by then."""
        self.call_off()
        self._timer = threading.Timer(MOMENT, self.submit, (do,))
        self._timer.daemon = True
        self._timer.start()

    def call_off(self) -> None:
        """Forget what was to be done soon."""
        if self._timer is not None:
            self._timer.cancel()

    def _run(self) -> None:
        while True:
            self._work.get()()


def _carry_out(do: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(do())
    except BaseException as error:  # noqa: BLE001  (whoever waits is told, and the thread lives on)
        future.set_exception(error)
