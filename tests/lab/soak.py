"""The long runs, by `make soak`: the same hosts again and again, and `up` killed in the middle.

Not part of `make test`. OVERLAYKIT_SOAK_ROUNDS says how many rounds, twenty where it says nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from practice_hosts import Typed

from overlaykit import Stack
from overlaykit.kit import Hosts

STACK = Stack()
ROUNDS = int(os.environ.get("OVERLAYKIT_SOAK_ROUNDS", "20"))
#: Steps of `up`; it is killed as soon as it says that it has begun one.
MOMENTS = ("form the swarm", "join as worker", "create network", "create service database", "create service frontend")


@pytest.mark.parametrize("number", range(1, ROUNDS + 1))
@pytest.mark.usefixtures("lab_hosts")
def test_up_and_down(number: int, overlaykit: Typed) -> None:
    up = overlaykit("up")
    assert up.returncode == 0, f"round {number}: {up.stdout}\n{up.stderr}"
    check = overlaykit("check")
    assert check.returncode == 0, f"round {number}: {check.stdout}\n{check.stderr}"
    down = overlaykit("down")
    assert down.returncode == 0, f"round {number}: {down.stdout}\n{down.stderr}"


@pytest.mark.parametrize("moment", MOMENTS)
def test_up_killed_and_run_again(
    moment: str, lab_hosts: Hosts, lab_name: str, overlaykit: Typed, tmp_path: Path
) -> None:
    kill_up_at(moment, lab_name, tmp_path)
    again = overlaykit("up")
    assert again.returncode == 0, f"{again.stdout}\n{again.stderr}"
    assert overlaykit("check").returncode == 0
    down = overlaykit("down", "--volumes")
    assert down.returncode == 0, f"{down.stdout}\n{down.stderr}"
    assert lab_hosts.look().swarm is None


def kill_up_at(moment: str, lab_name: str, folder: Path) -> None:
    """Start `up`, and kill it, unasked and at once, when it begins a step."""
    words = [sys.executable, "-u", "-m", "overlaykit", "up", "--inventory", f"lab:{lab_name}"]
    with subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout
        said = []
        for line in up.stdout:
            said.append(line)
            if moment in line:
                up.kill()
                return
    pytest.fail(f"up ended without a word of {moment!r}: {''.join(said)}")
