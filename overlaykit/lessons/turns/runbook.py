"""Lesson 10: what was changed by hand at night is put right by hand, until the runbook's plan is empty again."""

from __future__ import annotations

from collections.abc import Iterator

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from overlaykit.kit import Hosts
from overlaykit.lessons.verdict import Verdict
from overlaykit.words.errors import PlanRefused
from overlaykit.words.plan import Plan
from overlaykit.words.stack import Stack
from overlaykit.words.steps import AwaitService, ForgetNode, Step, UpdateService

GOAL = "the runbook's plan is empty, and every tier runs"
#: Seconds that tasks get to restart: an engine waits a minute for the end of a task that never ran, such as one whose
#: port the task before it still held.
PATIENCE = 90.0


def check(hosts: Hosts, stack: Stack) -> Verdict:
    """No phase has a step left for this stack, and the tiers are proven."""
    patience = Retrying(
        retry=retry_if_result(_is_starting),
        wait=wait_fixed(0.3),
        stop=stop_after_delay(PATIENCE),
        retry_error_callback=lambda last: last.outcome.result() if last.outcome else (),
    )
    try:
        steps: tuple[Step, ...] = patience(lambda: tuple(_steps(hosts, stack)))
    except PlanRefused as refused:
        return Verdict(GOAL, passed=False, hint=refused.reasons[0])
    hint = _left(steps) if steps else _unproven(hosts, stack)
    return Verdict(GOAL, not hint, hint)


def _steps(hosts: Hosts, stack: Stack) -> Iterator[Step]:
    facts = hosts.look()
    plans: list[Plan] = [phase.plan(facts=facts) for phase in hosts.phases(stack)]
    yield from (step for plan in plans for step in plan)


def _is_starting(steps: tuple[Step, ...]) -> bool:
    """Everything is as the stack says, but for tasks that are on their way."""
    return bool(steps) and all(isinstance(step, AwaitService) for step in steps)


def _left(steps: tuple[Step, ...]) -> str:
    """The first step, and how many more: what it changes, but not how."""
    first = next((step for step in steps if not isinstance(step, AwaitService)), steps[0])
    if isinstance(first, ForgetNode):
        said = "forget a node, because its label names another host"
    elif isinstance(first, UpdateService):
        said = f"{first.title}, because of its {', '.join(sorted(_flag(change.field) for change in first.changes))}"
    else:
        said = first.title
    return f"the plan would still do this: {said}"


def _flag(field: str) -> str:
    """As `docker service update --help` has it."""
    return "update order" if field == "stop_first" else field


def _unproven(hosts: Hosts, stack: Stack) -> str:
    found = hosts.tiers(stack).prove()
    return next((finding.title for finding in found if finding.severity == "error"), "")
