"""What the kit must not do, and what it says when something stands in its way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from guestbook import NotYet, eventually
from practice_hosts import Typed, make_bare, power_on

from overlaykit import Stack, connect
from overlaykit.kit import Hosts
from overlaykit.lab import lab as practice
from overlaykit.remote.apply import DEADLINE
from overlaykit.words.errors import PlanRefused
from overlaykit.words.plan import ApplyFailed, Event

STACK = Stack()


@pytest.fixture(autouse=True)
def bare_again(lab_hosts: Hosts, lab_name: str) -> Iterator[None]:
    """Each test finds bare engines, however the one before it ended."""
    yield
    power_on(lab_name)
    make_bare(lab_hosts)


@pytest.fixture
def foreign_swarm(lab_hosts: Hosts, bare_again: None) -> Iterator[str]:
    """A swarm of all hosts that somebody formed by hand; its id."""
    node1 = lab_hosts["node1"].docker
    address = lab_hosts.inventory["node1"].advertise_addr
    node1.swarm.init(advertise_addr=address)
    token = node1.api.inspect_swarm()["JoinTokens"]["Worker"]
    for name in ("node2", "node3"):
        lab_hosts[name].docker.swarm.join([f"{address}:2377"], token)
    yield str(node1.swarm.attrs["ID"])
    for name in ("node2", "node3", "node1"):
        if lab_hosts[name].docker.info()["Swarm"]["LocalNodeState"] != "inactive":
            lab_hosts[name].docker.swarm.leave(force=True)


def test_a_foreign_swarm_is_refused(lab_hosts: Hosts, foreign_swarm: str) -> None:
    with pytest.raises(PlanRefused, match="--adopt"):
        lab_hosts.swarm(STACK).plan()
    assert lab_hosts["node1"].docker.swarm.attrs["ID"] == foreign_swarm


def test_a_foreign_swarm_is_adopted_on_request_and_down_leaves_it(lab_name: str, foreign_swarm: str) -> None:
    with connect(f"lab:{lab_name}", adopt=True) as hosts:
        for phase in hosts.phases(STACK, until="network"):
            phase.apply()
        assert hosts.look().swarm
        hosts.down(STACK).apply()
        assert hosts["node1"].docker.swarm.attrs["ID"] == foreign_swarm
        assert [n.name for n in hosts["node1"].docker.networks.list(names=["guestbook"])] == []


@pytest.fixture
def busy_port(lab_hosts: Hosts) -> Iterator[None]:
    """Something of somebody else's listens on port 80 of node2."""
    engine = lab_hosts["node2"].docker
    image = next(tag for one in engine.images.list() for tag in one.tags if tag.startswith("overlaykit/backend:"))
    program = ["python3", "-c", "import socket, time; held = socket.create_server(('', 80)); time.sleep(600)"]
    container = engine.containers.run(image, program, entrypoint=[], user="0", network_mode="host", detach=True)
    listening(lab_hosts)
    yield
    container.remove(force=True)


@eventually
def listening(hosts: Hosts) -> None:
    """The container has come as far as to listen."""
    if 80 not in [one.port for one in hosts.look()["node2"].listeners or ()]:
        raise NotYet("nothing listens on port 80 of node2")


@pytest.mark.usefixtures("busy_port")
def test_a_port_that_somebody_listens_on_is_refused_before_the_first_change(
    lab_hosts: Hosts, overlaykit: Typed
) -> None:
    refused = overlaykit("up")
    assert refused.returncode == 1
    assert "node2: frontend.published_port 80 is taken by" in refused.stderr
    assert lab_hosts.look().swarm is None


def test_the_databases_host_goes_off_during_up_and_up_again_completes(lab_hosts: Hosts, lab_name: str) -> None:
    def pull_the_plug(event: Event) -> None:
        if event.step.title == "create service database" and event.state == "started":
            practice.power(lab_name, "node3", on=False)

    began = time.monotonic()
    with pytest.raises(ApplyFailed, match=r"task database\.1 pending: no suitable node.*is that host on"):
        for phase in lab_hosts.phases(STACK):
            phase.apply(pull_the_plug)
    assert time.monotonic() - began < DEADLINE  # it is not waited for to the end
    with pytest.raises(PlanRefused, match="node3: "):
        lab_hosts.tiers(STACK).plan()
    power_on(lab_name)
    for phase in lab_hosts.phases(STACK):
        phase.apply()
    findings = lab_hosts.discovery(STACK).prove()
    assert findings.ok, findings


def test_a_host_that_is_off_is_named(lab_hosts: Hosts, lab_name: str, overlaykit: Typed) -> None:
    practice.power(lab_name, "node3", on=False)
    try:
        seen = overlaykit("hosts")
    finally:
        practice.power(lab_name, "node3", on=True)
    assert seen.returncode == 1
    assert "node1" in seen.stdout
    assert "node3" in seen.stderr
    assert "Traceback" not in seen.stderr
    assert lab_hosts.look()["node1"].error is None


def test_hosts_of_others_are_not_changed_without_a_yes(
    lab_hosts: Hosts, lab_name: str, overlaykit: Typed, tmp_path: Path
) -> None:
    """A lab's hosts, named by a file that is not the lab's, are anybody's."""
    lab = practice.find_lab(lab_name)
    assert lab
    file = tmp_path / "hosts.ini"
    file.write_text(lab.inventory.read_text())
    asked = overlaykit("up", "--inventory", str(file))
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    assert lab_hosts.look().swarm is None
