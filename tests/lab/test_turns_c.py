"""The checks of the last exercises, on hosts where nothing was done, the wrong thing, and the right one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from exercises import hint, type_on

from overlaykit import Stack
from overlaykit.kit import Hosts
from overlaykit.lessons.belongings import belongings, difference
from overlaykit.lessons.tasks import tasks_on, wait_until, why_waiting
from overlaykit.lessons.turns import turn
from overlaykit.lessons.verdict import Verdict

pytestmark = pytest.mark.lessons

STACK = Stack()
FRONTEND = "$(docker image ls --quiet --no-trunc overlaykit/frontend)"
BACKEND = "$(docker image ls --quiet --no-trunc overlaykit/backend)"
SHELF = "mkdir -p /tmp/shop/api; echo 9 coins > /tmp/shop/api/price; cd /tmp/shop; exec python3 -m http.server 8000"


@pytest.fixture
def up(lab_hosts: Hosts) -> Hosts:
    """The stack, deployed."""
    for phase in lab_hosts.phases(STACK):
        phase.apply()
    return lab_hosts


@pytest.fixture
def bare(lab_hosts: Hosts) -> Iterator[Hosts]:
    """Engines in no swarm; what is made by hand goes afterwards."""
    lab_hosts.down(STACK, volumes=True).apply()
    yield lab_hosts
    for host in reversed(list(lab_hosts)):
        host.run("docker ps --all --quiet | xargs --no-run-if-empty docker rm --force")
        host.run("docker swarm leave --force")
        host.run("docker network prune --force; docker volume prune --all --force", check=True)


def test_a_host_that_is_drained(up: Hosts) -> None:
    assert hint("09", up).startswith("node2 is still active")

    type_on(up, "node1", "docker node update --availability pause node2")
    assert hint("09", up).startswith("node2 is paused")

    type_on(up, "node1", "docker node update --availability drain node2", "docker service scale --detach backend=0")
    type_on(up, "node1", "docker node update --availability pause node1")
    assert hint("09", up) == "node1 takes no tasks either: it is needed now"

    type_on(up, "node1", "docker node update --availability active node1", "docker service scale --detach backend=1")
    assert turn("09", up, STACK).passed
    assert tasks_on(up)["node2"] == []
    type_on(up, "node1", "docker node update --availability active node2")


def test_a_database_whose_host_is_drained_waits_and_says_why(up: Hosts) -> None:
    type_on(up, "node1", "docker node update --availability drain node3")
    wait_until(lambda: why_waiting(up, "database") != [], "the manager says why the database waits")
    (reason,) = why_waiting(up, "database")
    assert reason.startswith("no suitable node")
    type_on(up, "node1", "docker node update --availability active node3")
    wait_until(lambda: "database" in tasks_on(up)["node3"], "the database is back")


def test_a_plan_that_is_empty_again(up: Hosts) -> None:
    type_on(up, "node1", "docker node update --label-rm overlaykit.host node2")
    type_on(up, "node1", "docker service update --detach --limit-memory 64M --update-order start-first frontend")
    assert hint("10", up) == "the plan would still do this: label node node2"

    type_on(up, "node1", "docker node update --label-add overlaykit.host=node3 node2")
    assert hint("10", up) == "the plan would still do this: label node node2"  # it is a host of ours: not forgotten

    type_on(up, "node1", "docker node update --label-add overlaykit.host=node2 node2")
    assert (
        hint("10", up) == "the plan would still do this: update service frontend, because of its memory, update order"
    )

    type_on(up, "node1", "docker service update --detach --limit-memory 0 --update-order stop-first frontend")
    assert turn("10", up, STACK).passed


def said(hosts: Hosts, number: int) -> Verdict:
    """One of the six goals of lesson 11, counted from 1."""
    verdict = turn("11", hosts, STACK)
    assert len(verdict.parts) == 6
    return verdict.parts[number - 1]


@pytest.mark.timeout(600)  # every goal, undone, wrong and done
@pytest.mark.usefixtures("ipvs")
def test_a_shop_of_ones_own(bare: Hosts) -> None:
    verdict = turn("11", bare, STACK)
    assert [part.passed for part in verdict.parts] == [False] * 6
    assert all(part.hint for part in verdict.parts)

    type_on(bare, "node1", "docker swarm init")
    assert said(bare, 1).hint.startswith("node2, node3 not in it yet")
    join(bare, "node2", "Worker")
    join(bare, "node3", "Manager")
    assert said(bare, 1).hint == "the managers are node1, node3"
    type_on(bare, "node1", "docker node demote node3")
    assert said(bare, 1).passed

    _test_its_network(bare)
    _test_its_stock(bare)
    _test_its_visitor(bare)
    _test_its_door(bare)
    wait_until(lambda: turn("11", bare, STACK).passed, "all six goals are passed")


def test_a_shop_on_kernels_without_ipvs(bare: Hosts) -> None:
    """Its name may lead to the tasks themselves; a door at every host there is none, and that is said."""
    if not any(host.has_ipvs is False for host in bare.look()):
        pytest.skip("the kernels of these hosts have IPVS")
    type_on(bare, "node1", "docker swarm init")
    for name in ("node2", "node3"):
        join(bare, name, "Worker")
    type_on(bare, "node1", "docker network create --driver overlay --subnet 10.50.0.0/24 --attachable shop")
    stock, program = "--network shop --replicas 2", f"sh -c '{SHELF}'"
    create(bare, "stock", stock, BACKEND, program)
    type_on(bare, "node3", f"docker run --detach --name visitor --network shop {BACKEND} sleep infinity")
    assert said(bare, 4).hint.startswith("`stock` leads to a virtual IP, and that leads nowhere")

    create(bare, "stock", f"{stock} --endpoint-mode dnsrr", BACKEND, program)
    options = "--network shop --constraint node.hostname==node2 --env BACKEND=stock:8000 --publish 8080:80"
    create(bare, "web", options, FRONTEND)
    wait_until(lambda: said(bare, 4).passed and said(bare, 6).passed, "goals 4 and 6 are passed")
    assert said(bare, 5).hint.startswith("not available here: one door at every host. The kernel of node1")


def join(hosts: Hosts, name: str, role: str) -> None:
    """With the token of a role, which is in no command line."""
    manager = hosts["node1"].docker
    hosts[name].docker.swarm.join([manager.info()["Swarm"]["NodeAddr"]], manager.swarm.attrs["JoinTokens"][role])


def _test_its_network(hosts: Hosts) -> None:
    for options, wrong in {
        "--subnet 10.51.0.0/24 --attachable": "its subnet is 10.51.0.0/24",
        "--subnet 10.50.0.0/24": "only services may join it",
    }.items():
        type_on(hosts, "node1", f"docker network create --driver overlay {options} shop")
        assert said(hosts, 2).hint.startswith(wrong)
        type_on(hosts, "node1", "docker network rm shop")
    type_on(hosts, "node1", "docker network create --driver overlay --subnet 10.50.0.0/24 --attachable shop")
    assert said(hosts, 2).passed


def create(hosts: Hosts, service: str, options: str, image: str, program: str = "") -> None:
    """Make the service anew."""
    hosts["node1"].run(f"docker service rm {service}")
    flags = f"--detach --no-resolve-image --name {service} {options}"
    type_on(hosts, "node1", f"docker service create {flags} {image} {program}")


def _test_its_stock(hosts: Hosts) -> None:
    program = f"sh -c '{SHELF}'"
    for options, wrong in {
        "--replicas 2": "stock is not on shop",
        "--network shop --replicas 2 --publish 8000": "stock publishes port",
        "--network shop --replicas 1": "stock is to have 2 tasks, and has 1",
    }.items():
        create(hosts, "stock", options, BACKEND, program)
        assert said(hosts, 3).hint.startswith(wrong), options
    create(hosts, "stock", "--network shop --replicas 2", BACKEND, "false")
    assert said(hosts, 3).hint.endswith("of 2 tasks run: `docker service ps stock` tells why")
    create(hosts, "stock", "--network shop --replicas 2", BACKEND, program)
    wait_until(lambda: said(hosts, 3).passed, "goal 3 is passed")


def _test_its_visitor(hosts: Hosts) -> None:
    for options, wrong in {
        f"{BACKEND} sleep infinity": "the name stock does not resolve",
        f"--network shop {BACKEND} true": "must last",
        f"--network shop {FRONTEND}": "has no python3",
    }.items():
        type_on(hosts, "node3", f"docker run --detach --name visitor {options}")
        assert wrong in said(hosts, 4).hint, options
        type_on(hosts, "node3", "docker rm --force visitor")
    assert said(hosts, 4).hint.startswith("there is no container visitor on node3")
    type_on(hosts, "node3", f"docker run --detach --name visitor --network shop {BACKEND} sleep infinity")
    wait_until(lambda: said(hosts, 4).passed, "goal 4 is passed")


def _test_its_door(hosts: Hosts) -> None:
    there, stock = "--constraint node.hostname==node2", "--env BACKEND=stock:8000"
    for options, wrong in {
        f"--network shop {there} {stock}": "web publishes nothing yet",
        f"--network shop {there} {stock} --publish 80:80": "web publishes 80: only 8080 of web is wanted",
        f"--network shop {there} --publish 8080:80": "port 8080 of node1 answers with 502 and no price",
        f"--network shop {there} {stock} --publish published=8080,target=80,mode=host": "nothing answers on port 8080",
    }.items():
        create(hosts, "web", options, FRONTEND)
        assert said(hosts, 5).hint.startswith(wrong), options
    create(hosts, "web", f"--network shop {stock} --publish 8080:80", FRONTEND)
    wait_until(lambda: said(hosts, 5).passed, "goal 5 is passed")
    assert said(hosts, 6).hint.startswith("no constraint ties web to a host")
    type_on(hosts, "node1", "docker service update --detach --constraint-add node.hostname==node3 web")
    assert said(hosts, 6).hint == "node.hostname==node3 lets web run on node3 too"
    create(hosts, "web", f"--network shop {there} {stock} --publish 8080:80", FRONTEND)


def test_what_was_forgotten_by_hand(bare: Hosts) -> None:
    type_on(bare, "node2", "docker volume create forgotten", "docker network create forgotten")
    assert hint("99", bare).startswith("a volume and a network of that name")

    type_on(bare, "node2", "docker volume rm forgotten")
    assert hint("99", bare).startswith("a network of that name")

    type_on(bare, "node2", "docker network rm forgotten")
    assert turn("99", bare, STACK).passed


def test_a_clean_up_takes_the_kits_things_and_no_other(up: Hosts) -> None:
    type_on(up, "node2", "docker volume create mine", f"docker run --detach --name mine {BACKEND} sleep infinity")
    before = belongings(up, STACK)
    assert {"database", "backend", "frontend"} <= {thing.name for thing in before if thing.kind == "service"}
    assert {thing.kind for thing in before if thing.kits} >= {"container", "process", "volume", "network", "membership"}
    assert "left: the swarm: service backend" in difference(before, before)

    up.down(STACK, volumes=True).apply()
    wait_until(lambda: not difference(before, belongings(up, STACK)), "nothing but what was there before is left")
    type_on(up, "node2", "docker rm --force mine", "docker volume rm mine")
    assert sorted(difference(before, belongings(up, STACK))) == [
        "gone: node2: container mine",
        "gone: node2: process sleep",
        "gone: node2: volume mine",
    ]
