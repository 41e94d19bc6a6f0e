"""Where the memory of practice hosts may lie: a file that is mapped to be executed, and gone from the folder at once.

memory_folder(768)      # /dev/shm, on most machines
"""

from __future__ import annotations

import mmap
import os
import shutil
import tempfile
from pathlib import Path

from platformdirs import user_state_path

from overlaykit.words.errors import LabNotPossible

# Memory first; what lies on a disk is slower, but works in containers whose /dev/shm is small and forbids exec. Last
# comes where labs live, which can be the one folder that a container may write to.
_PLACES = ("/dev/shm", "/tmp", "/var/tmp")


def memory_folder(megabytes: int) -> Path:
    """The first folder that has room for so much and lets files be executed."""
    asked = os.environ.get("TMPDIR")
    tried: list[str] = []
    for place in (*_PLACES, *([asked] if asked else []), str(_where_labs_live())):
        if reason := why_not(Path(place), megabytes):
            tried.append(f"{place} {reason}")
        else:
            return Path(place)
    raise LabNotPossible(
        f"no folder can hold the memory of practice hosts: {'; '.join(tried)}. "
        f"Set TMPDIR to a folder that is not mounted noexec and has {megabytes} MB free; in a container, ask whoever "
        "runs it for a volume like that"
    )


def forbids_programs(place: Path) -> bool:
    """Whether what lies in a folder (which need not exist yet) may not be run: a container's volume is often so."""
    there = next(path for path in (place, *place.parents) if path.exists())
    return os.statvfs(there).f_flag & os.ST_NOEXEC != 0


def _where_labs_live() -> Path:
    folder = user_state_path("overlaykit")
    return next(path for path in (folder, *folder.parents) if path.exists())


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
