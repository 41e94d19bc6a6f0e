"""Perform the steps of a plan: each kind of step is one small function of Docker SDK calls.

    result = apply_plan(fleet, plan, observer=print)

The steps of a stage run side by side; the next stage begins when all of them have ended. Applying again
after any failure or cancel goes on from what is true by then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from overlaykit.remote.engine import engine_errors
from overlaykit.remote.faults import own_fault
from overlaykit.remote.fleet import Fleet
from overlaykit.remote.perform import perform
from overlaykit.remote.work import Work
from overlaykit.words.errors import Cancelled, OverlaykitError
from overlaykit.words.plan import ApplyFailed, Event, Observer, Outcome, Phase, Plan, Result, State
from overlaykit.words.steps import Step

#: Seconds that one step may take.
DEADLINE = 180.0


def apply_plan(
    fleet: Fleet,
    plan: Plan,
    *,
    observer: Observer | None = None,
    cancel: threading.Event | None = None,
    deadline: float = DEADLINE,
) -> Result:
    """Do what the plan says; `deadline` is in seconds, for each step.

    Raises ApplyFailed (with the Result, so that what succeeded is not lost) and Cancelled.
    """
    run = _Run(fleet, plan.phase, _in_turn(observer), cancel or threading.Event(), deadline)
    outcomes: list[Outcome] = []
    for stage in plan.stages:
        if run.cancel.is_set() or any(outcome.state != "done" for outcome in outcomes):
            outcomes += [Outcome(step, "not begun") for step in stage]
            continue
        outcomes += _side_by_side(run, stage)
    result = Result(plan.phase, tuple(outcomes))
    if result.failed:
        raise ApplyFailed(result) from (run.faults[0] if run.faults else None)
    if not result.ok:
        raise Cancelled(f"{plan.phase}: cancelled; applying again goes on from here")
    return result


def _side_by_side(run: _Run, stage: Sequence[Step]) -> list[Outcome]:
    pool = ThreadPoolExecutor(len(stage), "apply")
    try:
        return list(pool.map(run.step, stage))
    except BaseException:
        run.cancel.set()  # interrupted: what still waits for something, unwatched, gives up
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # nothing is left to wait for, unless Ctrl-C was pressed


@dataclass(frozen=True)
class _Run:
    """One plan being applied."""

    fleet: Fleet
    phase: Phase
    report: Observer
    cancel: threading.Event
    deadline: float
    faults: list[Exception] = field(default_factory=list)  # the kit's own: whoever debugs wants their traceback

    def step(self, step: Step) -> Outcome:
        """One step, timed, its end reported whichever way it ended."""

        def tell(state: State, text: str = "", fraction: float | None = None) -> None:
            self.report(Event(self.phase, step, state, text, fraction))

        began = time.monotonic()
        tell("started")
        state, error = self._try(step, Work(self.fleet, tell, self.cancel, began + self.deadline))
        tell(state, error)
        return Outcome(step, state, time.monotonic() - began, error)

    def _try(self, step: Step, work: Work) -> tuple[State, str]:
        try:
            with engine_errors(step.host):
                perform(step, self.fleet[step.host], work)
        except Cancelled as cancelled:
            return "cancelled", str(cancelled)
        except OverlaykitError as error:
            return "failed", str(error)
        except Exception as error:  # noqa: BLE001  (or one step's fault would hide how the others ended)
            self.faults.append(error)
            return "failed", own_fault(step.host, error)
        return "done", ""


def _in_turn(observer: Observer | None) -> Observer:
    """An observer that is called one event at a time, though steps run side by side."""
    turn = threading.Lock()

    def report(event: Event) -> None:
        if observer is not None:
            with turn:
                observer(event)

    return report
