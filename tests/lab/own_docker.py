"""A Docker Engine of a run's own, in a network of its own: the machine's Docker and network stay as they were.

    python tests/lab/own_docker.py pytest tests/lab         # practice hosts are containers there

It needs root, Docker's engine and unshare. Where one is missing nothing is run, and why is said: that is no failure.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
from docker.errors import DockerException
from own_lab import STATES

LOGS = Path(__file__).parents[2] / "test-logs"
_PROGRAMS = {"dockerd": "docker.io", "unshare": "util-linux", "ip": "iproute2"}  # and the packages that bring them
_INSIDE = "--inside"
# Own network, mounts and processes: whatever happens, nothing outlives the first process.
_APART = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
_SECONDS = 60


def missing() -> str | None:
    """Why it cannot be done here."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a Docker Engine of a test's own takes root on Linux"
    lacking = [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]
    return f"this machine lacks {', '.join(lacking)} (apt-get install {' '.join(lacking)})" if lacking else None


def run(command: list[str]) -> int:
    """Run a command beside an engine of its own, and leave nothing of it."""
    if reason := missing():
        sys.stdout.write(f"NOT RUN: {reason}\n")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is below is cleared then too
    folder = tempfile.mkdtemp(prefix="overlaykit-docker-", dir=os.environ.get(STATES, "/var/tmp"))
    try:
        return subprocess.run([*_APART, sys.executable, __file__, _INSIDE, folder, *command], check=False).returncode
    finally:
        shutil.rmtree(folder)
        _remove_groups(Path(folder).name)


def run_inside(folder: Path, command: list[str]) -> int:
    """In the network of its own: start the engine, run the command, end the engine."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    ours = {
        "DOCKER_HOST": f"unix://{folder}/docker.sock",
        "OVERLAYKIT_BACKEND": "containers",
        "XDG_STATE_HOME": f"{folder}/state",
    }
    with _engine(folder):
        return subprocess.run(command, env={**os.environ, **ours}, check=False).returncode


@contextmanager
def _engine(folder: Path) -> Iterator[None]:
    LOGS.mkdir(exist_ok=True)
    command = [
        "dockerd", f"--data-root={folder}/data", f"--exec-root={folder}/run", f"--pidfile={folder}/docker.pid",
        f"--host=unix://{folder}/docker.sock", f"--cgroup-parent=/{folder.name}", "--bridge=none",
    ]  # fmt: skip
    with (LOGS / "own-docker.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait_for(f"unix://{folder}/docker.sock", process)
            yield
        finally:
            process.terminate()
            process.wait(_SECONDS)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            docker.APIClient(base_url=address, version="auto").close()
            return
        except DockerException as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the engine does not start, see {LOGS / 'own-docker.log'}") from error
            time.sleep(0.1)


def _remove_groups(name: str) -> None:
    """Cgroups have no namespace of ours: empty ones would stay."""
    for place in (*Path("/sys/fs/cgroup").glob(name), *Path("/sys/fs/cgroup").glob(f"*/{name}")):
        for folder in (*sorted((path for path in place.rglob("*") if path.is_dir()), reverse=True), place):
            folder.rmdir()


if __name__ == "__main__":
    if sys.argv[1:2] == [_INSIDE]:
        sys.exit(run_inside(Path(sys.argv[2]), sys.argv[3:]))
    sys.exit(run(sys.argv[1:]))
