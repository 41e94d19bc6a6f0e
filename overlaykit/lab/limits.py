"""How much memory a container, or a slice of a machine, leaves for practice hosts: less than the machine has.

memory_left()       # bytes, or None where no limit is set
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_OURS = Path("/proc/self/cgroup")
_NONE = 2**60  # version 1 says "no limit" by a number that no machine has


@dataclass(frozen=True)
class _Files:
    """Where one version of control groups says it: how much, and of what is taken the part that nothing can move."""

    limit: str
    programs: str  # in memory.stat: what programs hold, other than files, and a practice host's memory is a file


_VERSIONS = {"": _Files("memory.max", "anon"), "memory": _Files("memory.limit_in_bytes", "total_rss")}


def memory_left(groups: Path = _GROUPS, ours: Path = _OURS) -> int | None:
    """The tightest limit above this process, less what its programs hold. Practice hosts do not count as taken."""
    left = [
        limit - _programs(folder / "memory.stat", files.programs)
        for folder, files in _above_us(groups, ours)
        if (limit := _limit(folder / files.limit)) is not None
    ]
    return max(0, min(left)) if left else None


def _above_us(groups: Path, ours: Path) -> Iterator[tuple[Path, _Files]]:
    """Our group and all around it. A container often sees its own as the root, under whatever name."""
    for line in ours.read_text().splitlines() if ours.exists() else ():
        _, controllers, name = line.split(":", 2)
        kind = "memory" if "memory" in controllers.split(",") else controllers
        if files := _VERSIONS.get(kind):
            root = groups / kind
            folder = root / name.lstrip("/")
            yield from ((path, files) for path in (folder, *folder.parents) if path.is_relative_to(root))


def _limit(file: Path) -> int | None:
    try:
        said = file.read_text().strip()
    except OSError:
        return None
    return int(said) if said.isdigit() and int(said) < _NONE else None


def _programs(file: Path, name: str) -> int:
    try:
        lines = [line.split() for line in file.read_text().splitlines()]
    except OSError:
        return 0
    return next((int(value) for known, value in lines if known == name), 0)
