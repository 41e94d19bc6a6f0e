"""The whole way: a write through the published port of each host, read back through another.

way_findings(facts, stack, answers)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from overlaykit.phases.mesh import publishes_itself
from overlaykit.phases.proofs.check import Check
from overlaykit.words.facts import Facts
from overlaykit.words.findings import Finding
from overlaykit.words.probes import UNREACHED, Answer, EndDatabase, TryPasswords, WriteThrough
from overlaykit.words.stack import Stack

ANSWERS = Check(
    "OK411",
    "discovery",
    "every host answers at its published port, {whether}",
    "not every host answers at its published port",
    "it could not be seen whether every host answers at its published port",
    (
        "where only hosts without a frontend fail, the routing mesh does: open TCP and UDP 7946 and UDP {data_port} "
        "between the hosts, and look that their kernels have IPVS",
        "where all fail: docker service ps frontend; docker service logs frontend",
    ),
)
COMES_BACK = Check(
    "OK412",
    "discovery",
    "a write through each host comes back through another",
    "a write through some host does not come back through another",
    "it could not be seen whether a write through each host comes back through another",
    ("docker service logs backend tells what became of it",),
)
SAYS_WHERE = Check(
    "OK413",
    "discovery",
    "answers name the frontend, backend and database that served them",
    "answers do not name the frontend, backend and database that served them",
    "answers do not say which frontend, backend and database served them",
    ("a tier named here runs in no task that the manager lists: has it moved meanwhile? Check again",),
)
PERSISTS = Check(
    "OK304",
    "tiers",
    "a write survives the end of the database's task",
    "a write did not survive the end of the database's task",
    "it could not be seen whether a write survives the end of the database's task",
    ("look at the volume {volume} on the database's host, and at docker service logs database",),
)

Json = Mapping[str, Any]


def way_findings(facts: Facts, stack: Stack, answers: Sequence[Answer]) -> Iterator[Finding]:
    """Does each host answer, does each write come back, and who served it?"""
    ways = [answer for answer in answers if isinstance(answer.probe, WriteThrough)]
    if not ways:
        return
    words = {"data_port": str(facts.swarm.data_path_port if facts.swarm else 4789), "whether": _whether(facts)}
    silent = [way for way in ways if way.error or _status(way) in UNREACHED]
    hosts = [way.probe.host for way in silent]
    unasked = {host.name: f"{host.name}: {host.error}" for host in facts if host.error}
    if silent:
        yield ANSWERS.wrong(map(_heard, silent), hosts, **words)
    else:
        yield ANSWERS.unknown(unasked.values(), unasked) if unasked else ANSWERS.ok(map(_heard, ways), **words)
    answered = [way for way in ways if way not in silent]
    if answered:
        found = _comes_back(answered)
        yield replace(found, evidence=(*found.evidence, *_left_behind(answers)))
        yield _says_where(facts, answered)


def persistence_findings(stack: Stack, answers: Sequence[Answer]) -> Iterator[Finding]:
    """Was the entry there once the database had come back?"""
    for answer in answers:
        if isinstance(answer.probe, EndDatabase):
            found = _persists(stack, answer)
            yield replace(found, evidence=(*found.evidence, *_left_behind(answers)))


def _left_behind(answers: Sequence[Answer]) -> Iterator[str]:
    """Why entries that a check wrote are still in the guest book, where they are."""
    wrote = [answer for answer in answers if answer.seen.get("wrote", {}).get("id")]
    for answer in answers if wrote else ():
        if isinstance(answer.probe, TryPasswords):
            why = answer.error or answer.seen["passwords"]["right"].get("left")
            if why:
                yield f"what the check wrote stays in the guest book: {why}"


def _persists(stack: Stack, answer: Answer) -> Finding:
    host, seen, words = answer.probe.host, answer.seen, {"volume": stack.database.volume}
    if answer.error:
        return PERSISTS.wrong([answer.error], [host], **words)
    if not seen["wrote"]["id"]:
        return PERSISTS.unknown([f"no entry could be written, so nothing was killed: {_said(seen['wrote'])}"], [host])
    if seen["read"].get("status") is None:
        told = f"entry written, container killed on {host}; nobody could read it back for {seen['seconds']} s"
        return PERSISTS.wrong([f"{told}: {_said(seen['read'])}"], [host], **words)
    told = f"entry written, container killed on {host}; the database answered again after {seen['seconds']} s"
    if seen["read"].get("found"):
        return PERSISTS.ok([f"{told}, and the entry was there"], [host])
    return PERSISTS.wrong([f"{told}, but the entry was not there: {_said(seen['read'])}"], [host], **words)


def _comes_back(ways: list[Answer]) -> Finding:
    """A learner's own image need not have the guest book's API: then nobody can tell."""
    foreign = [way for way in ways if not way.seen["wrote"]["id"] and _status(way) in (404, 405)]
    lost = [way for way in ways if way not in foreign and not way.seen.get("read", {}).get("found")]
    hosts = [way.probe.host for way in lost or foreign]
    if lost:
        return COMES_BACK.wrong([_round(way) for way in lost], hosts)
    if foreign:
        why = "the image has no POST /api/entries (docs/images.md tells what the guest book's has)"
        return COMES_BACK.unknown([f"{way.probe.host}: {why}" for way in foreign], hosts)
    return COMES_BACK.ok([_round(way) for way in ways])


def _says_where(facts: Facts, ways: list[Answer]) -> Finding:
    paths = [(way.probe.host, way.seen["wrote"].get("path")) for way in ways]
    mute = [host for host, path in paths if not isinstance(path, Mapping)]
    if mute:
        why = "the answer carries no `path` (docs/images.md tells what the guest book's has)"
        return SAYS_WHERE.unknown([f"{host}: {why}" for host in mute], mute)
    told = [(host, [_place(facts, tier, path.get(tier)) for tier in ("frontend", "backend", "database")])
            for host, path in paths if path is not None]  # fmt: skip
    evidence = [f"through {host}: {' → '.join(name or '?' for name in places)}" for host, places in told]
    lacking = [host for host, places in told if not all(places)]
    return SAYS_WHERE.wrong(evidence, lacking) if lacking else SAYS_WHERE.ok(evidence)


def served_on(facts: Facts, tier: str, place: Json | None) -> str:
    """The host of the tier that served a request: found by the task's name, which is `backend-1` in the answer.

    Where there is one on each host, all are called `frontend-0`: then by the host that the answer names.
    """
    said = place or {}
    called = [
        task.host
        for task in (facts.swarm.running(tier) if facts.swarm else ())
        if f"{task.service}-{task.slot}" == said.get("container") and task.host
    ]
    if len(called) > 1:
        called = [host for host in called if facts[host].hostname == said.get("host")]
    return next(iter(called), "")


def _whether(facts: Facts) -> str:
    if publishes_itself(facts.swarm.service("frontend") if facts.swarm else None):
        return "by a frontend of its own"
    return "whether a frontend runs there or not"


def _place(facts: Facts, tier: str, place: Json | None) -> str:
    host = served_on(facts, tier, place)
    return f"{tier} on {host}" if host else ""


def _status(way: Answer) -> int:
    return int(way.seen["wrote"]["status"])


def _heard(way: Answer) -> str:
    if way.error:
        return way.error
    wrote = way.seen["wrote"]
    return f"{way.probe.host}: {_said(wrote)} at {wrote['way']}"


def _said(seen: Json) -> str:
    if seen.get("status") is None:
        return str(seen.get("said"))
    return f"status {seen.get('status')}" + (f", “{seen['said']}”" if seen.get("said") else "")


def _round(way: Answer) -> str:
    assert isinstance(way.probe, WriteThrough)
    there = f"written through {way.probe.host} ({_said(way.seen['wrote'])})"
    if "read" not in way.seen:
        return f"not {there}"
    found = "found" if way.seen["read"].get("found") else "not found"
    return f"{there}, {found} through {way.probe.back} ({_said(way.seen['read'])})"
