"""What a practice host may do on the machine's Docker, and what the machine's kernel has for a swarm: by trying.

machine = look_at_machine(engine, "overlaykit/host:3f2a9c1b7d20")
machine.rights                      # "privileged", or "narrow" where that is refused
machine.lacks                       # ("ipvs", "esp")
"""

from __future__ import annotations

import io
import re
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import docker
import requests
from docker.errors import APIError
from docker.types import Mount

from overlaykit.lab.engine import engine_says, is_full
from overlaykit.making.tier_images import cache_folder
from overlaykit.words.errors import LabError, LabNotPossible

Rights = Literal["privileged", "narrow"]
Json = dict[str, Any]

#: The programs that take the place of the image's own.
PROGRAMS = Path(__file__).parent / "container"
#: Without these there is no overlay network at all, or no container.
_NEEDED = ("overlay", "bridge", "veth", "vxlan", "iptables")
_MISSED = {
    "ipvs": "no IPVS, so no virtual IPs and no routing mesh: names will lead to the tasks themselves, and each host "
    "will publish the port by a frontend of its own",
    "esp": "no ESP, so no encrypted network: one will be refused",
}
_SECONDS = 60
_OF_A_BUILD = "overlaykit.build"


#: What is no matter of rights: a container that is gone or in the way, an engine that is starting anew.
_NO_REFUSAL = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(frozen=True)
class Machine:
    """What was found out."""

    rights: Rights
    kernel: str
    lacks: tuple[str, ...]

    def sentences(self) -> Iterator[str]:
        """What follows from what the kernel lacks."""
        yield from (f"this machine's kernel, {self.kernel}, has {_MISSED[one]}" for one in self.lacks if one in _MISSED)


def rights_of(rights: Rights) -> Json:
    """The part of a container's settings that says what it may do."""
    if rights == "privileged":
        return {"Privileged": True}
    # All but CAP_SYS_RESOURCE, which some machines do not have to give.
    return {
        "CapAdd": ["ALL"],
        "CapDrop": ["SYS_RESOURCE"],
        "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
        "MaskedPaths": [],
        "ReadonlyPaths": [],
        "DeviceCgroupRules": ["a *:* rwm"],
    }


def look_at_machine(engine: docker.APIClient, image: str) -> Machine:
    """Raises LabNotPossible where the engine gives no practice host its rights, or the kernel cannot carry a swarm."""
    refused = []
    rights: Rights
    for rights in ("privileged", "narrow"):
        try:
            said = run_once(engine, image, "look", rights)
        except APIError as error:
            if error.status_code in _NO_REFUSAL or is_full(str(error.explanation)):
                raise
            refused.append(str(error.explanation or error))
        else:
            return read_machine(said, rights)
    raise LabNotPossible(
        f"this machine's Docker gives practice hosts neither --privileged ({refused[0]}) nor, in its place, all "
        f"capabilities but SYS_RESOURCE ({refused[1]}): allow one of them"
    )


def read_machine(said: str, rights: Rights) -> Machine:
    """From what lab-init found."""
    lacks = tuple(re.findall(r"^lab-init: lacks (\w+)", said, re.MULTILINE))
    has = re.findall(r"^lab-init: has (\w+)", said, re.MULTILINE)
    kernel = re.search(r"Linux version ([^\s,]+)", said)
    if not has or kernel is None:
        last = "\n".join(f"    {line}" for line in said.splitlines()[-12:])
        raise LabError(f"the machine's kernel could not be looked at from a container; it said:\n{last}")
    if missing := [name for name in _NEEDED if name not in has]:
        raise LabNotPossible(
            f"this machine's kernel, {kernel[1]}, gives containers no {', no '.join(missing)}, so practice hosts "
            "cannot be containers here: load or install its modules, or use practice hosts with kernels of their own "
            "(x86-64 Linux): overlaykit lab up --backend kernels"
        )
    return Machine(rights, kernel[1], lacks)


def run_once(
    engine: docker.APIClient, image: str, task: str, rights: Rights, *, mounts: Sequence[Json] = (),
    files: Mapping[str, Path] = MappingProxyType({}), seconds: int = _SECONDS,
) -> str:  # fmt: skip
    """Run one task of lab-init in a container of its own, with files in /lab, and return what it said."""
    settings = {**rights_of(rights), "Mounts": [*modules(), *mounts], "NetworkMode": "none"}
    made = engine.create_container(
        image, entrypoint=["/usr/sbin/lab-init"], command=[task], host_config=settings, labels=_of_this_cache()
    )["Id"]
    try:
        put(engine, made, programs())
        for name, path in files.items():
            put(engine, made, {f"lab/{name}": path})
        engine.start(made)
        with suppress(requests.RequestException):  # not done in time: what it said so far tells how far it came
            engine.wait(made, timeout=seconds)
        said: bytes = engine.logs(made)
        return said.decode(errors="replace")
    finally:
        engine.remove_container(made, force=True, v=True)


def _of_this_cache() -> dict[str, str]:
    """Whose a build's container is: somebody else may be building on the same engine."""
    return {_OF_A_BUILD: str(cache_folder())}


def clear_left(engine: docker.APIClient) -> None:
    """Remove what a build that was killed has left."""
    with engine_says("what an earlier build left cannot be removed"):
        ((label, cache),) = _of_this_cache().items()
        for one in engine.containers(all=True, filters={"label": f"{label}={cache}"}):
            engine.remove_container(one["Id"], force=True, v=True)


def modules() -> list[Mount]:
    """The modules of the kernel that all share, so that what is not loaded yet can be. On a Mac the engine's own
    machine has them."""
    there = sys.platform != "linux" or Path("/lib/modules").is_dir()
    return [Mount("/lib/modules", "/lib/modules", type="bind", read_only=True)] if there else []


def programs() -> dict[str, Path]:
    """What is put into every practice host: `reboot` is a link to `poweroff` there already."""
    return {f"usr/sbin/{path.name}": path for path in PROGRAMS.iterdir()}


def put(engine: docker.APIClient, container: str, files: Mapping[str, Path]) -> None:
    """Copy files into a container, also into one that does not run."""
    with engine_says("a file could not be put into a practice host"), io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, path in files.items():
                archive.add(path, name, filter=_roots)
        engine.put_archive(container, "/", buffer.getvalue())


def _roots(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
