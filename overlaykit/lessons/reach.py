"""Reaching a lesson's start: look, say what is in the way, put right, prove; practice hosts get fresh disks if need be.

hosts = Way(Stack(), "03", panel.say).reach(connect("lab"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from overlaykit.kit import Hosts, connect
from overlaykit.lab import lab as practice
from overlaykit.lessons.firewall import lift
from overlaykit.lessons.others import images_to_bring, remarks
from overlaykit.lessons.patience import Patience, until
from overlaykit.lessons.starts import (
    Start,
    beyond_repair,
    has,
    in_the_way,
    names_taken,
    on_the_disks,
    phases_until,
    start_of,
)
from overlaykit.materials import kit_images, present_images
from overlaykit.phases.down import stays_for_others
from overlaykit.phases.tiers import are_starting
from overlaykit.remote.apply import apply_plan
from overlaykit.remote.probes.way import find
from overlaykit.ui.notebook.start import Kind
from overlaykit.verbs import Phase
from overlaykit.words.errors import Cancelled, HostError, LabError, OverlaykitError, PlanRefused
from overlaykit.words.facts import Facts
from overlaykit.words.plan import Plan
from overlaykit.words.stack import Stack
from overlaykit.words.steps import is_kits

Say = Callable[[Kind, str], None]

NOT_THE_LABS = "These hosts are not the lab's, so nothing was changed: ALLOW_CHANGES = True allows it."

#: Seconds that hosts which were just switched on get to find each other again.
SETTLING = 15.0
#: Seconds in which something must move while hosts are put right, before fresh disks are the shorter way.
STUCK = 30.0
#: The same where no shorter way is left: a busy machine takes its time.
PATIENCE = 120.0
#: Seconds until the guest book opens at every host: its way is laid a moment after its tasks run.
OPENING = 10.0


@dataclass(frozen=True)
class Way:
    """To one lesson's start, with one stack; `say` is told of everything that is undone or done."""

    stack: Stack
    lesson: str
    say: Say

    @property
    def start(self) -> Start:
        """What is there before the lesson's first step."""
        return start_of(self.lesson)

    def reach(self, hosts: Hosts) -> Hosts:
        """The hosts, at the start; connected anew where they were given fresh disks."""
        if self.start == "any":
            return self._any_on_the_lab(hosts) if hosts.inventory.lab else self._any_hosts_of_others(hosts)
        return self._on_the_lab(hosts) if hosts.inventory.lab else self._on_hosts_of_others(hosts)

    def _on_the_lab(self, hosts: Hosts) -> Hosts:
        for name, rules in lift(hosts).items():
            for rule in rules:
                self.say("undo", f"{name}: the firewall's rule {rule}")
        facts = self._settled(hosts)
        images = present_images(hosts.inventory.lab)
        trouble = beyond_repair(facts, self.stack, self.start, images) or self._put_right(hosts, facts, STUCK)
        if trouble:
            hosts = self._with_fresh_disks(hosts, trouble, on_the_disks(facts, self.stack))
            if trouble := self._put_right(hosts, hosts.look(), PATIENCE):
                hosts.close()
                raise LabError(f"this lesson's start was not reached: {'; '.join(trouble)}. Run the cell again.")
        return self._ready(hosts)

    def _ready(self, hosts: Hosts) -> Hosts:
        self.say("ready", ", ".join(f"{host.name} ({host.role})" for host in hosts.inventory))
        return hosts

    def _settled(self, hosts: Hosts) -> Facts:
        """What is, once nobody is on the way back into the swarm any more, or after a while."""
        if self.start == "bare":
            return hosts.look()
        facts: Facts = until(lambda facts: _has_settled(facts, self.start), hosts.look, SETTLING)
        return facts

    def _put_right(self, hosts: Hosts, facts: Facts, seconds: float) -> Sequence[str]:
        """Take away and apply; why that did not lead to the start, if it did not."""
        try:
            with Patience(seconds) as patience:
                facts = self._take_away(hosts, facts, in_the_way(facts, self.stack, self.start), patience)
                return self._apply(hosts, facts, patience)
        except Cancelled:
            return (f"for {seconds:.0f} s nothing moved",)
        except OverlaykitError as error:
            return str(error).splitlines()

    def _take_away(self, hosts: Hosts, facts: Facts, plan: Plan, patience: Patience) -> Facts:
        if not len(plan):
            return facts
        for line in repr(plan).splitlines():
            self.say("undo", line)
        apply_plan(hosts.fleet, plan, observer=patience.moved, cancel=patience.over)
        return hosts.look()

    def _apply(self, hosts: Hosts, facts: Facts, patience: Patience) -> list[str]:
        """Apply each phase that the start holds, and prove it by what is seen; what is not so."""
        wrong: list[str] = []
        for phase in self._phases(hosts):
            plan = phase.plan(facts=facts, recreate=hosts.inventory.lab is not None)
            if len(plan):
                self.say("do", _in_short(phase.name, plan))
                phase.apply(patience.moved, patience.over, plan=plan)
                facts = phase.look(facts)
            found = phase.prove(facts=facts, packets=False)
            wrong += [finding.title for finding in found if finding.severity == "error"]
        if has(self.start, "tiers") and not wrong:
            wrong = until(lambda shut: not shut, lambda: self._shut_doors(hosts), OPENING)
        return wrong

    def _phases(self, hosts: Hosts) -> tuple[Phase, ...]:
        return hosts.phases(self.stack, phases_until(self.start)) if has(self.start, "swarm") else ()

    def _shut_doors(self, hosts: Hosts) -> list[str]:
        """The hosts at whose published port the guest book does not open, all the way to the database."""
        addresses = {host.name: host.advertise_addr or "" for host in hosts.inventory}
        port = self.stack.frontend.published_port
        answers = hosts.fleet.each(lambda host: find(host, port, addresses[host.name], ""))
        return [
            str(answer) if isinstance(answer, HostError) else f"{name}: the guest book does not open: {answer['said']}"
            for name, answer in answers.items()
            if isinstance(answer, HostError) or answer["status"] != 200
        ]

    def _with_fresh_disks(self, hosts: Hosts, trouble: Sequence[str], gone: Sequence[str]) -> Hosts:
        """The lab's hosts as if just installed, side by side."""
        for line in trouble:
            self.say("found", line)
        names = [host.name for host in hosts.inventory]
        lost = f"; with the old ones go: {', '.join(gone)}" if gone else ""
        self.say("undo", f"fresh disks for {', '.join(names)}{lost}")
        hosts.close()
        practice.reset(hosts.where, *names)
        return connect(hosts.inventory)

    def _any_on_the_lab(self, hosts: Hosts) -> Hosts:
        """What lies on a host that does not answer can be neither seen nor taken away: it gets a fresh disk."""
        silent = [host.name for host in hosts.look() if host.error]
        if silent:
            self.say("undo", f"fresh disks for {', '.join(silent)}, which did not answer")
            hosts.close()
            practice.reset(hosts.where, *silent)
            hosts = connect(hosts.inventory)
        return self._ready(hosts)

    def _any_hosts_of_others(self, hosts: Hosts) -> Hosts:
        """Nothing is put right, but nothing of others may be in the lesson's way either."""
        facts = hosts.look()
        if not hosts.allow_changes:
            for line in hosts.down(self.stack, volumes=True).plan(facts=facts).commands:
                self.say("plan", line)
            _refuse(hosts, [NOT_THE_LABS])
        if reasons := list(names_taken(facts, self.lesson)):
            _refuse(hosts, [*reasons, "Nothing was changed."])
        return self._ready(hosts)

    def _on_hosts_of_others(self, hosts: Hosts) -> Hosts:
        """Look, and say what would be done; do it only where that was allowed."""
        facts = hosts.look()
        for remark in remarks(facts):
            self.say("note", remark)
        if not hosts.allow_changes:
            for line in self._would_do(hosts, facts):
                self.say("plan", line)
            _refuse(hosts, [NOT_THE_LABS])
        if reasons := [*names_taken(facts, self.lesson), *self._not_bare(facts)]:
            _refuse(hosts, [*reasons, "Nothing was changed."])
        with Patience(PATIENCE) as patience:
            facts = self._take_away(hosts, facts, self._plan_of_kits(hosts, facts), patience)
            facts = self._bring_images(hosts, facts, patience)
            if wrong := self._apply(hosts, facts, patience):
                raise PlanRefused([*wrong, "This lesson's start was not reached."])
        return self._ready(hosts)

    def _bring_images(self, hosts: Hosts, facts: Facts, patience: Patience) -> Facts:
        plan = images_to_bring(facts, kit_images(None, self.stack))
        if not len(plan):
            return facts
        self.say("do", _in_short("images", plan))
        apply_plan(hosts.fleet, plan, observer=patience.moved, cancel=patience.over)
        return hosts.look()

    def _not_bare(self, facts: Facts) -> Iterator[str]:
        """A lesson that forms its own swarm needs hosts that are in none."""
        mine = facts.swarm is not None and is_kits(facts.swarm.labels, self.stack.name)
        if self.start == "bare" and mine and stays_for_others(facts, self.stack):
            yield "others use the kit's swarm too, and this lesson needs hosts that are in none"
        if self.start == "bare" and not mine:
            inside = [host.name for host in facts if host.swarm_state not in ("inactive", "")]
            cure = "if an earlier run of a lesson formed it, `docker swarm leave --force` there ends it"
            yield from (f"{name} is in a swarm that overlaykit did not form: {cure}" for name in inside)

    def _plan_of_kits(self, hosts: Hosts, facts: Facts) -> Plan:
        """What the kit made and this start does not hold. Data stays."""
        if self.start == "bare":
            return hosts.down(self.stack).plan(facts=facts)
        return in_the_way(facts, self.stack, self.start, kits_only=True)

    def _would_do(self, hosts: Hosts, facts: Facts) -> Iterator[str]:
        """The commands, as far as they are known before the first is given, or why none can be."""
        try:
            yield from self._plan_of_kits(hosts, facts).commands
            yield from images_to_bring(facts, kit_images(None, self.stack)).commands
            for phase in self._phases(hosts):
                yield from phase.plan(facts=facts).commands
        except PlanRefused as refused:
            yield from refused.reasons


def _refuse(hosts: Hosts, reasons: list[str]) -> NoReturn:
    """Hang up, since no lesson goes on from here, and say why."""
    hosts.close()
    raise PlanRefused(reasons)


def _has_settled(facts: Facts, start: Start) -> bool:
    """No node is on its way, and no task of the tiers is. For a host that does not answer nobody waits."""
    if any(host.error for host in facts):
        return True
    if facts.swarm_error or any(host.swarm_state == "pending" for host in facts):
        return False
    ready = all(node.state == "ready" for node in facts.members.values())
    return ready and not (has(start, "tiers") and are_starting(facts))


def _in_short(name: str, plan: Plan) -> str:
    """What a phase does in one line, each thing said once."""
    return f"{name}: {', '.join(dict.fromkeys(step.title for step in plan))}"
