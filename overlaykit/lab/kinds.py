"""The kinds of practice host there are, and which of them this machine gets where nobody says.

kind, why = choose(None)        # kernels, on x86-64 Linux
kind.require(3, folder, 0)      # LabNotPossible where three cannot run here, beside none that run already
kind.build(print)               # what they run from
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from overlaykit.lab.backend import Backend
from overlaykit.lab.build import LabBuild
from overlaykit.lab.carry import have_build
from overlaykit.lab.container_build import build_for_containers, say_what_is_missing
from overlaykit.lab.containers import DISK, Containers, free_wire
from overlaykit.lab.engine import machine_engine, missing_room
from overlaykit.lab.kernels import Kernels
from overlaykit.lab.layout import WIRE, Lab
from overlaykit.lab.preflight import require_room_for
from overlaykit.making.buildah import Observer
from overlaykit.making.needs import unsuitable_machine
from overlaykit.words.errors import LabInputError, LabNotPossible


@dataclass(frozen=True)
class Kind:
    """One kind: its name, what it is, and what it takes to make a lab of it."""

    name: str
    what: str
    side_by_side: bool  # are hosts to be started so? A kernel is started at once, an engine works at each container
    backend: Backend
    require: Callable[[int, Path, int], None]  # so many more, the lab's folder, how many run already
    build: Callable[[Observer], LabBuild]
    wire: Callable[[Collection[str]], str]  # how the addresses of a new lab begin, beside those of other labs
    tell: Callable[
        [Path, Observer], None
    ]  # what of this machine those will miss whose hosts ran from that build before


def _require_kernels(hosts: int, folder: Path, running: int) -> None:
    require_room_for(hosts, folder, running=running)


def _require_docker(hosts: int, folder: Path, running: int) -> None:
    with machine_engine() as engine:
        if full := missing_room(engine, hosts * DISK):
            raise LabNotPossible(full)


VARIABLE = "OVERLAYKIT_BACKEND"

_KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "kernels", "Linux kernels, each an ordinary process", False,
            Kernels(), _require_kernels, have_build,
            lambda _: WIRE, lambda *_: None,
        ),
        Kind(
            "containers", "containers on this machine's Docker", True,
            Containers(), _require_docker, build_for_containers, free_wire, say_what_is_missing,
        ),
    )
}  # fmt: skip
NAMES = tuple(_KINDS)


def choose(asked: str | None) -> tuple[Kind, str]:
    """The kind that was asked for, else what the environment names, else the one for this machine; and why."""
    if asked is not None:
        return kind_named(asked), "as asked"
    if named := os.environ.get(VARIABLE):
        return kind_named(named), f"as {VARIABLE} says"
    if unsuitable_machine() is None:
        return _KINDS["kernels"], "this is x86-64 Linux; --backend containers takes this machine's Docker instead"
    return _KINDS["containers"], "kernels of their own need x86-64 Linux, which this machine is not"


def kind_named(name: str) -> Kind:
    """The kind of that name."""
    if name not in _KINDS:
        raise LabInputError(f"there is no kind of practice host called {name!r}: choose {' or '.join(NAMES)}")
    return _KINDS[name]


def kind_of(lab: Lab) -> Kind:
    """The kind of a lab's hosts."""
    return kind_named(lab.backend)
