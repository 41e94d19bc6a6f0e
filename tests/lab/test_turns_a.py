"""The checks of the first exercises, on hosts where nothing was done, the wrong thing, and the right one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from exercises import hint, type_on

from overlaykit import Stack
from overlaykit.kit import Hosts
from overlaykit.lessons.turns import turn

pytestmark = pytest.mark.lessons

FRONTEND = "$(docker images --quiet overlaykit/frontend | head -n 1)"
BACKEND = "$(docker images --quiet overlaykit/backend | head -n 1)"


@pytest.fixture
def bare(lab_hosts: Hosts) -> Iterator[Hosts]:
    """Engines in no swarm; what is started by hand goes afterwards."""
    yield lab_hosts
    for host in lab_hosts:
        host.run("docker ps --all --quiet | xargs --no-run-if-empty docker rm --force", check=True)
        host.run("docker network prune --force", check=True)


@pytest.fixture
def swarm(bare: Hosts) -> Hosts:
    """One swarm of all hosts, as the kit forms it; the module's hosts are made bare at its end."""
    bare.swarm(Stack()).apply()
    return bare


def test_a_container_on_the_second_host(bare: Hosts) -> None:
    assert hint("00", bare).startswith("node2 has no container hello")

    type_on(bare, "node1", f"docker run --detach --name hello {BACKEND} sleep infinity")
    assert hint("00", bare).startswith("hello is on node1")

    type_on(bare, "node2", f"docker run --detach --name hello {BACKEND} true && docker wait hello")
    assert "it has ended" in hint("00", bare)

    type_on(bare, "node2", "docker rm hello", f"docker run --detach --name hello {BACKEND} sleep infinity")
    assert turn("00", bare).passed


def test_a_pair_that_hides_its_back(bare: Hosts) -> None:
    assert hint("01", bare) == "node2 has no running container front"

    type_on(bare, "node2", "docker network create pair")
    for options, said in {
        "front|--publish 9090:80": "front is not in a network pair",
        "front|--network pair": "front does not publish port 9090",
        "front|--network pair --publish 127.0.0.1:9090:80": "node2's own 127.0.0.1",
        "front|--network pair --publish 9090:8080": "heard nothing",
        "back|--network pair --publish 9091:80": "back publishes a port",
    }.items():
        name, _, chosen = options.partition("|")
        pair = {"front": "--network pair --publish 9090:80", "back": "--network pair", name: chosen}
        start_pair(bare, pair)
        assert said in hint("01", bare), options

    start_pair(bare, {"front": "--network pair --publish 9090:80", "back": "--network pair"})
    assert turn("01", bare).passed


def start_pair(hosts: Hosts, options: dict[str, str]) -> None:
    """Both containers on node2, anew, each with its options."""
    for name, chosen in options.items():
        type_on(hosts, "node2", f"docker rm --force {name}", f"docker run --detach --name {name} {chosen} {FRONTEND}")


def test_a_host_that_had_left_is_back(swarm: Hosts) -> None:
    type_on(swarm, "node2", "docker swarm leave")
    assert hint("02", swarm).startswith("node2 is not in the swarm")

    join(swarm, "node2", "Manager")
    assert hint("02", swarm).startswith("node2 is a manager, not a worker")

    type_on(swarm, "node1", f"docker node demote {swarm.look()['node2'].node_id}")
    assert "still lists a node2" in hint("02", swarm)

    listed = "docker node ls --format '{{.ID}} {{.Status}}'"
    type_on(swarm, "node1", f"until {listed} | grep -q Down; do sleep 0.2; done")
    type_on(swarm, "node1", f"{listed} | awk '/Down/{{print $1}}' | xargs docker node rm")
    assert turn("02", swarm).passed


def join(hosts: Hosts, name: str, role: str) -> None:
    """With the token of a role; it goes over the connection, and is in no command line."""
    manager = hosts["node1"].docker
    address = manager.info()["Swarm"]["NodeAddr"]
    hosts[name].docker.swarm.join([f"{address}:2377"], manager.swarm.attrs["JoinTokens"][role])


def test_an_encrypted_overlay_that_has_come_to_a_worker(swarm: Hosts) -> None:
    assert hint("03", swarm).startswith("the swarm has no overlay network vault")

    type_on(swarm, "node2", "docker network create vault")
    assert "is a bridge network and ends there" in hint("03", swarm)
    type_on(swarm, "node2", "docker network rm vault")

    for options, said in {
        "--attachable": "is not encrypted",
        "--opt encrypted": "takes tasks of services alone",
    }.items():
        type_on(swarm, "node1", f"docker network create --driver overlay {options} vault")
        assert said in hint("03", swarm)
        type_on(swarm, "node1", "docker network rm vault")

    type_on(swarm, "node1", "docker network create --driver overlay --attachable --opt encrypted vault")
    assert "has not come to node2" in hint("03", swarm)

    type_on(swarm, "node2", f"docker run --detach --name keeper --network vault {BACKEND} sleep infinity")
    assert turn("03", swarm).passed

    type_on(swarm, "node2", "docker rm --force keeper")
    type_on(swarm, "node1", "docker network rm vault")
