"""Processes of a lab, known by a mark in their environment.

    start(folder, "node1", ["kernel/bin/linux.uml", …], log=folder / "node1/console.log")
    end(folder, "node1")

The mark holds the lab's folder, so a process is never taken for another's: not when its id is used again, and not
when what we wrote down was lost. Whatever a program of the lab starts bears the mark too, and ends with it.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from overlaykit.words.errors import LabError

_MARK = "OVERLAYKIT_PROCESS_OF"
#: Passwords are for the command that was typed, not for what lives on for days.
_SECRET = ("OVERLAYKIT_BECOME_PASSWORD", "OVERLAYKIT_DATABASE_PASSWORD")
_SECONDS_TO_DIE = 10
_SECONDS_TO_CHANGE = 0.05


def start(
    folder: Path, part: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> None:
    """Start a program in `folder` that outlives us. It is nobody's child, so nobody need reap it."""
    inherited = {name: value for name, value in os.environ.items() if name not in _SECRET}
    marked = {**inherited, **(environment or {}), _MARK: _mark(folder, part)}
    # Its own session: neither a closed terminal nor Ctrl-C reaches it.
    shell = ["sh", "-c", '"$@" < /dev/null >> "$0" 2>&1 &', str(log), *command]
    subprocess.run(shell, cwd=folder, env=marked, check=True, start_new_session=True)


def find(folder: Path, part: str | None = None) -> list[psutil.Process]:
    """The lab's living processes: of one part (`node1`, `wire`), or of all."""
    wanted = _mark(folder, part or "")
    return [process for process, mark in _marked() if (mark == wanted if part else mark.startswith(wanted))]


def parts(folder: Path) -> set[str]:
    """Which parts of the lab run."""
    wanted = _mark(folder, "")
    return {mark.removeprefix(wanted) for _, mark in _marked() if mark.startswith(wanted)}


def end(folder: Path, part: str | None = None) -> None:
    """End the lab's processes, of one part or all: also what one of them started while we looked for them."""
    deadline = time.monotonic() + _SECONDS_TO_DIE
    while living := find(folder, part):
        kill(living, deadline)


def kill(processes: Sequence[psutil.Process], deadline: float) -> None:
    """Kill, and wait until they are gone; LabError where one is not gone by then."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()  # psutil looks first whether it is still the same process
    if alive := [process for process in processes if not _ended(process, deadline)]:
        ids = ", ".join(str(process.pid) for process in alive)
        raise LabError(f"processes of the lab do not end (ids {ids}): look at them with `ps -fp {ids}`")


def _ended(process: psutil.Process, deadline: float) -> bool:
    """Wait for it by the system's own word, which does not wait until its parent has heard of it."""
    if not process.is_running():
        return True
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    try:
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        return bool(waiting.poll(max(0.0, deadline - time.monotonic()) * 1000))
    finally:
        os.close(descriptor)


def _mark(folder: Path, part: str) -> str:
    return f"{folder}:{part}"


def _marked() -> Iterator[tuple[psutil.Process, str]]:
    for process in psutil.process_iter():
        try:
            if mark := _environment(process).get(_MARK):
                yield process, mark
        except psutil.Error:  # gone meanwhile, a zombie, or another user's: not ours
            continue


def _environment(process: psutil.Process) -> dict[str, str]:
    """What it was started with. While a program takes the place of another, the kernel shows none for a moment."""
    deadline = time.monotonic() + _SECONDS_TO_CHANGE
    while not (seen := process.environ()) and _has_program(process) and time.monotonic() < deadline:
        time.sleep(0.001)
    return seen


def _has_program(process: psutil.Process) -> bool:
    """Whether it is more than a thread of the kernel, which never has an environment."""
    return process.status() != psutil.STATUS_ZOMBIE and bool(process.exe())
