"""The exercise of lesson 06 is judged on real hosts, and what the lesson stands on is tried there: a word that is
overheard inside hosts, and what a network costs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from exercises import type_on
from guestbook import NotYet, eventually

from overlaykit import Stack
from overlaykit.kit import Hosts
from overlaykit.lessons.overheard import overhear
from overlaykit.lessons.speeds import measure
from overlaykit.lessons.turns import turn

pytestmark = pytest.mark.lessons

STACK = Stack()
SEALED = STACK.set("network.encrypted", True)
SIZE = "--opt com.docker.network.driver.mtu"


@pytest.fixture(scope="module")
def sealed(lab_hosts: Hosts, esp: None) -> Iterator[Hosts]:
    """The hosts with the stack deployed on an encrypted network."""
    for phase in lab_hosts.phases(SEALED):
        phase.apply()
    assert lab_hosts.discovery(SEALED).prove().ok
    yield lab_hosts


def not_yet(hosts: Hosts, hint: str) -> None:
    verdict = turn("06", hosts, SEALED)
    assert not verdict.passed, verdict
    assert hint in verdict.hint


@eventually
def nothing_stays(hosts: Hosts) -> None:
    """No container that is of no service; an engine may still be at removing one."""
    listed = ((host.host.name, one) for host in hosts for one in host.docker.api.containers(all=True))
    left = [f"{one['Names']} on {name}" for name, one in listed if "com.docker.swarm.service.name" not in one["Labels"]]
    if left:
        raise NotYet(f"left behind: {', '.join(left)}")


def test_inside_the_hosts_the_word_is_read_although_it_is_sealed_between_them(sealed: Hosts) -> None:
    seen = overhear(sealed, SEALED, "open-sesame")
    assert seen.readable, seen.details()
    nothing_stays(sealed)


def test_the_network_is_measured_past_it_and_through_it_and_nothing_stays(sealed: Hosts) -> None:
    speeds = measure(sealed, SEALED)
    assert [one.kind for one in speeds.each] == ["host network", "encrypted overlay"]
    assert all(one.megabits > 1 and 0 < one.trip < 1 for one in speeds.each), speeds.details()
    nothing_stays(sealed)


def test_a_sealed_network_for_a_narrow_wire(sealed: Hosts) -> None:
    not_yet(sealed, "the swarm has no overlay network narrow")
    for options, said in {
        f"{SIZE}=1400": "is not encrypted",
        "--opt encrypted": "a wire of 1500 bytes",
        f"--opt encrypted {SIZE}=1324": "what is left inside",
        f"--opt encrypted {SIZE}=1450": "a wire of 1450 bytes",
    }.items():
        type_on(sealed, "node1", f"docker network create --driver overlay {options} narrow")
        not_yet(sealed, said)
        type_on(sealed, "node1", "docker network rm narrow")
    type_on(sealed, "node1", f"docker network create --driver overlay --opt encrypted {SIZE}=1400 narrow")
    assert turn("06", sealed, SEALED).require().passed
    type_on(sealed, "node1", "docker network rm narrow")
