"""How the steps of a plan go, host by host: an observer that draws.

steps = Steps()
steps.begin(plan)
phase.apply(steps.watch)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import ipywidgets as widgets

from overlaykit.words.plan import Event, Plan
from overlaykit.words.steps import Step

_WORDS = {
    "waiting": "waits",
    "not begun": "not begun",
    "started": "runs",
    "progress": "runs",
    "done": "✓ done",
    "failed": "✗ FAILED",
    "cancelled": "cancelled",
}


@dataclass
class _Line:
    """One step, as far as it has come."""

    step: Step
    state: str = "waiting"
    text: str = ""
    fraction: float = 0.0
    began: float = 0.0
    seconds: float = 0.0


class Steps(widgets.HTML):
    """A bar for each host, and beneath it a line for each of its steps."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[_Line] = []
        self._told: Callable[[str], None] = lambda _: None

    def begin(self, plan: Plan, told: Callable[[str], None]) -> None:
        """Draw the steps, all waiting; `told` hears how many are done."""
        self._told = told
        self._lines = [_Line(step) for step in plan]
        self._draw()

    def end(self) -> None:
        """What still waits will not begin."""
        for line in self._lines:
            line.state = "not begun" if line.state == "waiting" else line.state
        self._draw()

    def clear(self) -> None:
        """Nothing is drawn: what was done is done, and something else is wanted now."""
        self._lines = []
        self.value = ""

    def watch(self, event: Event) -> None:
        """An observer of `Phase.apply`."""
        line = next(line for line in self._lines if line.step is event.step)
        now = time.monotonic()
        line.began = line.began or now
        line.seconds = now - line.began
        line.state, line.text = event.state, event.text
        line.fraction = 1.0 if event.state == "done" else event.fraction or 0.0
        self._draw()

    def _draw(self) -> None:
        hosts = dict.fromkeys(line.step.host for line in self._lines)
        self.value = f'<div class="okp-steps">{"".join(map(self._host, hosts))}</div>'
        done = sum(line.state == "done" for line in self._lines)
        self._told(f"{done} of {len(self._lines)} done")

    def _host(self, host: str) -> str:
        lines = [line for line in self._lines if line.step.host == host]
        done = sum(line.state == "done" for line in lines)
        share = sum(line.fraction for line in lines)
        head = (
            f'<div class="okp-host"><b>{escape(host)}</b>'
            f'<progress aria-label="{escape(host)}" max="{len(lines)}" value="{share:.2f}"></progress>'
            f"<span>{done} of {len(lines)} done</span></div>"
        )
        return f"{head}<ul>{''.join(map(_item, lines))}</ul>"

    def __repr__(self) -> str:
        return f"Steps({len(self._lines)})"


def _item(line: _Line) -> str:
    seconds = f" in {line.seconds:.1f} s" if line.state == "done" else ""
    why = "" if line.state in ("done", "failed") else line.text  # what failed is told once, beneath
    return (
        f'<li class="okp-{line.state.replace(" ", "-")}"><span>{escape(line.step.title)}</span>'
        f" <b>{_WORDS[line.state]}{seconds}</b> <em>{escape(why)}</em></li>"
    )
