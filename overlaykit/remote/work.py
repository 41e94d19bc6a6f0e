"""What a step may use while it is performed: the fleet, its observer, its cancel button and its deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from overlaykit.remote.fleet import Fleet
from overlaykit.words.errors import Cancelled, DeadlinePassed
from overlaykit.words.plan import State

#: Seconds between two looks at a condition that nothing announces. Swarm sends no event when a task starts. A look
#: costs a small host more than it saves: at ten a second, a manager spent a quarter of its time on answering.
BETWEEN_LOOKS = 0.25


class Tell(Protocol):
    """Reports how a step goes."""

    def __call__(self, state: State, text: str = "", fraction: float | None = None) -> None: ...


@dataclass(frozen=True)
class Work:
    """Handed to each step. `until` is a time of `time.monotonic()`."""

    fleet: Fleet
    tell: Tell
    cancel: threading.Event
    until: float

    def within(self, seconds: float) -> Work:
        """The same work with less time."""
        return replace(self, until=min(self.until, time.monotonic() + seconds))

    def wait(self, unmet: Callable[[], str | None]) -> None:
        """Wait until `unmet` returns None; what it returns instead is the reason shown, and the error at the end.

        Raises DeadlinePassed with the last reason, and Cancelled.
        """
        said = None
        while (reason := unmet()) is not None:
            if time.monotonic() > self.until:
                raise DeadlinePassed(reason)
            if reason != said:
                self.tell("progress", reason)
                said = reason
            if self.cancel.wait(BETWEEN_LOOKS):
                raise Cancelled(f"cancelled while waiting: {reason}")
