"""Files with holes, put into a tar as GNU tar does it: what was never written takes no room, and any tar reads it.

add_file(archive, Path("disk.img"), "disk.img")
"""

from __future__ import annotations

import errno
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

_CHUNK = 2**20
Told = Callable[[int], None]  # so many bytes more were read


def add_file(archive: tarfile.TarFile, path: Path, name: str, told: Told = lambda _: None) -> None:
    """Add one file under `name`, without time and owner: the same file makes the same archive."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        pieces = written(file)
        member = tarfile.TarInfo(name)
        member.mode = 0o755 if os.access(path, os.X_OK) and path.stat().st_mode & 0o100 else 0o644
        head = b""
        if pieces != [(0, size)]:
            head = _map(pieces, size)
            member.name = f"GNUSparseFile.0/{name}"
            member.pax_headers = _headers(name, size)
        member.size = len(head) + sum(length for _, length in pieces)
        archive.addfile(member, _Reader(_content(head, file, pieces, told)))  # type: ignore[arg-type]


def written(file: BinaryIO) -> list[tuple[int, int]]:
    """Where in a file something was written: (offset, length). A file system that keeps no holes says: everywhere."""
    size, at, found = os.fstat(file.fileno()).st_size, 0, []
    while at < size:
        try:
            start = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            break  # nothing but a hole is left
        at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
        found.append((start, at - start))
    return found


def _map(pieces: list[tuple[int, int]], size: int) -> bytes:
    numbers = [len(pieces) + 1, *(number for piece in pieces for number in piece), size, 0]
    text = "".join(f"{number}\n" for number in numbers).encode()
    return text + bytes(-len(text) % tarfile.BLOCKSIZE)


def _headers(name: str, size: int) -> dict[str, str]:
    return {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": name,
        "GNU.sparse.realsize": str(size),
    }


def _content(head: bytes, file: BinaryIO, pieces: list[tuple[int, int]], told: Told) -> Iterator[bytes]:
    yield head
    for offset, length in pieces:
        file.seek(offset)
        left = length
        while left > 0 and (chunk := file.read(min(left, _CHUNK))):
            told(len(chunk))
            yield chunk
            left -= len(chunk)


class _Reader:
    """Chunks as something to read from, as tarfile asks for it."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int) -> bytes:
        while len(self._rest) < size and (chunk := next(self._chunks, None)) is not None:
            self._rest += chunk
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken
