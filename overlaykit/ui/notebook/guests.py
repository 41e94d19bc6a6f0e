"""Guests that keep coming while something is changed, and a plot of what each of them got.

guests = Guests(hosts, stack, "node1")      # one request after the other, from now on; shows itself as it goes
guests.stop()                               # the plot as it ended
guests.failed                               # how many were turned away
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import ipywidgets

from overlaykit.kit import Hosts
from overlaykit.lessons.visits import Visit, guest_address, visit
from overlaykit.ui.notebook.plot import Dot, plot
from overlaykit.words.stack import Stack

#: Seconds between a guest that has been served and the next; all go home by themselves in the end.
PAUSE = 0.2
LONGEST = 240.0
#: Seconds between two drawings.
REDRAW = 0.5


@dataclass(frozen=True)
class Served:
    """What one guest got, when (seconds since the first), and after how long."""

    at: float
    seconds: float
    visit: Visit


class Guests(ipywidgets.VBox):
    """A thread sends them; only traits of the widget are set from it."""

    def __init__(self, hosts: Hosts, stack: Stack, name: str) -> None:
        self.name = name
        self.served: list[Served] = []
        guest_address(hosts.inventory[name], stack.frontend.published_port)  # what cannot be asked is refused here
        self._ask: Callable[[], Visit] = partial(visit, hosts, stack, name)
        self._stopped = threading.Event()
        self._began = time.monotonic()
        self._drawing = ipywidgets.HTML()
        super().__init__([self._drawing])
        self._view_count = 0  # so that a page that has come says so: it missed what was drawn while it was loaded
        self.observe(lambda _: self._drawing.send_state(), "_view_count")
        self._thread = threading.Thread(target=self._keep_coming, name=f"guests of {name}", daemon=True)
        self._thread.start()

    @property
    def failed(self) -> int:
        """How many did not get what they asked for."""
        return sum(not one.visit.ok for one in self.served)

    @property
    def coming(self) -> bool:
        """Do guests still come?"""
        return self._thread.is_alive()

    def stop(self) -> Guests:
        """No further guest comes; the one who is being served is waited for."""
        self._stopped.set()
        self._thread.join()
        return self

    def _keep_coming(self) -> None:
        drawn = 0.0
        while not self._stopped.wait(PAUSE) and self._now() < LONGEST:
            at = self._now()
            seen = self._ask()
            self.served.append(Served(at, self._now() - at, seen))
            if self._now() - drawn > REDRAW:
                drawn = self._now()
                self._draw()
        self._draw()

    def _draw(self) -> None:
        self._drawing.value = f'<div role="status">{plot(self._dots())}</div>'

    def _dots(self) -> list[Dot]:
        return [Dot(one.at, one.seconds, one.visit.ok) for one in self.served]

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _repr_mimebundle_(self, **settings: Any) -> dict[str, Any]:
        """The drawing also as it is now, for a notebook that is read without a kernel."""
        return {**super()._repr_mimebundle_(**settings), "image/svg+xml": plot(self._dots()), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"Guests({self.name})"
