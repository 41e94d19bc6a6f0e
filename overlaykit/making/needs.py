"""What building needs of this machine, said before anything starts.

require_build_tools(cache)      # returns, or raises LabNotPossible with the commands that help
"""

from __future__ import annotations

import getpass
import os
import platform
import shutil
import sys
from pathlib import Path

from overlaykit.making.buildah import is_installed
from overlaykit.words.errors import LabNotPossible

# program → the package that brings it
_TOOLS = {"buildah": "buildah", "mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs"}
_ORDINARY_USERS_TOOLS = {"newuidmap": "uidmap", "fuse-overlayfs": "fuse-overlayfs"}
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SPACE = 6 * 10**9
_OTHER_DISK = "make room, or set XDG_CACHE_HOME and XDG_STATE_HOME to a disk that has it"


def require_build_tools(folder: Path, *, root: bool | None = None) -> None:
    """Raise LabNotPossible when images cannot be built into `folder`, naming everything that is missing."""
    as_root = os.geteuid() == 0 if root is None else root
    missing = [*missing_packages(as_root), *missing_ids(as_root), *missing_space(folder, _SPACE, "building")]
    if machine := unsuitable_machine():
        missing.insert(0, machine)
    if missing:
        raise LabNotPossible("\n".join(missing))


def unsuitable_machine() -> str | None:
    """Why no practice host can run on a machine of this kind."""
    if sys.platform == "linux" and platform.machine() == "x86_64":
        return None
    return (
        f"this machine is {platform.system()} on {platform.machine()}, practice hosts need Linux on x86_64"
        " (WSL2 counts): use such a machine, or servers of your own in hosts.ini"
    )


def missing_packages(as_root: bool) -> list[str]:
    """One sentence with one command for all packages that are not there."""
    packages = packages_to_install(as_root)
    if not packages:
        return []
    sudo = "" if as_root else "sudo "
    return [f"building needs packages that are not installed here: {sudo}apt-get install {' '.join(packages)}"]


def packages_to_install(as_root: bool) -> list[str]:
    """The Debian packages that building takes and this machine lacks; `make quickstart` asks here too."""
    tools = _TOOLS if as_root else _TOOLS | _ORDINARY_USERS_TOOLS
    packages = [package for program, package in tools.items() if not is_installed(program)]
    return packages if _KEYRING.exists() else [*packages, "debian-archive-keyring"]


def missing_ids(as_root: bool, table: Path = Path("/etc/subuid")) -> list[str]:
    """An ordinary user needs ids to stand for the users inside of images."""
    if as_root:
        return []
    user = getpass.getuser()
    owners = [line.split(":")[0] for line in table.read_text().splitlines()] if table.exists() else []
    if user in owners or str(os.getuid()) in owners:
        return []
    return [
        f"{table} grants {user} no ids for the users inside of images: "
        f"sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}"
    ]


def missing_space(folder: Path, needed: int, what: str, advice: str = _OTHER_DISK) -> list[str]:
    """A sentence when the disk that holds `folder` (which need not exist yet) is too full."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(place).free
    if free >= needed:
        return []
    return [f"{what} needs {needed / 1e9:.1f} GB in {folder}, and {free / 1e9:.1f} GB are free there: {advice}"]
