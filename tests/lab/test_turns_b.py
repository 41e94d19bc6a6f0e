"""The exercises of lessons 04, 05, 07 and 08 are judged on real hosts: undone, wrongly done, done."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from overlaykit import Stack
from overlaykit.kit import Hosts
from overlaykit.lessons.tasks import wait_until
from overlaykit.lessons.turns import turn
from overlaykit.lessons.verdict import Verdict

pytestmark = pytest.mark.lessons

STACK = Stack()
PLACED = STACK.set("frontend.placement", "node1").set("backend.placement", "node2")


@pytest.fixture(scope="module")
def up(lab_hosts: Hosts) -> Hosts:
    """The hosts with the tiers deployed."""
    for phase in lab_hosts.phases(STACK):
        phase.apply()
    return lab_hosts


@pytest.fixture
def tiers(up: Hosts) -> Iterator[Callable[[Stack], None]]:
    """Bring the tiers to a stack; whatever a test did to them is put right after it."""

    def bring(stack: Stack) -> None:
        up.tiers(stack).apply()

    yield bring
    bring(STACK)


@pytest.fixture
def docker(up: Hosts) -> Callable[[str], None]:
    """Type a docker command on the manager."""

    def typed(words: str) -> None:
        up["node1"].run(f"docker {words}", check=True, timeout=90)

    return typed


Bring = Callable[[Stack], None]
Type = Callable[[str], None]


def not_yet(verdict: Verdict, hint: str) -> None:
    assert not verdict.passed
    assert hint in verdict.hint


def test_a_service_that_is_held_on_one_host(up: Hosts, tiers: Bring, docker: Type) -> None:
    not_yet(turn("04", up, STACK), "has no constraint")
    tiers(PLACED)
    not_yet(turn("04", up, PLACED), "lets the backend run on node2")
    docker("service update --detach --constraint-add node.role==manager backend")
    not_yet(turn("04", up, PLACED), "no host meets node.labels.overlaykit.host==node2 and node.role==manager")
    docker("service update --quiet --constraint-rm node.labels.overlaykit.host==node2 backend")
    assert turn("04", up, PLACED).require().passed


CROWD = "service create --quiet --name crowd --network guestbook --no-resolve-image"
SLEEPS = "$(docker images --quiet --no-trunc overlaykit/backend | head -n 1) sleep infinity"


@pytest.mark.usefixtures("tiers")
def test_a_name_without_a_virtual_ip(up: Hosts, docker: Type) -> None:
    not_yet(turn("05", up, STACK), "there is no service crowd yet")
    docker(f"{CROWD} --replicas 2 {SLEEPS}")
    not_yet(turn("05", up, STACK), "leads to a virtual IP")
    docker("service rm crowd")
    docker(f"{CROWD} --replicas 1 --endpoint-mode dnsrr {SLEEPS}")
    not_yet(turn("05", up, STACK), "1 of the 2 tasks")
    docker("service scale crowd=2")
    assert turn("05", up, STACK).require().passed
    docker("service rm crowd")


@pytest.mark.usefixtures("ipvs")
def test_a_door_that_is_shut_again(up: Hosts, tiers: Bring, docker: Type) -> None:
    docker("service update --quiet --force --publish-add published=8000,target=8000 backend")
    not_yet(turn("07", up, STACK), "backend publishes port 8000: it is open on every host")
    docker("service rm backend")
    wait_until(lambda: "a guest of node1 gets 502" in turn("07", up, STACK).hint, "its tasks are gone")
    not_yet(turn("07", up, STACK), "a guest of node1 gets 502")
    tiers(STACK)
    docker("service update --quiet --force --publish-add published=8000,target=8000 backend")
    docker("service update --quiet --publish-rm 8000 backend")
    assert turn("07", up, STACK).require().passed


def test_a_release_that_is_taken_back(up: Hosts, tiers: Bring, docker: Type) -> None:
    docker("service update --quiet --env-add RELEASE=2 backend")
    docker("service update --quiet --env-add DATABASE_HOST=databse backend")
    not_yet(turn("08", up, STACK), "still looks for its database at 'databse'")
    tiers(STACK)
    not_yet(turn("08", up, STACK), "further back than the one before")
    docker("service update --quiet --env-add RELEASE=2 backend")
    docker("service update --quiet --env-add DATABASE_HOST=databse backend")
    docker("service rollback --quiet backend")
    assert turn("08", up, STACK).require().passed
