"""Which hosts? One rule everywhere.

What is named (an argument, --inventory, OVERLAYKIT_INVENTORY; the word `lab` is the lab called default,
`lab:NAME` another), else hosts.ini in this folder or the one above, else the running lab.

>>> which_hosts("lab", env={}, cwd=Path("/home/me"), labs=Path("/state"), up=["default"], is_file=bool)
Where(path=PosixPath('/state/default/hosts.ini'), lab='default')
"""

from __future__ import annotations

import os.path
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from overlaykit.words.errors import InventoryError, Problem
from overlaykit.words.host import DEFAULT_LAB, lab_option

FILE = "hosts.ini"
VARIABLE = "OVERLAYKIT_INVENTORY"


@dataclass(frozen=True)
class Where:
    """The inventory's file, and the name of the lab that wrote it, or None."""

    path: Path
    lab: str | None = None


def which_hosts(
    named: str | Path | None,
    *,
    env: Mapping[str, str],
    cwd: Path,
    labs: Path,
    up: Collection[str],
    is_file: Callable[[Path], bool],
) -> Where:
    """Where the inventory is. `labs` is the folder of all labs, `up` the names of those that are there."""
    name = str(named or env.get(VARIABLE) or "")
    word, _, lab = name.partition(":")
    if word == "lab":
        return _lab(lab or DEFAULT_LAB, labs, up)
    if name:
        return _file(name, env, cwd, labs, is_file, by_variable=not named)
    for folder in (cwd, cwd.parent):
        if is_file(folder / FILE):
            return Where(folder / FILE, _lab_of(folder / FILE, labs))
    return _lab(_running(up), labs, up)


def _lab(name: str, labs: Path, up: Collection[str]) -> Where:
    if name in up:
        return Where(labs / name / FILE, name)
    others = f" (there is: {', '.join(sorted(up))})" if up else ""
    raise InventoryError(f"there is no lab {name!r}{others}: start it with overlaykit lab up{lab_option(name)}")


def _file(
    name: str,
    env: Mapping[str, str],
    cwd: Path,
    labs: Path,
    is_file: Callable[[Path], bool],
    *,
    by_variable: bool,
) -> Where:
    home = env.get("HOME", "")
    written = home + name[1:] if home and name.startswith("~/") else name
    path = Path(os.path.normpath(cwd / written))
    if is_file(path):
        return Where(path, _lab_of(path, labs))
    who = f"{VARIABLE} names it, and " if by_variable else ""
    if path.is_dir():
        told = f"{who}it is a folder: name a file in it, or what `ansible-inventory -i {name} --list` writes into one"
        raise InventoryError([Problem(told, name)])
    raise InventoryError([Problem(f"{who}there is no such file: overlaykit init writes a {FILE} to start from", name)])


def _running(up: Collection[str]) -> str:
    """The lab that is meant when nothing is named: the default one, else the only one."""
    if not up:
        raise InventoryError(
            f"there are no hosts: start practice hosts with overlaykit lab up, or name your own in {FILE} "
            "(overlaykit init writes one)"
        )
    if DEFAULT_LAB in up or len(up) == 1:
        return DEFAULT_LAB if DEFAULT_LAB in up else next(iter(up))
    raise InventoryError(f"several labs are up ({', '.join(sorted(up))}): name one, like --inventory lab:{min(up)}")


def _lab_of(path: Path, labs: Path) -> str | None:
    """The lab that a file belongs to: a lab's own hosts.ini may be named by its path as well."""
    return path.parent.name if path.name == FILE and path.parent.parent == labs else None
