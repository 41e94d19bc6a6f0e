"""What running practice hosts needs of this machine, said before anything starts.

require_room_for(3, lab.folder)     # returns, or raises LabNotPossible that names everything that is missing
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

from overlaykit.lab.kernels import MEMORY_USED
from overlaykit.lab.limits import memory_left
from overlaykit.lab.memory import forbids_programs, memory_folder
from overlaykit.making.needs import missing_space, unsuitable_machine
from overlaykit.making.tier_images import cache_folder
from overlaykit.words.errors import LabNotPossible

_DISK_PER_HOST = 400 * 10**6
_LONGEST_SOCKET = "wire/030.100"
_MOST_OF_A_SOCKET = 107

# A program's own try, in a process of its own: what is allowed differs by kernel, by container, by setting.
_TRY_PTRACE = "import ctypes, sys; sys.exit(0 if ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0 else 1)"


def require_room_for(hosts: int, folder: Path, *, running: int = 0) -> None:
    """Raise LabNotPossible when so many hosts cannot run here, beside those that run already."""
    checks = (
        unsuitable_machine(),
        forbidden_ptrace(),
        forbidden_programs(cache_folder()),
        missing_memory(hosts, psutil.virtual_memory().available) or beyond_limit(hosts, running, memory_left()),
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
        "this session may not use ptrace, by which practice hosts run: in a container, ask whoever runs it for a "
        "seccomp profile that allows ptrace, as Docker's default and Kubernetes' RuntimeDefault do, or for the "
        "capability SYS_PTRACE; elsewhere, sudo sysctl kernel.yama.ptrace_scope=1; or, where this machine has Docker: "
        "overlaykit lab up --backend containers"
    )


def forbidden_programs(folder: Path) -> str | None:
    """What practice hosts run from lies in the cache, and is programs."""
    if not forbids_programs(folder):
        return None
    return (
        f"{folder} may not hold programs that run (it is mounted noexec), and practice hosts are such: set "
        "XDG_CACHE_HOME to a folder that may; in a container, ask whoever runs it for a volume without noexec"
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


def beyond_limit(hosts: int, running: int, left: int | None) -> str | None:
    """The same where a container has less memory than the machine: `left` is what it leaves for all hosts."""
    if left is None or left >= (hosts + running) * MEMORY_USED * 2**20:
        return None
    fitting = left // (MEMORY_USED * 2**20)
    advice = f"overlaykit lab up --hosts {fitting}" if fitting and not running else "end what else runs in it"
    together = f"{hosts} practice hosts" if not running else f"{hosts + running} practice hosts together"
    return (
        f"{together} need {(hosts + running) * MEMORY_USED / 1024:.1f} GB of memory, and the limit of this container "
        f"leaves {left / 2**30:.1f} GB for them: give it 2 GB (docker run --memory 2g), or {advice}"
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
