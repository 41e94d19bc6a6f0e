"""What the phases' own proofs say of a situation: recorded answers, changed in one place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from test_phases import CASES, THREE, edit

from overlaykit.phases.down import prove_down
from overlaykit.phases.facts import read_facts
from overlaykit.phases.network import prove_network
from overlaykit.phases.swarm import plan_swarm, prove_swarm
from overlaykit.phases.tiers import are_starting, prove_tiers
from overlaykit.reading.inventory import read_inventory
from overlaykit.words.facts import Facts
from overlaykit.words.stack import Stack

STACK = Stack()
INVENTORY = read_inventory(THREE, source="hosts.ini", env={})


def facts(answers: str, **changes: Any) -> Facts:
    """Recorded answers with some places changed; `__` stands for a dot."""
    recorded = json.loads((CASES / "answers" / answers).read_text())
    for place, value in changes.items():
        edit(recorded, place.replace("__", "."), value)
    return read_facts(recorded, INVENTORY)


def index(service: str) -> int:
    recorded = json.loads((CASES / "answers" / "tiers.json").read_text())
    return next(i for i, one in enumerate(recorded["swarm"]["services"]) if one["Spec"]["Name"] == service)


def task(service: str) -> int:
    recorded = json.loads((CASES / "answers" / "tiers.json").read_text())
    wanted = recorded["swarm"]["services"][index(service)]["ID"]
    return next(i for i, one in enumerate(recorded["swarm"]["tasks"]) if one["ServiceID"] == wanted)


def test_what_runs_as_it_should_is_fine() -> None:
    assert prove_tiers(facts("tiers.json"), STACK).ok
    assert prove_network(facts("tiers.json"), STACK).ok
    assert prove_swarm(facts("tiers.json"), INVENTORY, STACK).ok


def test_an_update_that_swarm_gave_up_is_an_error_though_the_old_task_runs() -> None:
    seen = facts("tiers.json", **{f"swarm__services__{index('backend')}__UpdateStatus": {"State": "paused"}})
    found = prove_tiers(seen, STACK)
    assert [f.severity for f in found] == ["ok", "error", "ok"]
    assert "its update is paused: Swarm gave it up" in found.all[1].evidence


def test_a_task_of_the_image_before_is_not_the_task_that_is_wanted() -> None:
    image = f"swarm__services__{index('backend')}__Spec__TaskTemplate__ContainerSpec__Image"
    assert "backend runs 0 of 1 tasks" in repr(prove_tiers(facts("tiers.json", **{image: "elsewhere:2"}), STACK))


def test_an_update_on_its_way_is_waited_for() -> None:
    assert not are_starting(facts("tiers.json"))
    assert are_starting(
        facts("tiers.json", **{f"swarm__services__{index('backend')}__UpdateStatus": {"State": "updating"}})
    )


def test_a_task_whose_container_is_gone_from_its_host_is_not_running_yet() -> None:
    host = f"swarm__tasks__{task('database')}"
    gone = facts("tiers.json", **{f"{host}__Status__ContainerStatus__ContainerID": "gone"})
    assert are_starting(gone)


@pytest.mark.parametrize("state", ["down", "unknown"])
def test_a_node_that_is_not_ready_is_named(state: str) -> None:
    found = prove_swarm(facts("network.json", swarm__nodes__0__Status__State=state), INVENTORY, STACK)
    assert not found.ok
    assert "node2 is not ready" in repr(found)


def test_a_host_that_answers_and_is_lost_for_the_manager_is_told_of() -> None:
    lost = facts("network.json", swarm__nodes__0__Status__State="down")
    found = prove_swarm(lost, INVENTORY, STACK).details()
    assert "its own engine says: swarm active" in found
    assert "if it stays so: restart Docker there" in found
    (note,) = (note for note in plan_swarm(lost, INVENTORY, STACK).notes if "not ready" in note)
    assert note.startswith(
        "node2 answers, and is not ready for its manager: is TCP 2377 open to the managers? If so: where"
    )
    assert not plan_swarm(facts("network.json"), INVENTORY, STACK).notes


def test_a_host_that_has_left_is_believed_before_the_managers_list() -> None:
    left = facts("network.json", **{"hosts__node2__info__Swarm": {"LocalNodeState": "inactive", "NodeID": ""}})
    found = prove_swarm(left, INVENTORY, STACK)
    assert not found.ok
    assert "node2 is not in the swarm" in repr(found)
    assert "its own engine says: swarm inactive" in str(found.details())


def test_hosts_in_a_swarm_that_nobody_speaks_for_are_not_clean() -> None:
    orphaned = facts("network.json", swarm=None)
    found = prove_down(orphaned, STACK)
    assert not found.ok
    assert all("it is in a swarm, and no manager tells whose" in finding.evidence for finding in found)


def test_bare_engines_are_clean() -> None:
    assert prove_down(facts("bare.json"), STACK).ok


@pytest.mark.parametrize(
    ("whose", "clean"),
    [('users:(("dockerd",pid=1,fd=2))', False), ("", False), ('users:(("consul",pid=1,fd=2))', True)],
)
def test_a_port_of_the_swarm_that_is_still_open_is_the_engines_unless_seen_otherwise(whose: str, clean: bool) -> None:
    listening = f"@listeners\nLISTEN 0 128 *:7946 *:* {whose}\n"
    found = prove_down(facts("bare.json", hosts__node2__shell=listening), STACK)
    assert found.ok is clean
    assert ("the engine still holds TCP port 7946" in str(found.details())) is not clean
