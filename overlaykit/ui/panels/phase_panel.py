"""A panel of a phase that plans: turn, plan, apply, prove.

What is turned becomes `panel.stack` at once, and its plan soon. Apply runs in the panel's worker, so it goes on
when the browser's tab is closed; the panel, shown again or made again by its cell, tells where it is.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import ipywidgets as widgets

from overlaykit.remote.at_work import at_work
from overlaykit.ui.panels.buttons import Buttons
from overlaykit.ui.panels.export import Export
from overlaykit.ui.panels.form import Form
from overlaykit.ui.panels.markup import count, findings_html, plan_html
from overlaykit.ui.panels.panel import Panel
from overlaykit.ui.panels.steps import Steps
from overlaykit.words.errors import Cancelled, PlanRefused
from overlaykit.words.facts import Facts
from overlaykit.words.findings import Findings
from overlaykit.words.plan import ApplyFailed, Plan, Result
from overlaykit.words.stack import Stack

if TYPE_CHECKING:
    from overlaykit.kit import Hosts
    from overlaykit.verbs import Phase

_NOT_OURS = (
    "These hosts are not the lab's: Apply is off until somebody allows changes. Look at the plan, then say "
    "ALLOW_CHANGES = True in the lesson's parameters, or connect(…, allow_changes=True)."
)
#: Of a plan that is not that of the values above it any more, or not yet.
_STALE = "okp-stale"


class _Asked(NamedTuple):
    """What was chosen when a plan was asked for; what is turned later is another's."""

    phase: Phase
    stack: Stack
    hosts: Hosts
    recreate: bool


class PhasePanel(Panel):
    """`phase` is the name under which the hosts know it; `tables` are those of the stack that it shows."""

    phase: ClassVar[str]
    tables: ClassVar[tuple[str, ...]]
    can_recreate: ClassVar[bool] = False

    def __init__(self, hosts: Hosts, stack: Stack) -> None:
        names = [host.name for host in hosts.inventory]
        self._form = Form(stack, self.tables, hosts=names, turned=self._turned)
        self._recreate = _recreate_box(self.can_recreate)
        self._recreate.observe(lambda _: self._turned(), "value")
        self._buttons = Buttons(
            plan=self._plan_now,
            apply=lambda: self._start_apply(pressed=True),
            cancel=self._stop,
            prove=self._start_prove,
            export=lambda: self._export.show(self.stack),
        )
        self._not_ours = widgets.HTML("" if hosts.allow_changes else f'<p class="okp-note">{_NOT_OURS}</p>')
        self._steps, self._plan_view, self._proof, self._export = Steps(), widgets.HTML(), widgets.HTML(), Export()
        self._planned: tuple[str, ...] | None = None
        self._displayed = False
        super().__init__(hosts, stack)
        self._follow()

    @property
    def stack(self) -> Stack:
        """What the panel shows: a new one after each change."""
        return self._form.stack

    def plan(self) -> Plan:
        """Look, and show what would be done."""
        return self._wait(self._plan_now())

    def apply(self) -> Result:
        """As `hosts.network(panel.stack).apply()`, shown in the panel."""
        return self._wait(self._start_apply(pressed=False))

    def prove(self) -> Findings:
        """As `hosts.network(panel.stack).prove()`, shown in the panel."""
        return self._wait(self._start_prove())

    def _parts(self) -> list[Any]:
        told = [self._buttons, self._not_ours, self._status, self._alert]
        return [self._form, self._recreate, *told, self._steps, self._plan_view, self._proof, self._export]

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Shown for the first time, it looks at the hosts."""
        if not self._displayed:
            self._displayed = True
            self._plan_now()
        return super()._repr_mimebundle_(**kwargs)

    @property
    def _refused(self) -> bool:
        """Is any value refused?"""
        return bool(self._form.refused)

    def _asked(self) -> _Asked:
        return _Asked(getattr(self.hosts, self.phase)(self.stack), self.stack, self.hosts, self._recreate.value)

    def _turned(self) -> None:
        self._worker.call_off()
        self._follow()
        self._plan_view.add_class(_STALE)
        if not self._busy:  # what is being done is shown to its end
            self._steps.clear()
            self._alert.value = self._proof.value = ""
            self._say("a value is refused: the plan waits for one that is allowed" if self._refused else "changed")
        if not self._refused:
            self._worker.soon(lambda: self._shown(self._look_and_plan))

    def _set_busy(self, busy: bool) -> None:
        super()._set_busy(busy)
        self._follow()

    def _follow(self) -> None:
        self._buttons.follow(busy=self._busy, refused=self._refused, may_change=self.hosts.allow_changes)

    def _plan_now(self) -> Future[Plan]:
        return self._worker.submit(lambda: self._shown(self._look_and_plan))

    def _start_apply(self, *, pressed: bool) -> Future[Result]:
        self._worker.call_off()  # what was turned just before is planned by this: else its plan came behind the result
        asked = self._asked()
        return self._begin(lambda cancel: self._apply(asked, cancel, pressed=pressed))

    def _start_prove(self) -> Future[Findings]:
        phase = self._asked().phase
        return self._begin(lambda cancel: self._look_and_prove(phase, cancel))

    def _look_and_plan(self) -> Plan:
        self._say("looking at the hosts")
        asked = self._asked()
        plan = self._show_plan(asked, asked.phase.look())
        found = f"{count(len(plan), 'step')} to do" if plan else "nothing to do"
        self._say(f"{found}, as seen at {datetime.now():%H:%M:%S}")
        return plan

    def _show_plan(self, asked: _Asked, facts: Facts) -> Plan:
        self._plan_view.value, self._planned = "", None
        plan = asked.phase.plan(facts=facts, recreate=asked.recreate)
        self._plan_view.value, self._planned = plan_html(plan), plan.commands
        if asked[1:] == self._asked()[1:] and not self._refused:
            self._plan_view.remove_class(_STALE)
        return plan

    def _apply(self, asked: _Asked, cancel: threading.Event, *, pressed: bool) -> Result:
        """What is turned meanwhile is another stack's: the phase stays the one that was begun with."""
        with at_work(asked.hosts.where, self._name):
            self._say("looking at the hosts")
            before, facts = self._planned, asked.phase.look()
            plan = self._show_plan(asked, facts)
            if pressed and asked.hosts.inventory.lab is None and plan.commands != before:
                raise PlanRefused("This plan was not shown yet: nothing was changed. Read it, then press Apply again.")
            result, facts = self._carry_out(asked, plan, facts, cancel)
            self._recreate.value = False  # what was agreed to once is not agreed to for ever
            self._show_plan(asked._replace(recreate=False), facts)
            if pressed:
                self._show_proof(asked.phase, facts, cancel)
        done = len(result.outcomes)
        self._say(f"applied: {count(done, 'step')} done" if done else "nothing was to be done")
        return result

    def _carry_out(self, asked: _Asked, plan: Plan, facts: Facts, cancel: threading.Event) -> tuple[Result, Facts]:
        """What was done, and what is so then; when it ends badly, the plan that is left is shown all the same."""
        self._steps.begin(plan, lambda done: self._say(f"{'cancelling' if cancel.is_set() else 'applying'}: {done}"))
        try:
            result = asked.phase.apply(self._steps.watch, cancel, plan=plan)
        except (ApplyFailed, Cancelled):
            self._steps.end()
            with suppress(PlanRefused):  # what went wrong first is what is told
                self._show_plan(asked, asked.phase.look(facts))
            raise
        return result, asked.phase.look(facts)

    def _look_and_prove(self, phase: Phase, cancel: threading.Event) -> Findings:
        with at_work(self.hosts.where, self._name):
            return self._show_proof(phase, phase.look(), cancel)

    def _show_proof(self, phase: Phase, facts: Facts, cancel: threading.Event) -> Findings:
        self._say("proving")
        findings = phase.prove(facts=facts, cancel=cancel)
        self._proof.value = findings_html(findings)
        self._say("proven" if findings.ok else "not so: see the proof")
        return findings


def _recreate_box(is_shown: bool) -> Any:
    layout = widgets.Layout(width="auto", display=None if is_shown else "none")
    words = "take down and make anew what cannot be changed in place (--recreate)"
    return widgets.Checkbox(False, description=words, indent=False, layout=layout)
