"""The Docker Engine of this machine, on which practice hosts are containers; the hosts' own engines are another matter.

    with machine_engine() as engine:        # or LabNotPossible: what is missing, and what helps
        engine.info()
    with at_work("node1 cannot be started") as engine:
        engine.start("overlaykit-default-node1")

DOCKER_HOST and the current context are honoured, as by `docker` itself.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import requests
from docker.context import ContextAPI
from docker.errors import APIError, DockerException, NotFound

from overlaykit.words.errors import LabError, LabNotPossible

OLDEST = (20, 10)


class NoDocker(LabNotPossible):
    """Neither engine nor command is on this machine: so no container of ours can be either."""


_INSTEAD = "or use practice hosts that need no Docker, on x86-64 Linux: overlaykit lab up --backend kernels"
_OTHER_MACHINE = (
    "Docker's commands go to {address} here, and practice hosts must run on this machine, where 127.0.0.1 leads to "
    "them: unset DOCKER_HOST, or docker context use default"
)


def machine_engine() -> docker.APIClient:
    """The engine, to be closed. Raises LabNotPossible where there is none, it is not ours to use, or it is too old."""
    engine = open_engine()
    with engine_says("this machine's Docker does not tell what it is"):
        told = engine.info()
    if reason := unsuitable(told.get("ServerVersion", ""), told.get("OSType", "")):
        engine.close()
        raise LabNotPossible(reason)
    return engine


def open_engine() -> docker.APIClient:
    """The same of an engine that is known already."""
    address = os.environ.get("DOCKER_HOST") or _of_context()
    if not address.startswith("unix://"):
        raise LabNotPossible(_OTHER_MACHINE.format(address=address))
    path = address.removeprefix("unix://")
    try:
        with socket.socket(socket.AF_UNIX) as knock:
            knock.connect(path)
        return docker.APIClient(base_url=address, version="auto", timeout=120)
    except OSError as error:
        gone = isinstance(error, FileNotFoundError) and not any(map(shutil.which, ("docker", "dockerd")))
        raise (NoDocker if gone else LabNotPossible)(_why_silent(path, error)) from None
    except DockerException as error:
        raise LabNotPossible(f"what answers at {path} is no Docker ({error}): {_INSTEAD[3:]}") from None


def _of_context() -> str:
    named = os.environ.get("DOCKER_CONTEXT")
    context = ContextAPI.get_context(named)
    if context is None:
        which = f"the context that DOCKER_CONTEXT names, {named}," if named else "Docker's current context"
        raise LabNotPossible(f"{which} is not there: docker context use default{', or unset that' if named else ''}")
    return context.Host or "unix:///var/run/docker.sock"


@contextmanager
def at_work(what: str) -> Iterator[docker.APIClient]:
    """The engine for a piece of work; `what` begins the sentence where it refuses."""
    with open_engine() as engine, engine_says(what):
        yield engine


def unsuitable(version: str, system: str) -> str | None:
    """Why an engine of that version, for containers of that system, will not do."""
    if system != "linux":
        return f"this machine's Docker runs {system or 'unknown'} containers: switch it to Linux containers, {_INSTEAD}"
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if len(numbers) == len(OLDEST) and numbers < OLDEST:
        return f"this machine's Docker Engine is {version}, practice hosts need 20.10 or newer: upgrade it, {_INSTEAD}"
    return None


def missing_room(engine: docker.APIClient, needed: int) -> str | None:
    """A sentence where Docker's disk is seen to be too full; in a virtual machine, as on a Mac, it cannot be seen."""
    root = Path(engine.info().get("DockerRootDir", ""))
    if not root.is_dir() or (free := shutil.disk_usage(root).free) >= needed:
        return None
    return (
        f"practice hosts need {needed / 1e9:.1f} GB in {root}, where this machine's Docker keeps its data, and "
        f"{free / 1e9:.1f} GB are free there: make room (docker system df shows what takes it)"
    )


def is_found(ask: Callable[[], object]) -> bool:
    """False where the engine answers that it has no such thing."""
    try:
        ask()
    except NotFound:
        return False
    return True


def is_full(said: str) -> bool:
    """Does the engine say that its disk is?"""
    return "no space left" in said.lower()


def in_a_line(said: str) -> str:
    """What an engine found wrong, with what to do where its disk is full."""
    if is_full(said):
        return "the disk of this machine's Docker is full: make room (docker system df shows what takes it)"
    return " ".join(said.split())


@contextmanager
def engine_says(what: str) -> Iterator[None]:
    """Turns the engine's refusals into a sentence that begins with what did not work."""
    try:
        yield
    except APIError as error:
        raise LabError(f"{what}: {in_a_line(str(error.explanation or error))}") from error
    except (DockerException, requests.RequestException) as error:
        raise LabError(f"{what}: this machine's Docker does not answer any more ({error})") from error


def _why_silent(path: str, error: OSError) -> str:
    if isinstance(error, PermissionError):
        cure = "sudo usermod -aG docker $USER, and log in anew"
        return f"you may not use this machine's Docker ({path}): {cure}, {_INSTEAD}"
    if isinstance(error, FileNotFoundError):
        return f"there is no Docker on this machine ({path} is not there): install Docker 20.10 or newer, {_INSTEAD}"
    return f"this machine's Docker does not answer at {path} ({error.strerror or error}): start it, {_INSTEAD}"
