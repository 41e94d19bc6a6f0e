"""The commands on hosts: look, plan, apply, prove, one phase after the other.

overlaykit hosts
overlaykit plan network
overlaykit up --until network
overlaykit check
overlaykit down
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from overlaykit.phases.assumed import after
from overlaykit.ui.carry_out import agree, carry_out
from overlaykit.ui.options import Run, Target, for_machines, on_hosts, yes_option
from overlaykit.ui.progress import waiting
from overlaykit.ui.screen import stop_on_interrupt
from overlaykit.ui.tables import hosts_table, matrix_table, print_findings, print_plan, verdict, where_to_look
from overlaykit.words.errors import PlanRefused
from overlaykit.words.facts import Facts
from overlaykit.words.plan import PHASES
from overlaykit.words.stack import Stack

if TYPE_CHECKING:
    from overlaykit.kit import Hosts

FINE, FAILED, PENDING = 0, 1, 3

adopt_option = click.option(
    "--adopt", is_flag=True, help="Use a swarm that the kit did not make; `down` will leave it as it is."
)
recreate_option = click.option(
    "--recreate", is_flag=True, help="Take down and make again what cannot be changed in place."
)


@click.command()
@for_machines
@click.pass_obj
def init(run: Run) -> int:
    """Write hosts.ini and stack.toml, with comments, into this folder.

    \b
    $ overlaykit init
    """
    from overlaykit.examples import init_files  # noqa: PLC0415  (only this command reads the examples)

    for path in init_files(Path.cwd()):
        run.screen.say(f"wrote {path.name}")
    run.screen.say("Next: put your servers into hosts.ini, then: overlaykit hosts")
    return FINE


@click.command()
@on_hosts
def hosts(run: Run, target: Target) -> int:
    """Reach every host and show what it is.

    \b
    $ overlaykit hosts --inventory hosts.ini
    """
    with target.connect(run) as reached:
        facts = _look(run, reached)
        run.screen.show(hosts_table(reached.inventory, facts))
        silent = [f"{host.name}: {host.error}" for host in facts if host.error]
    for sentence in silent:
        run.screen.fail(sentence)
    run.envelope.error = "\n".join(silent)
    return FAILED if silent else FINE


@click.command()
@click.argument("phase", required=False, metavar="[PHASE]", type=click.Choice(PHASES))
@adopt_option
@recreate_option
@on_hosts
def plan(run: Run, target: Target, *, phase: str | None, adopt: bool, recreate: bool) -> int:
    """Show what would be done, as docker commands, and change nothing.

    PHASE is one of swarm, network, tiers; without it, all three, each as if those before it had been carried
    out. Exits 3 when something would be done.

    \b
    $ overlaykit plan network --set network.encrypted=true
    """
    stack = target.stack()
    pending = 0
    with target.connect(run, adopt=adopt) as reached:
        facts = _look(run, reached)
        for name in [phase] if phase else PHASES:
            made = getattr(reached, name)(stack).plan(facts=facts, recreate=recreate)
            run.envelope.add_plan(made)
            print_plan(run.screen, made)
            pending += len(made)
            facts = after(made, facts)
    return PENDING if pending else FINE


@click.command()
@click.option("--until", type=click.Choice(PHASES), default=PHASES[-1], help="The last phase to carry out.")
@adopt_option
@recreate_option
@yes_option
@on_hosts
def up(run: Run, target: Target, *, until: str, adopt: bool, recreate: bool, yes: bool) -> int:
    """Form the swarm, create the network, deploy the three tiers.

    Shows the plan of each phase, applies it and proves it. A second run changes nothing.

    \b
    $ overlaykit up --inventory lab --set frontend.replicas=3
    """
    stack = target.stack()
    chosen = {f"--until={until}": until != PHASES[-1], "--adopt": adopt, "--recreate": recreate}
    again = target.command("up", *(option for option, given in chosen.items() if given))
    with target.connect(run, adopt=adopt) as reached:
        facts = _look(run, reached)
        for phase in reached.phases(stack, until):
            try:
                findings, facts = carry_out(run, phase, facts, yes=yes, recreate=recreate, packets=phase.name == until)
            except PlanRefused as refused:
                raise refused.after(run.envelope.phases_with_steps) from None
            if not findings.ok:
                run.screen.fail(f"Stopped at {phase.name}, which is not proven; once mended: {again}")
                return FAILED
        if until == PHASES[-1]:
            _say_where(run, reached, stack)
    run.screen.say(f"Next: {target.command('check')}; to remove it all: {target.command('down')}")
    return FINE


@click.command()
@click.option(
    "--persistence",
    is_flag=True,
    help="Kill the database's container too, and prove that what was written outlives it. Practice hosts only.",
)
@yes_option
@on_hosts
def check(run: Run, target: Target, *, persistence: bool, yes: bool) -> int:
    """Prove that names resolve and traffic flows across hosts.

    Asked from inside each running task, then through port 80 of each host: it writes an entry
    through each and strikes it out again, and starts probes that end with it. On hosts that no
    lab made, it asks first.
    Exits 1 when anything is not as it should be, or when nothing could be seen to be.

    \b
    $ overlaykit check --json
    """
    stack = target.stack()
    with target.connect(run) as reached:
        if persistence:
            _require_lab(reached)
        phase = reached.discovery(stack)
        facts = _look(run, reached)
        if facts.swarm is not None:  # else there is nobody to probe
            agree(run, reached, "start short-lived probes there, and write entries that are struck out again", yes)
        with (
            waiting(run.screen, "asking every task and host") as heard,
            stop_on_interrupt(run.screen),  # once they were written, entries are struck out again
        ):
            answers = phase.ask(facts, lambda answer: heard(answer.probe.key))
        rows, findings = phase.matrix(facts, answers), phase.prove(facts=facts, answers=answers)
        if persistence:
            with waiting(run.screen, "killing the database's container, and reading back what was written"):
                findings += phase.prove_persistence()
    run.envelope.add_findings(findings)
    run.envelope.matrix = [asdict(row) for row in rows]
    if rows:
        run.screen.show(matrix_table(rows))
    print_findings(run.screen, findings)
    run.screen.say(verdict(findings), style="bold")
    return FINE if findings.ok and findings.count()["ok"] else FAILED  # where nothing was seen, nothing is proven


@click.command()
@click.option("--volumes", is_flag=True, help="Remove the volumes too: the guest book's data is lost.")
@yes_option
@on_hosts
def down(run: Run, target: Target, *, volumes: bool, yes: bool) -> int:
    """Remove what the kit made, and prove that nothing is left.

    Volumes with data are kept unless --volumes is given.

    \b
    $ overlaykit down --inventory hosts.ini --yes
    """
    stack = target.stack()
    with target.connect(run) as reached:
        phase = reached.down(stack, volumes=volumes)
        findings, _ = carry_out(run, phase, _look(run, reached), yes=yes)
    return FINE if findings.ok else FAILED


def _require_lab(reached: Hosts) -> None:
    """Nobody's own database is killed for a proof."""
    if reached.inventory.lab is None:
        raise PlanRefused(
            f"--persistence kills the database's container, and no lab made the hosts of {reached.inventory.source}: "
            "nothing was asked and nothing was changed. Try it on practice hosts (--inventory lab), or leave it out."
        )


def _look(run: Run, reached: Hosts) -> Facts:
    facts = reached.look()
    run.envelope.add_hosts(reached.inventory, facts)
    return facts


def _say_where(run: Run, reached: Hosts, stack: Stack) -> None:
    addresses = where_to_look(reached.inventory, stack.frontend.published_port)
    if addresses:
        run.screen.say(f"The guest book, the same on each host: {'  '.join(addresses)}", style="bold")
        return
    run.screen.say(f"The guest book is on port {stack.frontend.published_port} of each host, within the lab's wire.")
