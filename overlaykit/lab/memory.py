"""Where the memory of practice hosts may lie: a file that is mapped to be executed, and gone from the folder at once.

memory_folder(768)      # /dev/shm, on most machines
"""

from __future__ import annotations

import mmap
import os
import shutil
import tempfile
from pathlib import Path

from overlaykit.words.errors import LabNotPossible

# Memory first; what lies on a disk is slower, but works in containers whose /dev/shm is small and forbids exec.
_PLACES = ("/dev/shm", "/tmp", "/var/tmp")


def memory_folder(megabytes: int) -> Path:
    """The first folder that has room for so much and lets files be executed."""
    asked = os.environ.get("TMPDIR")
    tried: list[str] = []
    for place in (*_PLACES, *([asked] if asked else [])):
        if reason := why_not(Path(place), megabytes):
            tried.append(f"{place} {reason}")
        else:
            return Path(place)
    raise LabNotPossible(
        f"no folder can hold the memory of practice hosts: {'; '.join(tried)}. "
        "Set TMPDIR to a folder that is not mounted noexec and has room"
    )


def why_not(place: Path, megabytes: int) -> str | None:
    """Why a folder will not do; found out by trying."""
    try:
        if shutil.disk_usage(place).free < megabytes * 2**20:
            return f"has less than {megabytes} MB free"
        with tempfile.TemporaryFile(dir=place) as file:
            file.truncate(mmap.PAGESIZE)
            mmap.mmap(file.fileno(), mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_EXEC).close()
    except OSError as error:
        return f"forbids executing ({error.strerror})" if isinstance(error, PermissionError) else str(error.strerror)
    return None
