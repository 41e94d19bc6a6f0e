"""Each name that a tier needs: what it resolves to, who answers, and on which host.

name_findings(facts, stack, answers)
matrix(facts, stack, answers)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from overlaykit.phases.proofs.check import Check
from overlaykit.words.facts import Facts, SwarmFacts, TaskFacts
from overlaykit.words.findings import Finding
from overlaykit.words.probes import Answer, AskNames, Name, Protocol, Row
from overlaykit.words.stack import Stack

RESOLVES = Check(
    "OK401",
    "discovery",
    "{who} finds {name} by name",
    "{who} does not find {name} by name",
    "it could not be seen whether {who} finds {name} by name",
    ("look that the service {service} runs and is on the network {network}: docker service ps {service}",),
)
CONNECTS = Check(
    "OK402",
    "discovery",
    "{who} connects to {name}",
    "{who} finds {name} but cannot connect to it",
    "it could not be seen whether {who} connects to {name}",
    (
        "where only some pairs of hosts fail: open UDP {data_port} between them (and IP protocol 50 if encrypted)",
        "where all fail: does {service} listen on port {port}? docker service logs {service}",
        "`overlaykit up --until network` tries every pair of hosts without the tiers",
    ),
)
SPEAKS = Check(
    "OK403",
    "discovery",
    "{name} answers {who} as it should",
    "{name} takes connections from {who} but does not answer as it should",
    "it could not be seen whether {name} answers {who}",
    ("what answers is not what the stack expects: docker service logs {service}",),
)
GOSSIP = Check(
    "OK404",
    "swarm",
    "the names of running tasks are known on every host",
    "names of running tasks are not known on every host",
    "it could not be seen whether the names of running tasks are known on every host",
    (
        "open TCP and UDP 7946 between all hosts: Swarm tells names and addresses through it",
        "if they are open, an engine has kept the memory of an earlier swarm: restart Docker on each host in turn, "
        "the manager last (sudo systemctl restart docker; on the lab: overlaykit lab power NODE off, then on)",
    ),
)

#: Who needs whom, and how to speak to them.
NEEDS: tuple[tuple[str, str, Protocol], ...] = (("frontend", "backend", "http"), ("backend", "database", "mongodb"))
#: Calls to a virtual IP go round its tasks; more than this many would only take time.
_MOST_TRIES = 8


def names_needed(swarm: SwarmFacts, stack: Stack, needed: str, protocol: Protocol) -> tuple[Name, ...]:
    """`backend` and `tasks.backend`."""
    port: int = stack.get(f"{needed}.port")
    service = swarm.service(needed)
    shared = service is None or service.spec.endpoint_mode == "vip"
    tries = max(1, min(len(swarm.running(needed)), _MOST_TRIES)) if shared else 1
    each = f"tasks.{needed}"
    return (
        Name(needed, port, protocol, tries, tuple(sorted(_listed_by(swarm, stack, needed)))),
        Name(each, port, protocol, expects=tuple(sorted(_listed_by(swarm, stack, each)))),
    )


def name_findings(facts: Facts, stack: Stack, answers: Sequence[Answer]) -> Iterator[Finding]:
    """Up to three findings for each name, as far as it leads, and one for the swarm's gossip."""
    rows = matrix(facts, stack, answers)
    for who, needed, _ in NEEDS:
        for name in (needed, f"tasks.{needed}"):
            mine = [row for row in rows if row.task.startswith(f"{who}.") and row.name == name]
            if mine:
                words = _words(facts, stack, who, name, mine)
                yield _resolved(facts, stack, mine, words)
                if led := [row for row in mine if row.resolves_to or _unseen(row)]:
                    yield _judged(CONNECTS, led, [row.connects for row in led], words)
                if through := [row for row in led if row.connects is not False]:
                    yield _judged(SPEAKS, through, [row.answers for row in through], words)
    yield from _gossip(facts, stack, rows)


def matrix(facts: Facts, stack: Stack, answers: Sequence[Answer]) -> tuple[Row, ...]:
    """A row for each task and each name that it needs."""
    rows = [
        _row(facts, stack, answer, answer.probe, name)
        for answer in answers
        if isinstance(answer.probe, AskNames)
        for name in answer.probe.names
    ]
    return (*rows, *_strangers(facts.swarm, stack)) if facts.swarm and answers else tuple(rows)


def _strangers(swarm: SwarmFacts, stack: Stack) -> Iterator[Row]:
    """Tasks on nodes that are no host of ours: nobody can be asked there."""
    for who, needed, protocol in NEEDS:
        for task in swarm.running(who):
            if not task.host:
                for name in names_needed(swarm, stack, needed, protocol):
                    yield Row(task.name, "?", name.name, error="it runs on a node that the inventory does not name")


def _row(facts: Facts, stack: Stack, answer: Answer, probe: AskNames, name: Name) -> Row:
    if answer.error:
        return Row(probe.task, probe.host, name.name, error=answer.error)
    seen = answer.seen["names"][name.name]
    calls: list[Mapping[str, Any]] = seen["calls"]
    service = name.name.removeprefix("tasks.")
    peers = {peer.host for call in calls if (peer := _peer(facts, stack, service, call))}
    errors = [seen.get("error"), *(call.get("error") for call in calls)]
    return Row(
        probe.task,
        probe.host,
        name.name,
        tuple(seen["addresses"]),
        connects=bool(calls) and all(call["connected"] for call in calls),
        answers=bool(calls) and all(call["answered"] for call in calls),
        peers=tuple(sorted(peers)),
        error="; ".join(dict.fromkeys(error for error in errors if error)),
    )


def _peer(facts: Facts, stack: Stack, service: str, call: Mapping[str, Any]) -> TaskFacts | None:
    """Which task answered: it says so itself, or its address does, or there is no other."""
    tasks = facts.swarm.running(service) if facts.swarm else ()
    said = call.get("peer")
    for task in tasks:
        if said == f"{task.service}-{task.slot}" or call["address"] in _addresses(task, stack):
            return task
    return tasks[0] if len(tasks) == 1 and call["answered"] else None


def _addresses(task: TaskFacts, stack: Stack) -> set[str]:
    return {address for network, address in task.addresses if network == stack.network.name}


def expected(facts: Facts, stack: Stack, name: str) -> set[str]:
    """What a name must resolve to, as the manager has it: the virtual IP, or exactly the running tasks."""
    return _listed_by(facts.swarm, stack, name) if facts.swarm else set()


def _listed_by(swarm: SwarmFacts, stack: Stack, name: str) -> set[str]:
    needed = name.removeprefix("tasks.")
    service = swarm.service(needed)
    virtual = service.virtual_ips.get(stack.network.name, "") if service else ""
    if virtual and name == needed:
        return {virtual}
    return {address for task in swarm.running(needed) for address in _addresses(task, stack)}


def _resolved(facts: Facts, stack: Stack, rows: list[Row], words: dict[str, str]) -> Finding:
    wanted = expected(facts, stack, rows[0].name)
    verdicts: list[bool | None] = [
        None if _unseen(row) else bool(wanted) and set(row.resolves_to) == wanted for row in rows
    ]
    wrong = "" if all(verdicts) else f"the manager lists: {', '.join(sorted(wanted)) or 'no running task'}"
    return _judged(RESOLVES, rows, verdicts, words, wrong)


def _unseen(row: Row) -> bool:
    return row.connects is None


def _judged(
    check: Check, rows: list[Row], verdicts: list[bool | None], words: dict[str, str], more: str = ""
) -> Finding:
    """One finding over all tasks of a tier: the worst that any of them saw."""
    wrong = [row for row, verdict in zip(rows, verdicts, strict=True) if verdict is False]
    unseen = [row for row, verdict in zip(rows, verdicts, strict=True) if verdict is None]
    told = wrong or unseen or rows
    evidence = [*map(_evidence, told), *((more,) if more else ())]
    hosts = [row.host for row in told]
    if wrong:
        return check.wrong(evidence, hosts, **words)
    return check.unknown(evidence, hosts, **words) if unseen else check.ok(evidence, hosts, **words)


def _evidence(row: Row) -> str:
    where = f"{row.task} on {row.host}: {row.name}"
    if _unseen(row):
        return f"{where} was not asked: {row.error}"
    resolves = f"{where} is {', '.join(row.resolves_to)}" if row.resolves_to else f"{where} does not resolve"
    peers = f"; answered by {', '.join(row.peers)}" if row.peers else ""
    return f"{resolves}{peers}" + (f"; {row.error}" if row.error else "")


def _gossip(facts: Facts, stack: Stack, rows: Sequence[Row]) -> Iterator[Finding]:
    """The trap: tasks run, nodes are ready, and yet a name leads nowhere, or not to all of them."""
    seen = [row for row in rows if not _unseen(row)]
    deaf = [row for row in seen if expected(facts, stack, row.name) - set(row.resolves_to)]
    if deaf:
        hosts = [row.host for row in deaf]
        evidence = [f"{_evidence(row)}; the manager lists {_listed(facts, stack, row)}" for row in deaf]
        yield GOSSIP.wrong(evidence, hosts)
    elif seen:
        yield GOSSIP.ok([f"asked on {host}" for host, _ in groupby(sorted(row.host for row in seen))])
    elif rows:
        yield GOSSIP.unknown(dict.fromkeys(row.error for row in rows))


def _listed(facts: Facts, stack: Stack, row: Row) -> str:
    return ", ".join(sorted(expected(facts, stack, row.name)))


def _words(facts: Facts, stack: Stack, who: str, name: str, rows: list[Row]) -> dict[str, str]:
    needed = name.removeprefix("tasks.")
    row = rows[0]
    tasks = facts.swarm.running(who) if facts.swarm else ()
    container = next((task.container[:12] for task in tasks if task.host == row.host), "CONTAINER")
    return {
        "who": who,
        "name": name,
        "service": needed,
        "network": stack.network.name,
        "port": str(stack.get(f"{needed}.port")),
        "data_port": str(facts.swarm.data_path_port if facts.swarm else stack.swarm.data_path_port),
        "reproduce": f"{row.host}$ docker exec {container} getent ahostsv4 {name}",
    }
