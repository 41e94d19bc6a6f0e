"""Every case under cases/plans: what the hosts answered and what is wanted in, steps or a refusal out.

A case is a file; adding one needs no Python:

    {"why": "...",                     what the case shows
     "answers": "bare.json",           recorded answers (cases/answers, made by record_answers.py)
     "edit": {"hosts.node2.error": "…"},   changes to them, by dotted path
     "inventory": "...", "set": [...],     an INI text and parameters, where not the usual three hosts
     "lab": "default",                     where the hosts are a lab's
     "phase": "swarm", "adopt": false, "recreate": false, "volumes": false,
     "commands": [...] or "stages": [[...], ...] or "refused": [...],     what must come out;
     "notes": [...]}                       texts may be beginnings
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from overlaykit.phases.down import plan_down
from overlaykit.phases.facts import read_facts
from overlaykit.phases.network import plan_network
from overlaykit.phases.services import Wanted, fit_for_engine
from overlaykit.phases.swarm import plan_swarm
from overlaykit.phases.tiers import plan_tiers
from overlaykit.reading.inventory import read_inventory
from overlaykit.words.errors import PlanRefused
from overlaykit.words.images import KitImage, KitImages
from overlaykit.words.plan import Plan
from overlaykit.words.secret import Secret
from overlaykit.words.service import Health, ServiceSpec
from overlaykit.words.service_command import command_flags
from overlaykit.words.stack import Stack

CASES = Path(__file__).parent / "cases"
THREE = """
[managers]
node1 ansible_host=127.0.0.1 ansible_port=2201 swarm_advertise_addr=10.77.0.11
[workers]
node2 ansible_host=127.0.0.1 ansible_port=2202 swarm_advertise_addr=10.77.0.12
node3 ansible_host=127.0.0.1 ansible_port=2203 swarm_advertise_addr=10.77.0.13
"""
IMAGES = KitImages(
    tuple(
        KitImage(tier, f"overlaykit/{tier}:000000000000", f"sha256:{number:064x}", f"/build/{tier}.tar", says)
        for number, (tier, says) in enumerate((("database", "FerretDB"), ("backend", ""), ("frontend", "")), 1)
    )
)


@pytest.mark.parametrize("path", sorted((CASES / "plans").glob("*.json")), ids=lambda path: path.stem)
def test_plan(path: Path) -> None:
    case = json.loads(path.read_text())
    try:
        plan = planned(case)
    except PlanRefused as refused:
        assert_begins(list(refused.reasons), case.get("refused", ["(no refusal)"]))
        return
    assert "refused" not in case, f"planned {plan.commands} where a refusal was expected"
    if "stages" in case:
        assert [[repr(step) for step in stage] for stage in plan.stages] == case["stages"]
    else:
        assert_begins(list(plan.commands), case["commands"])
    for note in case.get("notes", []):
        assert any(said.startswith(note) for said in plan.notes), f"{note!r} is not among {plan.notes}"


def planned(case: dict[str, Any]) -> Plan:
    """The plan for a case."""
    answers = json.loads((CASES / "answers" / case["answers"]).read_text())
    for place, value in case.get("edit", {}).items():
        edit(answers, place, value)
    inventory = read_inventory(case.get("inventory", THREE), source="hosts.ini", env={}, lab=case.get("lab"))
    facts = read_facts(answers, inventory)
    stack = Stack()
    for setting in case.get("set", []):
        stack = stack.set(*setting.split("=", 1))
    adopt, recreate = case.get("adopt", False), case.get("recreate", False)
    if case["phase"] == "swarm":
        return plan_swarm(facts, inventory, stack, adopt=adopt)
    if case["phase"] == "network":
        return plan_network(facts, stack, KitImages(), adopt=adopt, recreate=recreate)
    if case["phase"] == "tiers":
        wanted = Wanted(IMAGES, "server {}\n", stack.name)
        return plan_tiers(facts, inventory, stack, wanted, Secret("hunter2"), adopt=adopt, recreate=recreate)
    return plan_down(facts, stack, volumes=case.get("volumes", False))


def edit(answers: dict[str, Any], place: str, value: Any) -> None:
    """Sets what the dotted path names; a number is an index, `null` takes away."""
    *way, last = place.split(".")
    for name in way:
        answers = answers[int(name)] if isinstance(answers, list) else answers[name]
    if isinstance(answers, list):
        answers[int(last)] = value
    elif value is None:
        answers.pop(last, None)
    else:
        answers[last] = value


def assert_begins(got: list[str], expected: list[str]) -> None:
    """As many as expected, each with its beginning."""
    assert len(got) == len(expected), "\n".join(got)
    for said, beginning in zip(got, expected, strict=True):
        assert said.startswith(beginning), f"\n  got      {said}\n  expected {beginning}"


def test_an_engine_is_not_asked_for_what_it_would_forget() -> None:
    """Before 25.0 for how often a task is looked at while it starts: each `up` would say it anew."""
    spec = ServiceSpec("backend", "x", health=Health(("CMD-SHELL", "true"), start_interval=0.2))
    assert fit_for_engine("25.0.3", [spec]) == (spec,)
    (older,) = fit_for_engine("20.10.24+dfsg1", [spec])
    assert older.health
    assert older.health.start_interval == 0
    assert not [flag for flag in command_flags(older) if "start-interval" in flag]
