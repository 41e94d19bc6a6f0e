"""Practice hosts as containers: what the kit promises holds on them, and what the machine's kernel lacks is said.

Runs where the lab is told to make containers (`make test-containers`), on an engine of its own.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import docker
import pytest
from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool
from practice_hosts import NODES, Typed, containers_alone

from overlaykit import Stack
from overlaykit.kit import Hosts
from overlaykit.lab import kinds
from overlaykit.lab import lab as practice
from overlaykit.lab.container_build import read_box, tags_of
from overlaykit.lab.containers import free_wire
from overlaykit.lab.engine import machine_engine, missing_room
from overlaykit.words.errors import LabError, LabNotPossible, PlanRefused

pytestmark = [pytest.mark.containers, containers_alone]
STACK = Stack()


@pytest.fixture
def engine() -> Iterator[docker.APIClient]:
    with machine_engine() as client:
        yield client


@pytest.fixture(scope="module")
def up(lab_hosts: Hosts) -> Hosts:
    """The hosts with the stack deployed."""
    for phase in lab_hosts.phases(STACK):
        phase.apply()
    return lab_hosts


def run(lab: str, node: str, command: str) -> str:
    """Run a command on a host, as `overlaykit lab ssh` does."""
    done = subprocess.run(
        practice.ssh_command(lab, node, command), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def of_lab(client: docker.APIClient, folder: str) -> list[str]:
    """Whatever the engine has of a lab."""
    mark = {"label": f"overlaykit.lab={folder}"}
    volumes = client.volumes(filters=mark)["Volumes"] or []
    containers, networks = client.containers(all=True, filters=mark), client.networks(filters=mark)
    return [*(one["Id"] for one in (*containers, *networks)), *(one["Name"] for one in volumes)]


def everything(client: docker.APIClient) -> dict[str, set[str]]:
    """What the engine has that is no lab's, by kind."""
    rows = {
        "containers": client.containers(all=True),
        "networks": client.networks(),
        "volumes": client.volumes()["Volumes"] or [],
    }
    return {
        kind: {one.get("Id") or one["Name"] for one in found if "overlaykit.lab" not in (one.get("Labels") or {})}
        for kind, found in rows.items()
    }


def test_what_is_somebody_elses_on_the_machine_stays_as_it_is(up: Hosts, engine: docker.APIClient) -> None:
    """A second lab comes and goes beside a container, a volume, and a network with the addresses that it would take."""
    name = f"theirs-{os.getpid()}"
    image = engine.images(name="overlaykit/host", quiet=True)[0]
    network = engine.create_network(name, ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=f"{free_wire(())}.0/24")]))[
        "Id"
    ]
    engine.create_volume(name)
    host = engine.create_host_config(network_mode=name, binds=[f"{name}:/theirs"])
    container = engine.create_container(image, ["infinity"], entrypoint=["sleep"], name=name, host_config=host)["Id"]
    try:
        engine.start(container)
        before = everything(engine)
        assert container in before["containers"] and network in before["networks"] and name in before["volumes"]
        practice.up(f"beside-{name}", 1)
        practice.down(f"beside-{name}")
        assert everything(engine) == before
        assert engine.inspect_container(container)["State"]["Running"]
    finally:
        engine.remove_container(container, force=True)
        engine.remove_network(network)
        engine.remove_volume(name)


@pytest.mark.proof
def test_every_phase_is_proven(up: Hosts) -> None:
    for phase in (*up.phases(STACK), up.discovery(STACK)):
        findings = phase.prove()
        assert len(findings) > 0
        assert findings.ok, findings.details()
        assert findings.count()["unknown"] == 0, findings.details()


@pytest.mark.proof
def test_a_second_up_writes_nothing(up: Hosts, writing_calls: tuple[Hosts, list[str]]) -> None:
    hosts, calls = writing_calls
    for phase in hosts.phases(STACK):
        phase.apply()
    assert calls == []


def test_what_the_kernel_lacks_is_said_once(up: Hosts, overlaykit: Typed) -> None:
    said = overlaykit("plan").stdout
    without = [host.name for host in up.look() if host.has_ipvs is False]
    assert said.count("no IPVS") == bool(without)


def test_the_wire_is_read(up: Hosts) -> None:
    seen = up.wire(STACK, "open-sesame").listen()
    own = seen["guestbook"]
    assert own.verdict == "plaintext", seen.details()
    assert own.hits > 0


def test_an_encrypted_network_is_refused_where_it_would_carry_nothing(up: Hosts) -> None:
    without = [host.name for host in up.look() if host.can_encrypt is False]
    if not without:
        pytest.skip("this machine's kernel has ESP")
    with pytest.raises(PlanRefused, match=f"the kernel of {', '.join(without)} has no ESP"):
        up.network(STACK.set("network.name", "secret").set("network.encrypted", True)).plan()


def test_pulling_the_plug_keeps_the_disk_and_the_swarm(up: Hosts, lab_name: str) -> None:
    run(lab_name, "node2", "touch /root/kept")
    practice.power(lab_name, "node2", on=False)
    assert [host.running for host in practice.status(lab_name)] == [True, False, True]
    practice.power(lab_name, "node2", on=True)
    assert run(lab_name, "node2", "ls /root/kept; docker info --format '{{.Swarm.LocalNodeState}}'").endswith("active")
    for phase in up.phases(STACK):
        phase.apply()
    findings = up.discovery(STACK).prove()
    assert findings.ok, findings.details()


def test_down_leaves_no_stack(up: Hosts) -> None:
    up.down(STACK, volumes=True).apply()
    assert up.down(STACK, volumes=True).prove().ok


def test_reset_gives_a_fresh_disk(lab_name: str) -> None:
    run(lab_name, "node3", "touch /root/kept; docker volume create data")
    practice.reset(lab_name, "node3")
    assert run(lab_name, "node3", "test -e /root/kept || echo gone; docker volume ls -q") == "gone"


def test_a_reboot_from_within_comes_back(lab_name: str, engine: docker.APIClient) -> None:
    before = started(engine, lab_name, "node3")
    run(lab_name, "node3", "reboot")
    practice.power(lab_name, "node3", on=True)  # at once, whether it goes down, comes up or is there
    deadline = time.monotonic() + 60
    while started(engine, lab_name, "node3") == before:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    practice.power(lab_name, "node3", on=True)
    assert run(lab_name, "node3", "hostname") == "node3"


def test_the_plug_is_pulled_from_a_host_that_reboots(lab_name: str) -> None:
    run(lab_name, "node3", "reboot")
    practice.power(lab_name, "node3", on=False)
    until = time.monotonic() + 3  # nothing tells that it will not come back: the engine starts it again within a second
    while time.monotonic() < until:
        assert "node3" not in on(lab_name)
        time.sleep(0.2)
    practice.power(lab_name, "node3", on=True)


def started(client: docker.APIClient, lab: str, node: str) -> str:
    """When the host's container was started last."""
    found = practice.find_lab(lab)
    assert found
    marks = {"label": [f"overlaykit.lab={found.folder}", f"overlaykit.node={node}"]}
    (one,) = client.containers(all=True, filters=marks)
    return str(client.inspect_container(one["Id"])["State"]["StartedAt"])


def on(lab: str) -> set[str]:
    return {host.name for host in practice.status(lab) if host.running}


def test_hosts_are_apart_from_the_world(lab_name: str) -> None:
    for node in NODES:
        assert "default" not in run(lab_name, node, "ip route")
    assert run(lab_name, "node1", "getent hosts node3").endswith("node3")


@pytest.mark.proof
def test_two_labs_are_apart_and_down_leaves_nothing(lab_name: str, engine: docker.APIClient) -> None:
    name = f"beside-{os.getpid()}"
    try:
        other = practice.up(name, hosts=1)
        first = practice.find_lab(lab_name)
        assert first
        assert other.nodes[0].address not in {node.address for node in first.nodes}
        with pytest.raises(LabError, match="has containers for hosts, not kernels"):
            practice.up(name, backend="kernels")
        assert of_lab(engine, str(other.folder))
    finally:
        practice.down(name)
    assert of_lab(engine, str(other.folder)) == []
    assert not other.folder.exists()


def test_down_removes_a_lab_whose_note_cannot_be_read(engine: docker.APIClient) -> None:
    name = f"torn-{os.getpid()}"
    try:
        torn = practice.up(name, hosts=1)
        assert of_lab(engine, str(torn.folder))
        (torn.folder / "lab.json").write_text('{"name": ')
    finally:
        practice.down(name)
    assert of_lab(engine, str(torn.folder)) == []
    assert not torn.folder.exists()


def test_a_full_disk_is_said_before_anything_is_made(engine: docker.APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_room(engine, 1) is None
    name, before = f"full-{os.getpid()}", everything(engine)
    monkeypatch.setattr(kinds, "DISK", 10**18)
    with pytest.raises(LabNotPossible, match=r"practice hosts need .* GB are free there: make room"):
        practice.up(name, 1)
    assert practice.find_lab(name) is None
    assert everything(engine) == before


def test_two_labs_that_are_made_at_once_get_wires_of_their_own(engine: docker.APIClient) -> None:
    names = [f"{which}-{os.getpid()}" for which in ("one", "two")]
    try:
        with ThreadPoolExecutor() as pool:
            labs = list(pool.map(partial(practice.up, hosts=1), names))
        assert len({lab.nodes[0].address for lab in labs}) == len(names)
    finally:
        for name in names:
            practice.down(name)


def test_what_somebody_cleaned_up_while_hosts_were_off(lab_name: str, engine: docker.APIClient) -> None:
    """As `docker network prune` and `docker volume prune` do: the network comes back, the volumes are in use."""
    lab = practice.find_lab(lab_name)
    assert lab
    run(lab_name, "node1", "touch /root/kept")
    for node in NODES:
        practice.power(lab_name, node, on=False)
    engine.remove_network(engine.networks(filters={"label": f"overlaykit.lab={lab.folder}"})[0]["Id"])
    box = read_box(lab.build)
    for volume in (box.seed, box.whole):
        with pytest.raises(APIError, match="in use"):
            engine.remove_volume(volume)
    practice.up(lab_name)
    assert run(lab_name, "node1", "getent hosts node3").endswith("node3")
    assert run(lab_name, "node1", "ls /root/kept") == "/root/kept"


def test_all_names_that_a_build_gave_an_image_are_known_to_be_its(lab_name: str, engine: docker.APIClient) -> None:
    lab = practice.find_lab(lab_name)
    assert lab
    image = read_box(lab.build).image
    engine.tag(image, "localhost/overlaykit/host", "latest")
    engine.tag(image, "theirs", "1")
    try:
        assert tags_of(engine, [image]) == {image, "localhost/overlaykit/host:latest"}
    finally:
        for name in ("localhost/overlaykit/host:latest", "theirs:1"):
            engine.remove_image(name)
