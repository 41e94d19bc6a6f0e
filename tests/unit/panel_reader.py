"""A panel as its reader sees and presses it: what it shows, its buttons, its inputs.

reader = Reader(NetworkPanel(kit, Stack()))
reader.turn("network.subnet", "10.30.0.0/24")
reader.press("Apply")
assert "done" in reader.text
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import ipywidgets as widgets

from overlaykit.ui.panels.form import Control

DEADLINE = 10.0


def until(true: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    latest = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < latest, "it did not come true"
        time.sleep(0.005)


class Reader:
    """Whoever sits before the panel."""

    def __init__(self, panel: Any) -> None:
        self.panel = panel

    @property
    def text(self) -> str:
        """All that is displayed."""
        parts = (one for one in self.widgets() if isinstance(one, widgets.HTML) and self._is_seen(one))
        return unescape("\n".join(one.value for one in parts))

    @property
    def status(self) -> str:
        """What the panel says of its work."""
        return self.text.partition('role="status">')[2].partition("<")[0]

    @property
    def alerts(self) -> list[str]:
        """What is read out at once."""
        return [part.partition("</")[0].replace("<p>", "") for part in self.text.split('role="alert">')[1:]]

    def button(self, name: str) -> Any:
        """The button of that name."""
        buttons = (one for one in self.widgets() if isinstance(one, widgets.Button))
        return next(one for one in buttons if one.description == name)

    def press(self, name: str, *, wait: bool = True) -> None:
        """Press a button that can be pressed; wait until the work behind it has ended."""
        assert not self.button(name).disabled, f"{name} cannot be pressed now"
        self.button(name).click()
        if wait:
            self.wait()

    def wait(self) -> None:
        """Until the worker has done all that was asked of it."""
        self.panel._worker.submit(lambda: None).result(DEADLINE)

    def control(self, parameter: str) -> Control:
        """The control of a parameter."""
        controls = (one for one in self.widgets() if isinstance(one, Control))
        return next(one for one in controls if one.parameter == parameter)

    def turn(self, parameter: str, value: Any) -> None:
        """Give an input another value, as a browser does."""
        self.control(parameter).input.value = value

    def widgets(self) -> Iterator[Any]:
        """The panel and all that is in it."""
        return self._inside(self.panel)

    def _inside(self, widget: Any) -> Iterator[Any]:
        yield widget
        for child in getattr(widget, "children", ()):
            yield from self._inside(child)

    def _is_seen(self, widget: Any) -> bool:
        return bool(widget.layout.display != "none")
