"""What running practice hosts needs of this machine, said before anything starts.

require_room_for(3, lab.folder)     # returns, or raises LabNotPossible that names everything that is missing
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

from overlaykit.lab.kernels import MEMORY_USED
from overlaykit.lab.memory import memory_folder
from overlaykit.making.needs import missing_space, unsuitable_machine
from overlaykit.words.errors import LabNotPossible

_DISK_PER_HOST = 400 * 10**6
_LONGEST_SOCKET = "wire/030.100"
_MOST_OF_A_SOCKET = 107

# A program's own try, in a process of its own: what is allowed differs by kernel, by container, by setting.
_TRY_PTRACE = "import ctypes, sys; sys.exit(0 if ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0 else 1)"


def require_room_for(hosts: int, folder: Path) -> None:
    """Raise LabNotPossible when so many hosts cannot run here."""
    checks = (
        unsuitable_machine(),
        forbidden_ptrace(),
        missing_memory(hosts, psutil.virtual_memory().available),
        *missing_space(folder, hosts * _DISK_PER_HOST, "the lab"),
        _no_place_for_memory(hosts),
        too_long(folder),
    )
    if missing := [sentence for sentence in checks if sentence]:
        raise LabNotPossible("\n".join(missing))


def forbidden_ptrace(attempt: str = _TRY_PTRACE) -> str | None:
    """Practice hosts run their programs by ptrace, which some containers and settings forbid."""
    if subprocess.run([sys.executable, "-c", attempt], check=False, capture_output=True).returncode == 0:
        return None
    return (
        "this session may not use ptrace, by which practice hosts run: in a container, start it with "
        "--security-opt seccomp=unconfined or --cap-add SYS_PTRACE; elsewhere, sudo sysctl kernel.yama.ptrace_scope=1"
    )


def missing_memory(hosts: int, available: int) -> str | None:
    """A sentence when so many hosts would not fit."""
    needed = hosts * MEMORY_USED * 2**20
    if available >= needed:
        return None
    fitting = available // (MEMORY_USED * 2**20)
    advice = f"overlaykit lab up --hosts {fitting}" if fitting else "end what else runs here"
    return (
        f"{hosts} practice hosts need {needed / 2**30:.1f} GB of memory and {available / 2**30:.1f} GB are available: "
        f"{advice}"
    )


def too_long(folder: Path) -> str | None:
    """The switch names its sockets from the root of the file system, and such a name may have 107 characters."""
    excess = len(bytes(folder / _LONGEST_SOCKET)) - _MOST_OF_A_SOCKET
    if excess <= 0:
        return None
    return (
        f"the path of the lab's folder, {folder}, is {excess} characters too long for the sockets in it: "
        "choose a shorter --name, or set XDG_STATE_HOME to a folder with a shorter path"
    )


def _no_place_for_memory(hosts: int) -> str | None:
    try:
        memory_folder(hosts * MEMORY_USED)
    except LabNotPossible as reason:
        return str(reason)
    return None
