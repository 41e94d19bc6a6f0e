"""Containers of the workbench, by the command that a person types.

with running("docker", *STRICT, volume="work") as container:
    container.run("overlaykit", "check", "--inventory", "lab")
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from make_workbench import REFERENCE

ROOT = Path(__file__).parents[2]
ARCHIVE = ROOT / "dist" / "overlaykit-workbench.tar"
HOME = "/home/jovyan"
#: What is asked of it: next to nothing is permitted, no swap, and one folder alone can be written.
LIMITS = (
    *("--user", "1000", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only"),
    *("--memory", "2g", "--memory-swap", "2g", "--cpus", "2"),
)
#: The strictest that anybody asks for: no network either.
STRICT = (*LIMITS, "--network", "none")
#: What is said of the swarm once it is proven.
SWARM = "swarm: 3 checks"
#: What JupyterLab says once it answers; for a container that did not come so far, we wait no longer.
ANSWERS = "is running at:"
_SECONDS = 300  # a machine that does other things too takes two minutes


def load() -> None:
    """Give the engine the image."""
    if not shutil.which("docker") or docker("version", check=False).returncode != 0:
        pytest.fail("no Docker Engine answers here, and the workbench is tested in its containers", pytrace=False)
    docker("load", "--quiet", "--input", str(ARCHIVE))


@dataclass(frozen=True)
class Container:
    """One that runs."""

    name: str
    seconds: float = 0  # from `docker run` until JupyterLab answered
    to_swarm: float | None = (
        None  # from `docker run` until its hosts were proven to be a swarm; None: that was not seen
    )

    def run(self, *words: str, seconds: float = 300) -> str:
        """What a command in it says; CalledProcessError where it ends badly."""
        return docker("exec", self.name, *words, seconds=seconds).stdout

    def logs(self) -> str:
        """What it said since it began."""
        done = docker("logs", self.name)
        return done.stdout + done.stderr

    def door(self) -> int:
        """The port of this machine that leads to JupyterLab."""
        return int(docker("port", self.name, "8888").stdout.split()[0].rpartition(":")[2])

    def token(self) -> str:
        """The word that opens JupyterLab."""
        return self.run("jupyter", "server", "list").split("token=")[1].split()[0]


def docker(*words: str, check: bool = True, seconds: float = 300) -> subprocess.CompletedProcess[str]:
    """The docker command; what a failed one said comes with the failure."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False, timeout=seconds)
    assert not check or done.returncode == 0, f"docker {' '.join(words)}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done


@contextmanager
def volume() -> Iterator[str]:
    """A new volume, gone afterwards."""
    name = f"workbench-test-{secrets.token_hex(4)}"
    docker("volume", "create", name)
    try:
        yield name
    finally:
        docker("volume", "rm", name)


@contextmanager
def running(*options: str, command: tuple[str, ...] = (), until: str = ANSWERS) -> Iterator[Container]:
    """The workbench as its image, or another command, starts it, once it says `until`: that JupyterLab answers.

    Gone afterwards.
    """
    name = f"workbench-test-{secrets.token_hex(4)}"
    began = time.monotonic()
    docker("run", "--detach", "--name", name, *options, REFERENCE, *command)
    try:
        to_swarm = None
        while until not in (said := Container(name).logs()):
            if SWARM in said and to_swarm is None:
                to_swarm = time.monotonic() - began
            assert time.monotonic() - began < _SECONDS, said
            assert docker("inspect", "--format", "{{.State.Running}}", name).stdout.strip() == "true", said
            time.sleep(0.2)
        yield Container(name, time.monotonic() - began, to_swarm)
    finally:
        docker("rm", "--force", "--volumes", name)


def ended(*words: str) -> subprocess.CompletedProcess[str]:
    """A container that ends by itself: `docker run --rm` with these words."""
    return docker("run", "--rm", *words, check=False)
