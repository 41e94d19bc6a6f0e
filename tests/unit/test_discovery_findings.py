"""Every case under cases/discovery: what the hosts and their tasks answered in, findings out.

A case is a file; adding one needs no Python:

    {"why": "...",                            what the case shows
     "answers": "tiers.json",                 what the hosts answered (cases/answers)
     "edit": {"hosts.node2.error": "…"},      changes to that, by dotted path
     "set": ["backend.replicas=2"],           parameters of the stack
     "prove": "discovery",                    or network, or persistence
     "seen": {"doors node1/opened": […]},     changes to cases/discovery/seen/healthy.json, by path; null takes away
     "blind": {"way node1": "why"},           probes that could not look
     "but": ["error OK401 frontend does not find …"],   every finding that is not ok: severity, code, title
     "told": ["…"], "not told": ["…"]}         what its evidence and advice must say, and must not
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from test_phases import THREE, edit

from overlaykit.phases import discovery
from overlaykit.phases.facts import read_facts
from overlaykit.reading.inventory import read_inventory
from overlaykit.words.facts import Facts
from overlaykit.words.findings import Findings
from overlaykit.words.probes import Answer, AskNames, KnockAtDoors, Probe, TryPairs
from overlaykit.words.stack import Stack

CASES = Path(__file__).parent / "cases"


def situation(case: dict[str, Any]) -> tuple[Facts, Stack]:
    """The facts and the stack of a case."""
    answers = json.loads((CASES / "answers" / case.get("answers", "tiers.json")).read_text())
    for place, value in case.get("edit", {}).items():
        edit(answers, place, value)
    stack = Stack()
    for setting in case.get("set", []):
        stack = stack.set(*setting.split("=", 1))
    return read_facts(answers, read_inventory(THREE, source="hosts.ini", env={})), stack


def answered(probes: Sequence[Probe], case: dict[str, Any]) -> list[Answer]:
    """What was seen: all well, but for what the case changes."""
    seen = json.loads((CASES / "discovery" / "seen" / "healthy.json").read_text())
    for place, value in case.get("seen", {}).items():
        *way, last = place.split("/")
        inner = seen
        for name in way:
            inner = inner[int(name)] if isinstance(inner, list) else inner[name]
        if value is None:
            del inner[last]
        else:
            inner[int(last) if isinstance(inner, list) else last] = value
    blind = case.get("blind", {})
    return [Answer(p, error=blind[p.key]) if p.key in blind else Answer(p, seen[p.key]) for p in probes]


def proven(case: dict[str, Any]) -> Findings:
    """The findings of a case."""
    facts, stack = situation(case)
    if case.get("prove") == "network":
        probes = discovery.network_probes(facts, stack)
        return discovery.network_findings(facts, stack, answered(probes, case))
    if case.get("prove") == "persistence":
        probes = discovery.persistence_probes(facts, stack)
    else:
        probes = discovery.wanted_probes(facts, stack)
    return discovery.findings(facts, stack, answered(probes, case))


@pytest.mark.parametrize("path", sorted((CASES / "discovery").glob("*.json")), ids=lambda path: path.stem)
def test_findings(path: Path) -> None:
    case = json.loads(path.read_text())
    findings = proven(case)
    assert len(findings) > 0
    but = [f"{finding.severity} {finding.code} {finding.title}" for finding in findings if finding.severity != "ok"]
    assert but == case["but"]
    told = findings.details()
    for said in case.get("told", []):
        assert said in told, told
    for unsaid in case.get("not told", []):
        assert unsaid not in told, told


@pytest.mark.parametrize("path", sorted((CASES / "discovery").glob("*.json")), ids=lambda path: path.stem)
def test_every_sentence_is_whole(path: Path) -> None:
    for finding in proven(json.loads(path.read_text())):
        whole = " ".join([finding.title, *finding.evidence, *finding.fix, *finding.reproduce])
        assert "{" not in whole, whole
        assert "None" not in whole, whole
        assert finding.fix or finding.severity in ("ok", "unknown")


def test_what_changes_from_run_to_run_is_not_in_a_title() -> None:
    for finding in proven({}):
        assert not any(character.isdigit() for character in finding.title), finding.title


def test_a_tier_of_the_kit_is_asked_in_its_own_container_and_others_beside_theirs() -> None:
    facts, stack = situation({})
    images = {p.task: p.image for p in discovery.wanted_probes(facts, stack) if isinstance(p, AskNames)}
    kits = facts["node2"].images["overlaykit/backend:000000000000"]
    assert images == {"frontend.1": kits, "backend.1": ""}
    own = stack.set("backend.image", "team/api:3")
    images = {p.task: p.image for p in discovery.wanted_probes(facts, own) if isinstance(p, AskNames)}
    assert images == {"frontend.1": kits, "backend.1": kits}


def test_every_door_that_must_be_shut_is_tried_from_every_host() -> None:
    facts, stack = situation({})
    for probe in (p for p in discovery.wanted_probes(facts, stack) if isinstance(p, KnockAtDoors)):
        own = facts[probe.host].node_addr
        tried = {(door.address, door.port) for door in probe.doors}
        wanted = {"127.0.0.1", own, "10.20.0.8", "10.20.0.9"}
        assert {(address, 27017) for address in wanted} <= tried


def test_the_network_is_tried_between_hosts_that_take_tasks() -> None:
    facts, stack = situation({"answers": "network.json"})
    (probe,) = discovery.network_probes(facts, stack)
    assert isinstance(probe, TryPairs)
    assert list(probe.images) == ["node1", "node2", "node3"]


def test_the_matrix_has_a_row_for_each_task_and_name() -> None:
    facts, stack = situation({})
    rows = discovery.matrix(facts, stack, answered(discovery.wanted_probes(facts, stack), {}))
    assert [(row.task, row.host, row.name, row.peers) for row in rows] == [
        ("frontend.1", "node2", "backend", ("node1",)),
        ("frontend.1", "node2", "tasks.backend", ("node1",)),
        ("backend.1", "node1", "database", ("node3",)),
        ("backend.1", "node1", "tasks.database", ("node3",)),
    ]


def test_services_of_others_are_asked_nothing() -> None:
    recorded = json.loads((CASES / "answers" / "tiers.json").read_text())
    for service in recorded["swarm"]["services"]:
        service["Spec"]["Labels"] = {}
    facts, stack = read_facts(recorded, read_inventory(THREE, source="hosts.ini", env={})), Stack()
    assert discovery.wanted_probes(facts, stack) == ()
    found = discovery.findings(facts, stack, ())
    assert not found.ok
    assert "there is a service backend that this stack did not make" in str(found.details())
