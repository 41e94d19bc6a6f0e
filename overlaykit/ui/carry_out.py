"""One phase carried out before a person's eyes: show the plan, ask, apply, prove.

>>> findings, facts = carry_out(run, hosts.network(stack), hosts.look(), yes=False)
>>> findings.ok
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from overlaykit.ui.options import Run
from overlaykit.ui.progress import progress
from overlaykit.ui.screen import stop_on_interrupt
from overlaykit.ui.tables import print_findings, print_plan
from overlaykit.words.errors import Cancelled
from overlaykit.words.facts import Facts
from overlaykit.words.findings import Findings
from overlaykit.words.plan import Plan

if TYPE_CHECKING:
    from overlaykit.connected import Connected
    from overlaykit.verbs import Phase


def carry_out(
    run: Run, phase: Phase, facts: Facts, *, yes: bool, recreate: bool = False, packets: bool = True
) -> tuple[Findings, Facts]:
    """What the phase proves in the end, and the facts by then. Raises what the phase raises."""
    plan = phase.plan(facts=facts, recreate=recreate)
    run.envelope.add_plan(plan)
    print_plan(run.screen, plan)
    if plan:
        consent(run, phase, plan, yes)
        _apply(run, phase, plan)
        facts = phase.look(facts)
    elif yes:  # nothing to agree to but the proof, whose probes are changes too
        phase.hosts.allow_changes = True
    findings = phase.prove(facts=facts, packets=packets)
    run.envelope.add_findings(findings)
    print_findings(run.screen, findings)
    return findings, facts


def consent(run: Run, phase: Phase, plan: Plan, yes: bool) -> None:
    """Hosts that no lab made are other people's: nothing of a plan is done before a person has agreed to it."""
    touched = ", ".join(dict.fromkeys(step.host for step in plan))
    question = f"Apply these steps of {plan.phase} to {touched}?"
    instead = f"no lab made {touched}, and nobody is here to agree to this plan: look at it, then add --yes"
    if not _agreed(run, phase.hosts, question, instead, yes=yes):
        raise Cancelled(f"Nothing of {plan.phase} was changed, since the answer was no.")


def agree(run: Run, hosts: Connected, what: str, yes: bool) -> None:
    """The same for what no plan shows: a proof that leaves nothing, and does something all the same."""
    names = ", ".join(host.name for host in hosts.inventory)
    question = f"No lab made {names}. May overlaykit {what}?"
    instead = f"no lab made {names}, and nobody is here to agree: this would {what}. Add --yes to allow it"
    if not _agreed(run, hosts, question, instead, yes=yes):
        raise Cancelled("The hosts were looked at, and nothing else, since the answer was no.")


def _agreed(run: Run, hosts: Connected, question: str, instead: str, *, yes: bool) -> bool:
    """A lab's hosts are never asked for; whoever agrees has done so until these hosts are let go."""
    if hosts.inventory.lab is None and not (yes or run.screen.confirm(question, instead)):
        return False
    hosts.allow_changes = True
    return True


def _apply(run: Run, phase: Phase, plan: Plan) -> None:
    with (
        progress(run.screen, run.envelope.watch) as observer,
        stop_on_interrupt(run.screen) as cancel,
    ):
        phase.apply(observer, cancel, plan=plan)
