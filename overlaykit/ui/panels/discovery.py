"""The panel of phase 3, which plans nothing: it asks, and shows the matrix and what it proves.

panel = DiscoveryPanel(hosts, stack)
panel                               # press Refresh
panel.prove()                       # the same, from a cell
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from overlaykit.remote.at_work import at_work
from overlaykit.ui.panels.buttons import button
from overlaykit.ui.panels.markup import count, findings_html, matrix_html
from overlaykit.ui.panels.panel import Panel
from overlaykit.words.facts import Facts
from overlaykit.words.findings import Findings
from overlaykit.words.probes import Answer
from overlaykit.words.stack import Stack

if TYPE_CHECKING:
    from overlaykit.kit import Hosts
    from overlaykit.verbs import DiscoveryPhase

_BEFORE = "press Refresh: each task is asked, from inside its own network, what it sees"


class DiscoveryPanel(Panel):
    """Who finds whom, by which name, and who answers. Asking writes an entry, which is struck out again."""

    title = "Phase 3: names"

    def __init__(self, hosts: Hosts, stack: Stack) -> None:
        self.stack = stack
        self._refresh = button("Refresh", "Ask every task and every host", self._start, button_style="primary")
        self._end = button("Cancel", "Ask nothing else: what is being asked ends first", self._stop, disabled=True)
        self._matrix, self._proof = widgets.HTML(), widgets.HTML()
        super().__init__(hosts, stack)
        self._say(_BEFORE)

    def prove(self) -> Findings:
        """As `hosts.discovery(panel.stack).prove()`, shown in the panel with its matrix."""
        return self._wait(self._start())

    def _parts(self) -> list[Any]:
        buttons = widgets.HBox([self._refresh, self._end, self._status])
        buttons.add_class("okp-buttons")
        return [buttons, self._alert, self._matrix, self._proof]

    def _set_busy(self, busy: bool) -> None:
        super()._set_busy(busy)
        self._refresh.disabled, self._end.disabled = busy, not busy

    def _start(self) -> Future[Findings]:
        return self._begin(self._ask)

    def _ask(self, cancel: threading.Event) -> Findings:
        with at_work(self.hosts.where, self._name):
            self._say("looking at the hosts")
            phase = self.hosts.discovery(self.stack)
            facts = phase.look()
            answers = self._answers(phase, facts, cancel) if self.hosts.allow_changes else None
            findings = phase.prove(facts=facts, answers=answers)
        self._proof.value = findings_html(findings)
        self._say("proven" if findings.ok else "not so: see the proof")
        return findings

    def _answers(self, phase: DiscoveryPhase, facts: Facts, cancel: threading.Event) -> tuple[Answer, ...]:
        """What was answered, counted as it comes in; the matrix is drawn from it."""
        heard: list[Answer] = []

        def hear(answer: Answer) -> None:
            heard.append(answer)
            going_on = "cancelling" if cancel.is_set() else "asking"
            self._say(f"{going_on}: {count(len(heard), 'answer')} so far, the last from {answer.probe.host}")

        answers = phase.ask(facts, hear, cancel)
        rows = phase.matrix(facts, answers)
        self._matrix.value = matrix_html(rows) if rows else ""
        return answers
