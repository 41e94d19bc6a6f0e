"""What is done to practice hosts around a test: power on, make bare, keep what they said.

power_on("tests-4711")
make_bare(hosts)
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from overlaykit import Stack, connect
from overlaykit.kit import Hosts
from overlaykit.lab import lab as practice
from overlaykit.lab.kinds import VARIABLE, choose
from overlaykit.words.errors import OverlaykitError

NODES = ("node1", "node2", "node3")
LOGS = Path(__file__).parents[2] / "test-logs"

#: For what only hosts with a kernel of their own are asked to do.
kernels_alone = pytest.mark.skipif(
    choose(None)[0].name != "kernels", reason="the lab's hosts have no kernel of their own here"
)

#: The contrary: for the back end of containers alone.
containers_alone = pytest.mark.skipif(
    os.environ.get(VARIABLE) != "containers", reason="the lab's hosts are no containers here"
)

#: A command line as a test types it, see the fixture `overlaykit`.
Typed = Callable[..., subprocess.CompletedProcess[str]]


def power_on(lab: str) -> None:
    """Whatever a test switched off."""
    for node in NODES:
        practice.power(lab, node, on=True)


def make_bare(hosts: Hosts) -> None:
    """Engines in no swarm, without a volume of the stack; a test that left something else is at fault."""
    stack = Stack()
    hosts.down(stack, volumes=True).apply()
    left = hosts.down(stack, volumes=True).prove()
    assert left.ok, left


def keep_logs(lab: str) -> None:
    """What each host said: its console, and its engine."""
    folder = LOGS / lab
    folder.mkdir(parents=True, exist_ok=True)
    for node in NODES:
        (folder / f"{node}-console.log").write_text(said(partial(practice.logs, lab, node)))
    with connect(f"lab:{lab}") as hosts:
        for node in NODES:
            (folder / f"{node}-engine.log").write_text(said(partial(engine_log, hosts, node)))


def engine_log(hosts: Hosts, node: str) -> str:
    """The last that a host's engine wrote."""
    return hosts[node].run("tail -n 2000 /var/log/dockerd.log").stdout


def said(read: Callable[[], str]) -> str:
    """A log, or why there is none: the logs of the other hosts are wanted all the same."""
    try:
        return read()
    except OverlaykitError as error:
        return f"{error}\n"
