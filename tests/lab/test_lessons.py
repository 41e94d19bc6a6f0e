"""A lesson's start is reached from whatever state the hosts were left in, soon, and it says what it undid."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest

from overlaykit import Stack
from overlaykit.inventories import find_inventory
from overlaykit.kit import Hosts, connect
from overlaykit.lab import lab as practice
from overlaykit.lessons import begin, power_off, power_on, session, turn
from overlaykit.lessons.starts import STARTS, Start, has, in_the_way, phases_until
from overlaykit.lessons.tasks import wait_until
from overlaykit.ui.notebook.start import StartPanel
from overlaykit.words.errors import PlanRefused
from overlaykit.words.stack import TIERS

pytestmark = pytest.mark.lessons

STACK = Stack()
LONGEST = 60.0  # seconds to a start, from anywhere
AT_ONCE = 2.0  # where nothing is to be done
LESSON_OF: dict[Start, str] = {start: lesson for lesson, start in sorted(STARTS.items(), reverse=True)}


@pytest.fixture
def panels(monkeypatch: pytest.MonkeyPatch) -> list[StartPanel]:
    """What the starts of a test said."""
    shown: list[StartPanel] = []

    def show(panel: StartPanel) -> None:
        shown.append(panel)

    monkeypatch.setattr(StartPanel, "show", show)
    return shown


@pytest.fixture
def lab(lab_name: str) -> Iterator[str]:
    """The lab's name as a parameters cell has it; the next test file finds all hosts on, and bare."""
    yield f"lab:{lab_name}"
    begin(LESSON_OF["bare"], f"lab:{lab_name}").close()


def begun(start: Start, lab: str) -> Hosts:
    """Begin the first lesson with that start; look whether it is reached, and in time."""
    began = time.monotonic()
    hosts = begin(LESSON_OF[start], lab)
    assert time.monotonic() - began < LONGEST
    is_reached(hosts, start)
    return hosts


def is_reached(hosts: Hosts, start: Start) -> None:
    facts = hosts.look()
    assert not in_the_way(facts, STACK, start)
    for phase in hosts.phases(STACK, phases_until(start)) if has(start, "swarm") else ():
        findings = phase.prove()
        assert len(findings) > 0
        assert findings.ok, findings
    if has(start, "tiers"):
        assert hosts.discovery(STACK).prove().ok
    if has(start, "apart"):
        assert facts.swarm
        hosts_of = [{task.host for task in facts.swarm.running(tier)} for tier in TIERS]
        assert max(len(set(one_of_each)) for one_of_each in product(*hosts_of)) == len(TIERS)
    assert (facts.swarm is not None) == has(start, "swarm")


def said(panels: list[StartPanel], kind: str) -> str:
    return "\n".join(text for word, text in panels[-1].lines if word == kind)


def test_forward_and_back_again(lab: str, panels: list[StartPanel]) -> None:
    forward: tuple[Start, ...] = ("bare", "swarm", "network", "tiers", "apart")
    for start in (*forward, *reversed(forward)):
        begun(start, lab)
    assert "with the old ones go: " not in said(panels, "undo")  # of a swarm alone nothing else is lost


def test_what_is_so_is_left_alone(lab: str, panels: list[StartPanel]) -> None:
    for start in ("bare", "tiers"):
        begun(start, lab)
        began = time.monotonic()
        begin(LESSON_OF[start], lab)
        assert time.monotonic() - began < AT_ONCE
        assert [kind for kind, _ in panels[-1].lines if kind != "note"] == ["ready"]


def test_an_earlier_start_hangs_up(lab: str, panels: list[StartPanel]) -> None:
    earlier = begin("99", lab)
    begin("99", lab)
    assert not any(host.connection.alive for host in earlier)
    assert len(session._open) == 1


def made_by_hand(hosts: Hosts) -> None:
    for host in hosts:
        image = host.docker.images.list()[0].id
        host.run(
            f"docker network create mine && docker volume create notes && "
            f"docker run -d --name web --network mine -v notes:/notes {image} sleep 600",
            check=True,
        )
    hosts["node1"].run(
        f"docker service create -d --name strange --network guestbook {image} sleep 600 && "
        "echo x | docker secret create mine - && docker node update --availability drain --label-add disk=ssd node2",
        check=True,
    )
    hosts["node2"].run("iptables -I INPUT -p udp --dport 4789 -j DROP", check=True)


def test_what_a_learner_made_by_hand(lab: str, panels: list[StartPanel]) -> None:
    made_by_hand(begun("tiers", lab))
    begun("tiers", lab)
    undone = said(panels, "undo")
    for name in ("container web", "network mine", "volume notes", "service strange", "secret mine"):
        assert f"remove {name}" in undone
    assert "node2: the firewall's rule INPUT" in undone
    assert "fresh disks" not in undone


def test_another_stack_half_done(lab: str, panels: list[StartPanel]) -> None:
    hosts = begun("bare", lab)
    other = Stack().set("name", "other").set("network.subnet", "10.99.0.0/24").set("backend.replicas", 4)
    for phase in hosts.phases(other):
        phase.apply()
    hosts["node1"].docker.services.get("database").remove()
    begun("network", lab)
    assert "remove service backend" in said(panels, "undo")


def test_the_same_stack_with_other_parameters(lab: str, panels: list[StartPanel]) -> None:
    hosts = begun("tiers", lab)
    if any(host.can_encrypt is False for host in hosts.look()):
        pytest.skip("the kernel of these hosts has no ESP")
    changed = STACK.set("network.encrypted", True).set("backend.replicas", 3)
    for phase in hosts.phases(changed):
        phase.apply(recreate=True)
    begun("tiers", lab)


def test_a_swarm_that_was_formed_by_hand_is_taken_over(lab: str, panels: list[StartPanel]) -> None:
    hosts = begun("bare", lab)
    first, *others = list(hosts)
    first.docker.swarm.init(advertise_addr=first.host.advertise_addr)
    token = first.docker.swarm.attrs["JoinTokens"]["Worker"]
    for host in others:
        host.docker.swarm.join([f"{first.host.advertise_addr}:2377"], token, advertise_addr=host.host.advertise_addr)
    formed = first.docker.swarm.attrs["ID"]
    hosts = begun("swarm", lab)
    assert hosts["node1"].docker.swarm.attrs["ID"] == formed


def without_manager(hosts: Hosts) -> None:
    practice.reset(hosts.where, "node1")


def two_are_off(hosts: Hosts) -> None:
    power_off(hosts, "node1")
    power_off(hosts, "node3")


def a_worker_became_another(hosts: Hosts) -> None:
    practice.reset(hosts.where, "node2")


def another_rules(hosts: Hosts) -> None:
    hosts["node1"].run("docker node promote node2 && docker node demote node1 || true")


def every_image_is_gone(hosts: Hosts) -> None:
    for host in hosts:
        host.run("docker ps -aq | xargs -r docker rm -f; docker image prune -af")


def all_have_left(hosts: Hosts) -> None:
    for host in hosts:
        host.run("docker swarm leave --force", check=True)


def all_in_one_place(hosts: Hosts) -> None:
    hosts.tiers(STACK.set("frontend.placement", "node3").set("backend.placement", "node3")).apply()


def the_lab_is_gone(hosts: Hosts) -> None:
    practice.down(hosts.where)


SPOILED: list[tuple[Callable[[Hosts], None], Start]] = [
    (without_manager, "swarm"),
    (two_are_off, "tiers"),
    (a_worker_became_another, "network"),
    (another_rules, "tiers"),
    (every_image_is_gone, "bare"),
    (all_have_left, "tiers"),
    (all_in_one_place, "apart"),
    (the_lab_is_gone, "network"),
]


@pytest.mark.parametrize(("spoil", "start"), SPOILED, ids=[f"{spoil.__name__}-{start}" for spoil, start in SPOILED])
def test_spoiled(spoil: Callable[[Hosts], None], start: Start, lab: str, panels: list[StartPanel]) -> None:
    spoil(begun("tiers", lab))
    begun(start, lab)


def test_a_host_that_does_not_answer_gets_a_fresh_disk_before_a_clean_up(lab: str, panels: list[StartPanel]) -> None:
    hosts = begun("swarm", lab)
    shut = "sleep 1; iptables -I INPUT -p tcp --dport 22 -j DROP"
    hosts["node3"].run(f"nohup sh -c '{shut}' >/dev/null 2>&1 &", check=True)
    wait_until(lambda: hosts.look()["node3"].error is not None, "node3 is silent")
    after = begin("99", lab)
    assert said(panels, "undo") == "fresh disks for node3, which did not answer"
    assert [host.name for host in after.look().reachable] == ["node1", "node2", "node3"]


def test_an_exercise_is_judged_by_what_is(lab: str, panels: list[StartPanel]) -> None:
    hosts = begun("bare", lab)
    assert repr(turn("02", hosts, STACK)).startswith("NOT YET")
    begun("swarm", lab)
    assert repr(turn("02", hosts, STACK)).startswith("PASS")


def test_the_plug_is_pulled_and_put_back(lab: str, panels: list[StartPanel]) -> None:
    hosts = begun("bare", lab)
    power_off(hosts, "node3")
    assert hosts.look()["node3"].error
    power_on(hosts, "node3")
    assert hosts["node3"].run("hostname", check=True).stdout == "node3\n"


@pytest.fixture
def others(lab: str, tmp_path: Path) -> Path:
    """The same hosts, by an inventory that no lab wrote."""
    copy = tmp_path / "hosts.ini"
    copy.write_text(Path(find_inventory(lab).source).read_text())
    return copy


def test_other_peoples_hosts_are_looked_at(lab: str, others: Path, panels: list[StartPanel]) -> None:
    begun("bare", lab)
    with pytest.raises(PlanRefused, match=r"not the lab's, so nothing was changed"):
        begin("03", others)
    assert said(panels, "plan").startswith("node1$ docker swarm init")
    with connect(others) as hosts:
        assert hosts.look().swarm is None


def test_a_name_that_somebody_uses_is_left_alone(lab: str, others: Path, panels: list[StartPanel]) -> None:
    begun("bare", lab)["node1"].run("docker create --name web $(docker image ls -q overlaykit/backend)", check=True)
    with pytest.raises(PlanRefused, match="node1 has a container 'web', a name that this lesson uses"):
        begin("01", others, allow_changes=True)
    with connect(others) as hosts:
        assert "web" in hosts.look()["node1"].containers


def test_on_other_peoples_hosts_only_the_kits_goes(lab: str, others: Path, panels: list[StartPanel]) -> None:
    begun("tiers", lab)["node1"].run("docker volume create notes && docker network create mine", check=True)
    facts = begin("03", others, allow_changes=True).look()
    assert facts.swarm and not facts.swarm.services
    assert "notes" in facts["node1"].volumes and "mine" in facts["node1"].networks
    assert STACK.database.volume in facts["node3"].volumes
