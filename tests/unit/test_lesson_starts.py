"""From recorded answers, and what was done to the hosts since, to what stands in the way of a lesson's start."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from test_phases import CASES, IMAGES, THREE, edit

from overlaykit.lessons.firewall import blocking
from overlaykit.lessons.others import images_to_bring, remarks
from overlaykit.lessons.starts import (
    BY_HAND,
    ORDER,
    STARTS,
    beyond_repair,
    drained,
    has,
    in_the_way,
    names_taken,
    on_the_disks,
    phases_until,
    start_of,
)
from overlaykit.lessons.turns.wire import missing
from overlaykit.phases.facts import read_facts
from overlaykit.reading.inventory import read_inventory
from overlaykit.words.errors import InputError
from overlaykit.words.facts import Facts
from overlaykit.words.images import KitImages
from overlaykit.words.stack import TIERS, Stack

STACK = Stack()
IN_NO_SWARM = {"LocalNodeState": "inactive", "NodeID": "", "NodeAddr": "", "ControlAvailable": False}
WEB = {"Id": "c1", "Names": ["/web"], "Labels": {}, "State": "running"}


def seen(answers: str, changes: dict[str, Any] | None = None) -> Facts:
    """What was recorded, with some of it changed."""
    told = json.loads((CASES / "answers" / f"{answers}.json").read_text())
    for place, value in (changes or {}).items():
        edit(told, place, value)
    return read_facts(told, read_inventory(THREE, source="hosts.ini", env={}, lab="default"))


def undone(facts: Facts, start: Any, *, kits_only: bool = False) -> list[str]:
    return [repr(step) for step in in_the_way(facts, STACK, start, kits_only=kits_only)]


def test_every_lesson_has_a_start() -> None:
    assert set(STARTS.values()) <= set(ORDER)
    assert start_of("03") == "swarm"
    with pytest.raises(InputError, match="there is no lesson '12'; there are: 00, 01"):
        start_of("12")


def test_a_start_holds_all_that_stands_left_of_it() -> None:
    assert has("network", "swarm")
    assert not has("network", "tiers")
    assert [phases_until(start) for start in ("swarm", "tiers", "apart")] == ["swarm", "tiers", "tiers"]


@pytest.mark.parametrize(("answers", "start"), [("bare", "bare"), ("network", "network"), ("tiers", "tiers")])
def test_nothing_stands_in_the_way_of_what_is_so(answers: str, start: Any) -> None:
    facts = seen(answers)
    assert undone(facts, start) == []
    assert beyond_repair(facts, STACK, start, KitImages()) == ()


@pytest.mark.parametrize("start", ["swarm", "network", "tiers"])
def test_what_is_still_to_be_made_is_not_in_the_way(start: Any) -> None:
    facts = seen("bare")
    assert undone(facts, start) == []
    assert beyond_repair(facts, STACK, start, KitImages()) == ()


def test_from_the_tiers_back_to_the_network_the_data_goes_too() -> None:
    gone = undone(seen("tiers"), "network")
    assert sorted(gone[:3]) == [f"node1$ docker service rm {tier}" for tier in ("backend", "database", "frontend")]
    assert gone[3] == "node1$ docker secret rm guestbook-database-password"
    assert gone[4].startswith("node1$ docker config rm guestbook-frontend-")
    assert gone[5:] == ["node3$ docker volume rm guestbook-data"]


def test_from_the_network_back_to_the_swarm() -> None:
    assert undone(seen("network"), "swarm") == ["node1$ docker network rm guestbook"]


HAND_MADE = [
    ({"hosts.node2.containers": [WEB]}, "node2$ docker container rm --force web"),
    ({"hosts.node2.networks": [{"Name": "mine", "Driver": "bridge"}]}, "node2$ docker network rm mine"),
    ({"hosts.node1.volumes": [{"Name": "notes", "Labels": None}]}, "node1$ docker volume rm notes"),
    ({"swarm.secrets": [{"Name": "mine", "Labels": {}}]}, "node1$ docker secret rm mine"),
    ({"swarm.configs": [{"Name": "mine", "Labels": {}}]}, "node1$ docker config rm mine"),
    (
        {"swarm.nodes.0.Spec.Availability": "drain", "swarm.nodes.0.Spec.Labels.disk": "ssd"},
        "node1$ docker node update --availability active --label-rm disk node2",
    ),
    ({"swarm.swarm.Spec.Labels": {}}, "node1$ docker swarm update"),
    ({"swarm.swarm.Spec.Labels": {"overlaykit.stack": "another"}}, "node1$ docker swarm update"),
]


@pytest.mark.parametrize(("changes", "command"), HAND_MADE, ids=[command for _, command in HAND_MADE])
def test_what_was_made_by_hand_goes(changes: dict[str, Any], command: str) -> None:
    facts = seen("network", changes)
    (gone,) = undone(facts, "network")
    assert gone.startswith(command)
    assert undone(facts, "network", kits_only=True) == []


def test_what_the_engine_makes_for_itself_is_nobodys() -> None:
    own = [{"Name": name, "Driver": "bridge"} for name in ("docker_gwbridge",)]
    volume = {"Name": "0" * 64, "Labels": {"com.docker.volume.anonymous": ""}}
    assert undone(seen("bare", {"hosts.node1.networks": own, "hosts.node1.volumes": [volume]}), "bare") == []


def test_a_service_made_by_hand_goes_before_the_network_that_it_uses() -> None:
    told = seen("tiers", {"swarm.services.0.Spec.Labels": {}})
    assert told.swarm
    name = told.swarm.services[0].spec.name
    assert undone(told, "tiers") == [f"node1$ docker service rm {name}"]


def test_data_on_another_host_than_the_databases_goes() -> None:
    volume = {"Name": "guestbook-data", "Labels": {"overlaykit.stack": "guestbook"}}
    assert undone(seen("tiers", {"hosts.node1.volumes": [volume]}), "tiers") == [
        "node1$ docker volume rm guestbook-data"
    ]


def test_tiers_that_have_moved_together_are_made_anew_on_practice_hosts_alone() -> None:
    together = seen("tiers", {f"swarm.tasks.{number}.NodeID": manager_of("tiers") for number in range(3)})
    assert undone(together, "apart") == ["node1$ docker service rm frontend", "node1$ docker service rm backend"]
    assert undone(together, "apart", kits_only=True) == undone(together, "tiers") == []


def test_a_frontend_on_each_host_does_not_hide_that_the_others_share_one() -> None:
    """As on kernels without IPVS."""
    facts = seen("tiers")
    assert facts.swarm is not None
    by = {task.service: task for task in facts.swarm.tasks}
    frontends = [replace(by["frontend"], host=host.name) for host in facts]
    for backend, gone in (("node1", 0), ("node3", 1)):
        others = [replace(by["backend"], host=backend), replace(by["database"], host="node3")]
        spread = replace(facts, swarm=replace(facts.swarm, tasks=(*frontends, *others)))
        assert len(undone(spread, "apart")) == gone


def manager_of(answers: str) -> str:
    (manager,) = [host.node_id for host in seen(answers) if host.is_manager]
    return manager


def test_on_hosts_of_others_what_the_kit_made_goes_and_data_stays() -> None:
    gone = undone(seen("tiers"), "network", kits_only=True)
    assert len(gone) == 5
    assert not any("volume" in command for command in gone)


BEYOND = [
    ("tiers", {"hosts.node3": {"error": "it is off"}}, "tiers", "node3 does not answer"),
    ("tiers", {}, "bare", "node1, node2, node3 are in a swarm"),
    (
        "network",
        {"swarm": None, "hosts.node1.info.Swarm": IN_NO_SWARM, "hosts.node1.shell": ""},
        "network",
        "node2, node3 are in a swarm whose",
    ),
    ("network", {"hosts.node2.info.Swarm.LocalNodeState": "pending"}, "network", "node2 is in another swarm, or stuck"),
    ("network", {"hosts.node2.info.Swarm.NodeID": "other"}, "network", "node2 is in another swarm, or stuck"),
    ("network", {"swarm.swarm.DataPathPort": 7789}, "swarm", "the swarm's traffic runs on another port"),
    (
        "bare",
        {"hosts.node1.shell": '@listeners\nLISTEN 0 128 *:7946 *:* users:(("dockerd",pid=1,fd=2))\n'},
        "bare",
        "node1 keeps the port",
    ),
]


@pytest.mark.parametrize(("answers", "changes", "start", "reason"), BEYOND, ids=[case[3] for case in BEYOND])
def test_beyond_repair(answers: str, changes: dict[str, Any], start: Any, reason: str) -> None:
    (said,) = beyond_repair(seen(answers, changes), STACK, start, KitImages())
    assert said.startswith(reason)


def test_a_host_that_lost_an_image_gets_a_fresh_disk() -> None:
    facts = seen("tiers", {"hosts.node2.images": []})
    assert beyond_repair(facts, STACK, "tiers", IMAGES) == ("node2 lacks an image that it came with",)


def test_what_goes_with_the_disks_is_named_once() -> None:
    gone = on_the_disks(seen("tiers"), STACK)
    assert {"service backend", "network guestbook", "volume guestbook-data"} <= set(gone)
    assert len(gone) == len(set(gone))


def test_who_is_drained() -> None:
    facts = seen("network", {f"swarm.nodes.{number}.Spec.Availability": "drain" for number in range(3)})
    assert sorted(drained(facts)) == ["node1", "node2", "node3"]


def test_hosts_of_others_that_the_lessons_would_call_otherwise() -> None:
    assert list(remarks(seen("network"))) == []
    (said,) = remarks(seen("network", {"hosts.node2.info.Name": "alder"}))
    assert said.startswith("node2 calls itself alder, and the lessons' own docker commands speak of node2")
    two = replace(seen("bare"), hosts=seen("bare").hosts[:2])
    assert list(remarks(two)) == ["the lessons' own commands speak of node3, which the inventory does not name"]


def test_hosts_of_others_are_brought_the_images() -> None:
    assert len(images_to_bring(seen("tiers"), IMAGES)) == 0
    lacking = seen("tiers", {"hosts.node2.images": []})
    assert [step.host for step in images_to_bring(lacking, IMAGES)] == ["node2"] * len(list(IMAGES))


FIREWALL = """-P FORWARD DROP
-A INPUT -p udp -m udp --dport 4789 -m u32 --u32 "0x0&0x3c@0xc&0xffffff00=0x100100" -j DROP
-A INPUT -p udp -m udp --dport 4789 -j DROP
-A FORWARD -j DOCKER-USER
-A FORWARD -i docker_gwbridge -o docker_gwbridge -j DROP
-A DOCKER-USER -p tcp -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A OUTPUT -p tcp -m tcp --dport 2377 -j ACCEPT
"""


def test_a_port_that_a_learner_shut_is_told_from_what_the_engine_shuts() -> None:
    assert blocking(FIREWALL) == [
        "INPUT -p udp -m udp --dport 4789 -j DROP",
        "DOCKER-USER -p tcp -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable",
    ]


def test_a_name_that_a_lesson_uses_and_somebody_has() -> None:
    facts = seen("bare", {"hosts.node1.containers": [WEB]})
    assert [reason[:27] for reason in names_taken(facts, "01")] == ["node1 has a container 'web'"]
    assert not list(names_taken(facts, "02"))


REMOVED = re.compile(r"docker (?:(container|service|network|volume) )?rm ((?:--force |-f )*)([a-z ]+)")


def test_everything_that_a_lesson_removes_by_its_name_is_known() -> None:
    for path in (CASES.parents[2] / "notebooks").glob("*.ipynb"):
        known = BY_HAND.get(path.name[:2], {})
        cells = (cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code")
        source = "\n".join("".join(cell["source"]) for cell in cells)
        for kind, _, names in REMOVED.findall(source):
            assert set(names.split()) <= {*known.get(kind or "container", ()), *TIERS}, (path.name, kind, names)


def test_nothing_is_removed_for_a_part_of_its_name() -> None:
    """`--filter name=crowd` finds crowdsec too, which is somebody else's."""
    for path in (CASES.parents[2] / "notebooks").glob("*.ipynb"):
        assert not re.search(r"filter name=[^|\n]*\|[^|\n]*\brm\b", path.read_text()), path.name


NARROW = {"Id": "n9", "Name": "narrow", "Driver": "overlay", "Scope": "swarm", "Labels": {}}


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({}, "narrow is not encrypted"),
        ({"encrypted": "true"}, "reckons with a wire of 1500 bytes"),
        ({"encrypted": "true", "com.docker.network.driver.mtu": "1324"}, "what is left inside"),
        ({"encrypted": "true", "com.docker.network.driver.mtu": "1350"}, "what is left inside"),
        ({"encrypted": "true", "com.docker.network.driver.mtu": "1280"}, "a wire of 1280 bytes, and this one carries"),
    ],
)
def test_a_network_that_does_not_fit_a_narrow_wire(options: dict[str, str], hint: str) -> None:
    networks = json.loads((CASES / "answers" / "tiers.json").read_text())["swarm"]["networks"]
    swarm = seen("tiers", {"swarm.networks": [*networks, {**NARROW, "Options": options}]}).swarm
    assert hint in missing(swarm)


def test_a_network_that_fits_a_narrow_wire() -> None:
    networks = json.loads((CASES / "answers" / "tiers.json").read_text())["swarm"]["networks"]
    fits = {**NARROW, "Options": {"encrypted": "true", "com.docker.network.driver.mtu": "1400"}}
    assert missing(seen("tiers", {"swarm.networks": [*networks, fits]}).swarm) == ""
    assert "has no overlay network narrow" in missing(seen("tiers").swarm)
    assert "no manager answers" in missing(None)
