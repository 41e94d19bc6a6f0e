"""Three practice hosts for all tests of this folder, and the kit connected to them.

    def test_the_swarm_forms(lab_hosts: Hosts) -> None:
        lab_hosts.swarm(Stack()).apply()

The lab is the run's own and ends with it; OVERLAYKIT_TEST_LAB=NAME uses one that is there, and leaves it running.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from practice_hosts import NODES, Typed, keep_logs, make_bare, power_on

from overlaykit import connect
from overlaykit.kit import Hosts
from overlaykit.lab import lab as practice
from overlaykit.remote.fleet import Fleet

LONGEST = 300  # seconds, for one test
READING = ("GET", "HEAD")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here drives practice hosts, and none may hang."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.lab)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(LONGEST))


@pytest.fixture(scope="session")
def lab_name(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a lab of three hosts that run."""
    given = os.environ.get("OVERLAYKIT_TEST_LAB")
    name = given or f"tests-{os.getpid()}"
    try:
        practice.up(name, hosts=len(NODES), observer=logging.getLogger("lab").info)
        yield name
    finally:
        if request.session.testsfailed:
            keep_logs(name)
        if not given:
            practice.down(name)


@pytest.fixture(scope="module")
def lab_hosts(lab_name: str) -> Iterator[Hosts]:
    """The kit, connected to three bare engines. The module's tests may share what they build: it ends with them."""
    power_on(lab_name)
    with connect(f"lab:{lab_name}") as hosts:
        make_bare(hosts)
        yield hosts
        power_on(lab_name)
        make_bare(hosts)


@pytest.fixture(scope="module")
def ipvs(lab_hosts: Hosts) -> None:
    """For what needs virtual IPs or the routing mesh: containers share the machine's kernel, which may have none."""
    if any(host.has_ipvs is False for host in lab_hosts.look()):
        pytest.skip("the kernel of these hosts has no IPVS")


@pytest.fixture(scope="module")
def esp(lab_hosts: Hosts) -> None:
    """For what needs an encrypted network."""
    if any(host.can_encrypt is False for host in lab_hosts.look()):
        pytest.skip("the kernel of these hosts has no ESP")


@pytest.fixture
def writing_calls(lab_hosts: Hosts) -> Iterator[tuple[Hosts, list[str]]]:
    """The kit on connections of its own, and every call to an engine over them that was not a mere question."""
    calls: list[str] = []

    def note(host: str, method: str, path: str) -> None:
        if method not in READING:
            calls.append(f"{host}: {method} {path}")

    with Fleet.open(lab_hosts.inventory, on_request=note) as fleet:
        yield Hosts(lab_hosts.inventory, fleet, allow_changes=True, adopt=False), calls


@pytest.fixture
def overlaykit(lab_name: str, tmp_path: Path) -> Typed:
    """Type a command, in an empty folder: `overlaykit("plan", "network").returncode`."""

    def typed(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "overlaykit", *words],
            cwd=tmp_path,
            env={**os.environ, "OVERLAYKIT_INVENTORY": f"lab:{lab_name}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return typed
