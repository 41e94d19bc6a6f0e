"""A Docker Engine of a run's own, in a network of its own: the machine's Docker and network stay as they were.

    python tests/lab/own_docker.py pytest tests/lab         # practice hosts are containers there
    python tests/lab/own_docker.py --first "make workbench" pytest tests/workbench

What comes `--first` runs outside, with the machine's network. It takes root, Docker's engine and unshare, and a machine
that lets an engine start and a container run. Where one is missing nothing is run, and why is said: that is a failure
where it is `--required`, as for who asked for these tests alone.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
from docker.errors import APIError, DockerException
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

LOGS = Path(__file__).parents[2] / "test-logs"
_LOG = "dockerd.log"
_PROGRAMS = {"dockerd": "docker.io", "unshare": "util-linux", "ip": "iproute2"}  # and the packages that bring them
# Own network, mounts and processes: whatever happens, nothing outlives the first process.
_APART = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
_SECONDS = 60
_ENDING = 10.0  # seconds that what was stopped may still take
_TRY = "overlaykit/try"


class Forbidden(Exception):
    """The machine lacks what it takes, or does not let an engine, or any container, run."""


def missing() -> str | None:
    """Why it cannot be done here."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a Docker Engine of a test's own takes root on Linux"
    lacking = [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]
    if not lacking and shutil.which("docker") is None:  # from Debian 13 on a package of its own
        lacking = ["docker-cli"]
    if lacking:
        return f"this machine lacks {', '.join(lacking)} (apt-get install {' '.join(lacking)})"
    tried = subprocess.run([*_APART, "ip", "link", "set", "lo", "up"], check=False, capture_output=True, text=True)
    return f"this machine gives no namespaces: {_last(tried.stderr)}" if tried.returncode else None


def run(command: list[str], first: str = "", *, required: bool = False) -> int:
    """Run a command beside an engine of its own, and leave nothing of it."""
    if reason := missing():
        raise Forbidden(reason)
    if first and (status := subprocess.run(shlex.split(first), check=False).returncode):
        return status
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is below is cleared then too
    told = ["--required"] if required else []
    with place() as folder:
        inside = [*_APART, sys.executable, __file__, *told, "--inside", str(folder), *command]
        status = subprocess.run(inside, check=False).returncode
        if status:
            _keep_log(folder)
        return status


@contextmanager
def place() -> Iterator[Path]:
    """A folder for an engine. It goes, and with it what the engine has left."""
    # On a disk: what lies in a /tmp of memory would count as memory of the containers.
    folder = Path(tempfile.mkdtemp(prefix="overlaykit-docker-", dir="/var/tmp"))
    try:
        yield folder
    finally:
        try:
            _insist(shutil.rmtree, str(folder))
        finally:
            _insist(_remove_groups, folder.name)


def run_inside(folder: Path, command: list[str]) -> int:
    """In the network of its own: start the engine, run the command, end the engine."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    ours = {
        "DOCKER_HOST": f"unix://{folder}/docker.sock",
        "OVERLAYKIT_BACKEND": "containers",
        "XDG_STATE_HOME": f"{folder}/state",
    }
    with engine(folder) as client:
        _require_containers(client)
        return subprocess.run(command, env={**os.environ, **ours}, check=False).returncode


@contextmanager
def engine(folder: Path, *options: str) -> Iterator[docker.APIClient]:
    """One that keeps all that is its own in `folder`, and listens at docker.sock there. Ended afterwards."""
    (folder / "daemon.json").write_text("{}")  # in place of the machine's own, which may say the contrary
    command = [
        "dockerd", f"--config-file={folder}/daemon.json", f"--data-root={folder}/data", f"--exec-root={folder}/run",
        f"--pidfile={folder}/docker.pid", f"--host=unix://{folder}/docker.sock", f"--cgroup-parent=/{folder.name}",
        "--exec-opt=native.cgroupdriver=cgroupfs",  # a group in systemd's hands could not be named so
        *options,
    ]  # fmt: skip
    with (folder / _LOG).open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            with _answering(folder, process) as client:
                yield client
        finally:
            process.terminate()
            process.wait(_SECONDS)


def _answering(folder: Path, process: subprocess.Popen[bytes]) -> docker.APIClient:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as knock:  # Docker's SDK leaves a connection open that came to nothing
                knock.connect(str(folder / "docker.sock"))
            return docker.APIClient(base_url=f"unix://{folder}/docker.sock", version="auto")
        except (OSError, DockerException) as error:
            ended, said = process.poll() is not None, (folder / _LOG).read_text()
            if ended and (why := _refusal(said)):
                raise Forbidden(f"this machine lets no Docker Engine start: {why}") from error
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"the engine does not start, see its log in {LOGS}") from error
            time.sleep(0.1)


def _refusal(said: str) -> str | None:
    """What an engine that has ended found wrong with the machine, by its log; None where the mistake is ours.

    Its text is all there is: the status is 1 whatever the reason. Its last words are the reason, and stand alone
    without a date before them. A wrong option, which is our mistake, leads to its help.
    """
    words = re.findall(r"^(?!time=)(.+)", said, re.MULTILINE)
    return words[-1] if words and "dockerd --help" not in said else None


def _require_containers(engine: docker.APIClient) -> None:
    """A program of the machine's, in the plainest container: where that fails, no test could tell more."""
    if (driver := engine.info()["Driver"]) == "vfs":
        raise Forbidden(f"Docker would copy each image's layers whole on this machine (its storage driver is {driver})")
    engine.import_image_from_data(_program("true"), repository=_TRY)
    try:
        made = engine.create_container(_TRY, ["/true"])["Id"]
        engine.start(made)
        ended = engine.wait(made)["StatusCode"]
        engine.remove_container(made)
    except APIError as error:
        raise Forbidden(f"this machine lets no container run: {_last(str(error.explanation or error))}") from error
    if ended:
        raise Forbidden(f"on this machine `true` ends with status {ended} in a container")
    engine.remove_image(_TRY)


def _program(name: str) -> bytes:
    """A root file system that holds one program, and the libraries that it asks for."""
    program = shutil.which(name)
    assert program is not None
    asked = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w", dereference=True) as archive:
            archive.add(program, name)
            for library in re.findall(r"(/\S+) \(0x", asked):
                archive.add(library, library)
        return buffer.getvalue()


def _last(said: str) -> str:
    return (said.strip().splitlines() or ["it does not say why"])[-1]


def _keep_log(folder: Path) -> None:
    """What the engine said, where something failed."""
    LOGS.mkdir(exist_ok=True)
    if (folder / _LOG).exists():
        shutil.copyfile(folder / _LOG, LOGS / f"{folder.name}.log")


def _insist(remove: Callable[[str], object], what: str) -> None:
    """Remove it, though what is just ending still writes there or keeps it busy."""
    patience = Retrying(
        retry=retry_if_exception_type(OSError), stop=stop_after_delay(_ENDING), wait=wait_fixed(0.1), reraise=True
    )
    try:
        patience(remove, what)
    except OSError as error:
        sys.stderr.write(f"{what} is left behind, remove it yourself: {error}\n")


def _remove_groups(name: str) -> None:
    """Cgroups have no namespace of ours: empty ones would stay."""
    for place in (*Path("/sys/fs/cgroup").glob(name), *Path("/sys/fs/cgroup").glob(f"*/{name}")):
        for folder in (*sorted((path for path in place.rglob("*") if path.is_dir()), reverse=True), place):
            folder.rmdir()


def main() -> int:
    """What was typed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--first", default="", help="a command that runs before, outside")
    parser.add_argument("--required", action="store_true", help="fail where it cannot be run here")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    said = parser.parse_args()
    try:
        if said.inside:
            return run_inside(said.inside, said.command)
        return run(said.command, said.first, required=said.required)
    except Forbidden as reason:
        sys.stdout.write(f"NOT RUN: {reason}\n")
        return int(said.required)


if __name__ == "__main__":
    sys.exit(main())
