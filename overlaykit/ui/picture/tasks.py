"""What runs on a host, as chips: the swarm's tasks, and the containers that somebody started by hand.

A task never moves: one ends, and another is made. So of each slot there is what is meant to run, what is still
going, and what was lost together with its host; why the last one failed is said beside its successor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from overlaykit.words.facts import Facts, HostFacts, SwarmFacts, TaskFacts
from overlaykit.words.stack import REQUEST_WAY

#: More of one service on one host are drawn as one chip with their number.
MOST_ALIKE = 4

WORST_FIRST = ("failed", "failing", "lost", "waiting", "preparing", "starting", "stopping", "running")

_WAITING = ("new", "pending")
_COMING = ("allocated", "assigned", "accepted", "preparing", "ready", "starting")
_FAILED = ("failed", "rejected", "orphaned")
_SWARM_TASK = "com.docker.swarm.task.name"


@dataclass(frozen=True)
class Chip:
    """A task or a container: its name, what it is, and how it does, in a word."""

    name: str  # frontend.1, or a container's name
    kind: str  # frontend, backend, database; service: another's task; container: started by hand
    state: str  # one of WORST_FIRST
    network: str = field(default="", repr=False)  # whose band it sits in
    note: str = field(default="", repr=False)  # why it does not run; a container's address
    names: tuple[str, ...] = field(default=(), repr=False)  # of all that this chip stands for
    says: str = field(default="", repr=False)  # how several do: "5 running, 1 failing"

    @property
    def service(self) -> str:
        """The service that it belongs to."""
        return self.names[0].rpartition(".")[0] if self.names else ""


def chips_of(host: HostFacts, facts: Facts, networks: Sequence[str]) -> list[Chip]:
    """What runs on one host, in the order in which a request passes."""
    swarm = facts.swarm
    tasks = _tasks(swarm, host, networks) if swarm else _containers(host, networks, tasks=True)
    chips = [*tasks, *_containers(host, networks, tasks=False)]
    return list(_together(sorted(chips, key=_order)))


def waiting(facts: Facts) -> tuple[Chip, ...]:
    """The tasks that no host has yet, with the reason."""
    tasks = facts.swarm.tasks if facts.swarm else ()
    homeless = [task for task in tasks if not task.host and task.state in _WAITING and _is_meant(task)]
    return tuple(_chip(task, "waiting", task.error, "") for task in sorted(homeless, key=lambda task: task.name))


def _tasks(swarm: SwarmFacts, host: HostFacts, networks: Sequence[str]) -> Iterator[Chip]:
    for task in swarm.tasks:
        if task.host == host.name and task.service:
            before = "" if task.state == "running" else _failure_before(task, swarm)
            state = _state(task, answers=host.error is None, failed_before=bool(before))
            if state:
                yield _chip(task, state, task.error or before, _network(task, swarm, networks))


def _state(task: TaskFacts, *, answers: bool, failed_before: bool) -> str:
    """How a task does, in a word; empty for what is over."""
    if not answers:
        return "lost" if task.state in ("running", *_COMING) else ""
    if not _is_meant(task):
        return "stopping" if task.state == "running" else ""
    if task.state in _FAILED:
        return "failed"
    if task.state == "running":
        return "running"
    if failed_before:
        return "failing"
    return "starting" if task.state == "starting" else "preparing" if task.state in _COMING else ""


def _is_meant(task: TaskFacts) -> bool:
    return task.desired in ("running", "ready")


def _failure_before(task: TaskFacts, swarm: SwarmFacts) -> str:
    """Why the last task of the same slot failed, if it did."""
    past = [t for t in swarm.tasks if t.id != task.id and (t.service, t.slot) == (task.service, task.slot)]
    last = max((t for t in past if t.slot or t.host == task.host), key=lambda t: t.since, default=None)
    return last.error or last.state if last and last.state in _FAILED else ""


def _network(task: TaskFacts, swarm: SwarmFacts, networks: Sequence[str]) -> str:
    """Where its addresses are; where it has none yet, where its service wants to be."""
    service = swarm.service(task.service)
    wanted = [name for name, _ in task.addresses] or list(service.spec.networks if service else ())
    return next((name for name in networks if name in wanted), "")


def _chip(task: TaskFacts, state: str, note: str, network: str) -> Chip:
    kind = task.service if task.service in REQUEST_WAY else "service"
    name = task.name if task.slot else task.service  # a global service has no slots
    return Chip(name, kind, state, network, note, (name,))


def _containers(host: HostFacts, networks: Sequence[str], *, tasks: bool) -> Iterator[Chip]:
    """Running containers of the host itself: the swarm's where no manager tells of them, else those beside it."""
    for name, attached in host.addresses.items():
        task = (host.containers.get(name) or {}).get(_SWARM_TASK, "")
        if bool(task) == tasks and attached:
            there = dict(attached)
            network = next((one for one in networks if one in there), "")
            if tasks:
                called = task.rpartition(".")[0]
                kind = called.rpartition(".")[0]
                yield Chip(called, kind if kind in REQUEST_WAY else "service", "running", network, names=(called,))
            else:
                address = there[network] if network else next(iter(there.values()))
                yield Chip(name, "container", "running", network, address)


def _order(chip: Chip) -> tuple[int, str, int, str]:
    place = REQUEST_WAY.index(chip.kind) if chip.kind in REQUEST_WAY else len(REQUEST_WAY) + (chip.kind == "container")
    service, _, slot = chip.name.rpartition(".")
    return (place, service, int(slot) if slot.isdigit() else 0, chip.state)


def _together(chips: Sequence[Chip]) -> Iterator[Chip]:
    """Many tasks of one service as one chip: `frontend`, 12 running."""
    alike: dict[tuple[str, str], list[Chip]] = {}
    for chip in chips:
        key = (chip.service or chip.name, chip.network)
        alike.setdefault(key, []).append(chip)
    for (service, _), group in alike.items():
        yield from [_group(service, group)] if len(group) > MOST_ALIKE else group


def _group(service: str, group: Sequence[Chip]) -> Chip:
    """One chip for many; it does as well as the worst of them."""
    worst = min(group, key=lambda chip: WORST_FIRST.index(chip.state))
    states = Counter(chip.state for chip in group)
    return replace(
        worst,
        name=service,
        says=", ".join(f"{states[state]} {state}" for state in reversed(WORST_FIRST) if states[state]),
        names=tuple(name for chip in group for name in chip.names),
    )
