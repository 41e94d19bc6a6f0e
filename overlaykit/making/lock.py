"""One at a time: a folder is locked, and given back by the system itself when its holder dies.

with held(folder, lambda: observer("another command is at work on it, waiting")):
    …
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(folder: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the folder, made if need be; `waiting` is called when somebody else has it. Its holder may remove it."""
    descriptor = _locked(folder, waiting)
    try:
        yield
    finally:
        os.close(descriptor)


def _locked(folder: Path, waiting: Callable[[], None]) -> int:
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:  # removed between the two
            continue
        _wait_for(descriptor, waiting)
        if _is_same(descriptor, folder):
            return descriptor
        os.close(descriptor)  # its last holder removed it: what we hold guards nothing


def _wait_for(descriptor: int, waiting: Callable[[], None]) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        waiting()
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _is_same(descriptor: int, folder: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), folder.stat())
    except FileNotFoundError:
        return False
