"""What a picture shows of facts: recorded answers, and small situations that no lab need be brought into."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_phases import THREE, edit

from overlaykit.phases.facts import read_facts
from overlaykit.reading.inventory import read_inventory
from overlaykit.ui.picture.scene import Door, Scene, see
from overlaykit.ui.picture.tasks import Chip
from overlaykit.ui.picture.way import Way, read_way
from overlaykit.words.facts import Facts
from overlaykit.words.stack import Stack

CASES = Path(__file__).parent / "cases"
PATH = {
    "frontend": {"host": "node2", "container": "frontend-1"},
    "backend": {"host": "node1", "container": "backend-1"},
    "database": {"host": "node3", "container": "database-1"},
}


def recorded(name: str, edits: dict[str, Any] | None = None) -> Facts:
    """The facts of recorded answers, with some of them changed."""
    answers = json.loads((CASES / "answers" / f"{name}.json").read_text())
    for place, value in (edits or {}).items():
        edit(answers, place, value)
    return read_facts(answers, read_inventory(THREE, source="hosts.ini", env={}))


def scene(name: str, edits: dict[str, Any] | None = None, **how: Any) -> Scene:
    return see(recorded(name, edits), Stack(), **how)


def test_hosts_without_a_swarm_stand_alone() -> None:
    bare = scene("bare")
    assert [(card.role, card.member, card.networks) for card in bare.hosts] == [("", False, ())] * 3
    assert (bare.members, bare.overlays) == ((), ())


def test_a_network_is_on_a_manager_and_not_yet_on_a_worker() -> None:
    seen = scene("network")
    assert [(card.role, card.networks) for card in seen.hosts] == [
        ("leader", ("guestbook",)),
        ("worker", ()),
        ("worker", ()),
    ]


def test_a_host_that_says_which_networks_it_has_is_believed() -> None:
    seen = scene("network", {"hosts.node3.networks": [{"Name": "guestbook", "Driver": "overlay"}]})
    assert [card.networks for card in seen.hosts] == [("guestbook",), (), ("guestbook",)]


def test_tasks_sit_on_their_hosts_in_the_band_of_their_network() -> None:
    seen = scene("tiers")
    assert [card.inside("guestbook") for card in seen.hosts] == [
        (Chip("backend.1", "backend", "running", "guestbook", "", ("backend.1",)),),
        (Chip("frontend.1", "frontend", "running", "guestbook", "", ("frontend.1",)),),
        (Chip("database.1", "database", "running", "guestbook", "", ("database.1",)),),
    ]
    assert all(card.doors == (Door(80, "frontend"),) for card in seen.hosts)


def task(number: int, **changes: Any) -> dict[str, Any]:
    """Edits of a recorded task."""
    names = {"state": "Status.State", "desired": "DesiredState", "error": "Status.Err", "node": "NodeID"}
    return {f"swarm.tasks.{number}.{names[name]}": value for name, value in changes.items()}


BACKEND = 0


def backend(edits: dict[str, Any], **how: Any) -> list[str]:
    """How the backend does, wherever it is drawn."""
    seen = scene("tiers", edits, **how)
    return [chip.state for card in seen.hosts for chip in card.chips if chip.name == "backend.1"] + [
        chip.state for chip in seen.waiting if chip.name == "backend.1"
    ]


@pytest.mark.parametrize(
    ("edits", "state"),
    [
        (task(BACKEND, state="starting"), ["starting"]),
        (task(BACKEND, state="preparing"), ["preparing"]),
        (task(BACKEND, state="failed"), ["failed"]),
        (task(BACKEND, state="pending", node=""), ["waiting"]),
        (task(BACKEND, desired="shutdown"), ["stopping"]),
        (task(BACKEND, state="shutdown", desired="shutdown"), []),
        (task(BACKEND, state="complete", desired="shutdown"), []),
        ({"hosts.node1.error": "does not answer"}, ["lost"]),
    ],
)  # fmt: skip
def test_how_a_task_does_is_one_word(edits: dict[str, Any], state: list[str]) -> None:
    # its host stays known by the label that the kit wrote on its node
    assert backend(edits) == state


def test_a_task_that_follows_a_failed_one_says_why() -> None:
    facts = recorded("tiers", task(BACKEND, state="ready", desired="ready"))
    assert facts.swarm is not None
    now = facts.swarm.tasks[BACKEND]
    answers = json.loads((CASES / "answers" / "tiers.json").read_text())
    past = {**answers["swarm"]["tasks"][BACKEND], "ID": "past", "DesiredState": "shutdown"}
    past["Status"] = {"Timestamp": "2026-01-01", "State": "rejected", "Err": "No such image"}
    seen = scene("tiers", {**task(BACKEND, state="ready", desired="ready"), "swarm.tasks.1": past})
    chip = next(chip for card in seen.hosts for chip in card.chips if chip.name == now.name)
    assert (chip.state, chip.note) == ("failing", "No such image")


def test_a_host_is_off_or_does_not_answer() -> None:
    silent = {f"hosts.{host}.error": "does not answer" for host in ("node2", "node3")}
    seen = scene("tiers", silent, off={"node3"})
    assert [card.power for card in seen.hosts] == ["on", "silent", "off"]
    assert [card.networks for card in seen.hosts] == [("guestbook",), (), ()]
    assert [len(card.doors) for card in seen.hosts] == [1, 0, 0]


def test_a_host_that_went_away_is_still_the_node_that_it_was() -> None:
    unlabelled: dict[str, Any] = {f"swarm.nodes.{number}.Spec.Labels": {} for number in range(3)}
    seen = scene("tiers", {**unlabelled, "hosts.node3.error": "does not answer"})
    assert seen.host("node3") is not None
    assert [chip.state for chip in seen.hosts[2].chips] == ["lost"]


def test_without_a_manager_the_hosts_speak_for_themselves() -> None:
    names = ["database.1", "frontend.1"]
    running = {
        f"hosts.{host}.containers.0.NetworkSettings": {"Networks": {"guestbook": {"IPAddress": "10.20.0.9"}}}
        for host in ("node2", "node3")
    }
    there = {f"hosts.{host}.networks": [{"Name": "guestbook", "Driver": "overlay"}] for host in ("node2", "node3")}
    seen = scene("tiers", {**running, **there, "swarm": None, "hosts.node1.error": "does not answer"})
    assert seen.blind
    assert [(card.role, card.power) for card in seen.hosts] == [
        ("manager", "silent"),
        ("worker", "on"),
        ("worker", "on"),
    ]
    assert sorted(chip.name for card in seen.hosts for chip in card.inside("guestbook")) == names
    assert [card.networks for card in seen.hosts] == [(), ("guestbook",), ("guestbook",)]


def test_a_container_started_by_hand_shows_its_address() -> None:
    web = {"Id": "1", "Names": ["/web"], "Labels": {}, "State": "running",
           "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}}}  # fmt: skip
    seen = scene("bare", {f"hosts.{host}.containers": [web] for host in ("node1", "node2")})
    assert [[chip.note for chip in card.inside("")] for card in seen.hosts] == [["172.17.0.2"], ["172.17.0.2"], []]


def test_many_of_one_service_on_one_host_are_one_chip() -> None:
    answers = json.loads((CASES / "answers" / "tiers.json").read_text())["swarm"]["tasks"]
    frontend = next(one for one in answers if one["Spec"]["ContainerSpec"]["Image"].endswith("3"))
    many = [{**frontend, "ID": f"t{slot}", "Slot": slot} for slot in range(1, 8)]
    many[2] = {**many[2], "Status": {**frontend["Status"], "State": "starting"}}
    chips = [chip for card in scene("tiers", {"swarm.tasks": many}).hosts for chip in card.chips]
    assert [(chip.name, chip.says, chip.state) for chip in chips] == [("frontend", "6 running, 1 starting", "starting")]


def test_the_way_of_a_request_stands_while_those_it_passed_are_there() -> None:
    way = read_way("node3", {"status": 200, "path": PATH})
    assert repr(way) == "Request through node3: answered by frontend, backend, database"
    assert scene("tiers").with_way(way).way == way
    assert scene("tiers", task(BACKEND, state="shutdown", desired="shutdown")).with_way(way).way is None
    assert scene("tiers", {"hosts.node1.error": "does not answer"}).with_way(way).way is None


def test_a_way_is_told_by_the_inventorys_names() -> None:
    foreign = {tier: {**place, "host": f"ip-10-0-0-{number}"} for number, (tier, place) in enumerate(PATH.items())}
    way = scene("tiers").settled(read_way("node3", {"status": 200, "path": foreign}))
    assert [stop.host for stop in way.stops] == ["node2", "node1", "node3"]


def test_a_way_ends_where_nobody_answered() -> None:
    said = "The database does not answer"
    way = read_way("node1", {"status": 503, "said": said, "path": {**PATH, "database": None}})
    assert ([stop.tier for stop in way.stops], way.error) == (["frontend", "backend"], said)
    assert scene("tiers").with_way(way).way == way


def test_an_answer_that_tells_no_way_is_said_to_be_one() -> None:
    way = read_way("node1", {"status": 404, "path": None, "said": ""})
    assert way == Way("node1", error="status 404, and no `path` in the answer: so its way is not known")
