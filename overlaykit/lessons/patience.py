"""Looking again until it is so, or for as long as anybody would.

>>> facts = until(lambda facts: not are_starting(facts), hosts.look, 20.0)
>>> with Patience(30.0) as patience:
...     phase.apply(patience.moved, patience.over)      # cancelled once nothing has moved for half a minute
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_not_result, stop_after_delay, wait_fixed

from overlaykit.words.plan import Event

T = TypeVar("T")


def until(is_so: Callable[[T], bool], look: Callable[[], T], seconds: float) -> T:
    """What was seen when it was so, or last."""
    patience = Retrying(
        retry=retry_if_not_result(is_so),
        wait=wait_fixed(0.3),
        stop=stop_after_delay(seconds),
        # It is only reached with an outcome: a look that raises is not asked again.
        retry_error_callback=lambda last: last.outcome.result() if last.outcome else look(),
    )
    seen: T = patience(look)
    return seen


class Patience:
    """Ends once nothing has moved for some seconds: `over` is set then."""

    def __init__(self, seconds: float) -> None:
        self.over = threading.Event()
        self._seconds = seconds
        self._timer = threading.Timer(0, self.over.set)

    def moved(self, event: Event | None = None) -> None:
        """Begin anew."""
        self._timer.cancel()
        self._timer = threading.Timer(self._seconds, self.over.set)
        self._timer.daemon = True
        self._timer.start()

    def __enter__(self) -> Patience:
        self.moved()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
