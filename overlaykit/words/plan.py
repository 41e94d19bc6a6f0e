"""A plan and what became of it: stages of steps, events while they run, a result at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from overlaykit.words.errors import OverlaykitError
from overlaykit.words.steps import Step

Phase = Literal["swarm", "network", "tiers", "discovery", "wire", "down"]
#: Those of `overlaykit up`, in order.
PHASES = ("swarm", "network", "tiers")
State = Literal["started", "progress", "done", "failed", "cancelled", "not begun"]


@dataclass(frozen=True)
class Plan:
    """What would be done, stage by stage: the steps of one stage run side by side, on all hosts.

    Empty when everything is already true. `notes` says what is, and what a choice costs.
    """

    phase: Phase
    stages: tuple[tuple[Step, ...], ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, phase: Phase, *groups: list[Step], notes: list[str] | None = None) -> Plan:
        """A plan whose stages are the groups that hold any step."""
        return cls(phase, tuple(tuple(group) for group in groups if group), tuple(notes or ()))

    def __iter__(self) -> Iterator[Step]:
        return (step for stage in self.stages for step in stage)

    def __len__(self) -> int:
        return sum(map(len, self.stages))

    @property
    def commands(self) -> tuple[str, ...]:
        """The docker commands, each with the host it would be typed on; secrets are masked."""
        return tuple(map(repr, self))

    def details(self) -> str:
        """The commands with the notes: addresses and versions are here."""
        return "\n".join([*(f"# {note}" for note in self.notes), *self.commands])

    def __repr__(self) -> str:
        """Only what is the same on every run."""
        return "\n".join(f"{step.host}: {step.title}" for step in self) or f"{self.phase}: nothing to do"


@dataclass(frozen=True)
class Event:
    """Something happened to a step while a plan is applied. `fraction` is of this step, where it is known."""

    phase: Phase
    step: Step
    state: State
    text: str = ""
    fraction: float | None = None


#: Whoever watches: a progress bar, a panel, a log. Called from several threads, one call at a time.
Observer = Callable[[Event], None]


@dataclass(frozen=True)
class Outcome:
    """How one step ended. `error` is the sentence of what went wrong."""

    step: Step
    state: State
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Result:
    """How a plan ended, one outcome per step: a failure hides no success."""

    phase: Phase
    outcomes: tuple[Outcome, ...] = ()

    @property
    def ok(self) -> bool:
        """Every step is done."""
        return all(outcome.state == "done" for outcome in self.outcomes)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The steps that did not end well."""
        return tuple(outcome for outcome in self.outcomes if outcome.state == "failed")

    def details(self) -> str:
        """Each step with the seconds it took."""
        return "\n".join(f"{o.state:<10}{o.seconds:6.2f} s  {o.step!r}" for o in self.outcomes)

    def __repr__(self) -> str:
        return "\n".join(f"{o.step.host}: {o.step.title}: {o.state}" for o in self.outcomes) or (
            f"{self.phase}: nothing was to be done"
        )


class ApplyFailed(OverlaykitError):
    """Some steps did not end well. `result` says which, and what was done before; applying again goes on."""

    def __init__(self, result: Result) -> None:
        self.result = result
        super().__init__("\n".join(dict.fromkeys(outcome.error for outcome in result.failed)))  # each said once
