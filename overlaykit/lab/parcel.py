"""A folder as one file to carry: a tar under zstd, which says first what it is and last whether it is whole.

    write(Manifest("3f2a…", "0.1.0", "x86_64", room), folder, file, observer)
    verify(path)                        # raises NotWhole
    unpack(path, folder, observer)

    [a frame that zstd skips: the manifest] [the tar] [a frame that zstd skips: SHA-256 of all before it]

So `tar --zstd -xf` reads it too, the first kilobyte of a download says whether it fits, and no byte of it can change
unnoticed.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import tarfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from overlaykit.lab.sparse import add_file

HEAD = 4096  # bytes of a parcel in which its manifest lies
WINDOW = 27  # 128 MB: what zstd looks back over, to find the three images' common ground once; any zstd takes so much
_LEVEL = 10  # 15 makes a fortieth less of it, in five times the time

_SKIPPED = 0x184D2A50  # the magic number of frames that are not data
_FRAME = struct.Struct("<II")
_KIND = "overlaykit lab"
_CHUNK = 2**20

Progress = Callable[[float], None]  # how much is done, from 0 to 1


class NotAParcel(Exception):
    """The file is something else."""


class NotWhole(Exception):
    """The file was one, but is cut short or changed."""


@dataclass(frozen=True)
class Manifest:
    """What is in a parcel."""

    key: str  # of the recipes that it was built from
    version: str  # of the kit that wrote it
    machine: str  # as `uname -m`
    room: int  # bytes that it takes once unpacked

    def frame(self) -> bytes:
        """As it stands at the beginning of the file."""
        return _skipped(json.dumps({"kind": _KIND, **asdict(self)}).encode())


def read_manifest(head: bytes) -> Manifest:
    """The manifest, from the first HEAD bytes of a parcel."""
    try:
        told = json.loads(head[_FRAME.size : _begin(head)])
        if told["kind"] != _KIND:
            raise NotAParcel
        return Manifest(str(told["key"]), str(told["version"]), str(told["machine"]), int(told["room"]))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise NotAParcel from None


def write(manifest: Manifest, folder: Path, file: BinaryIO, progress: Progress) -> None:
    """Write the folder; the same folder makes the same file."""
    target = _Digesting(file)
    target.write(manifest.frame())
    settings = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL, window_log=WINDOW, enable_ldm=True, write_checksum=True, threads=os.cpu_count() or 1
    )
    with zstandard.ZstdCompressor(compression_params=settings).stream_writer(
        cast("BinaryIO", target), closefd=False
    ) as compressed:
        _write_tar(folder, compressed, progress)
    progress(1.0)
    file.write(_skipped(target.digest.digest()))


def verify(path: Path) -> Manifest:
    """Read the whole file against its checksum: its manifest, or NotAParcel, or NotWhole."""
    end = len(_skipped(bytes(32)))
    with path.open("rb") as file:
        manifest = read_manifest(file.read(HEAD))
        left = path.stat().st_size - end
        digest = hashlib.sha256()
        file.seek(0)
        while left > 0 and (chunk := file.read(min(left, _CHUNK))):
            digest.update(chunk)
            left -= len(chunk)
        if file.read() != _skipped(digest.digest()):
            raise NotWhole
    return manifest


def unpack(path: Path, folder: Path, progress: Progress) -> None:
    """Unpack a verified file into an empty folder, holes and all; NotWhole if it holds what no folder needs."""
    with path.open("rb") as file:
        size = path.stat().st_size
        file.seek(_begin(file.read(HEAD)))
        watched = cast("BinaryIO", _Watched(file, lambda: progress(file.tell() / size)))
        plain = zstandard.ZstdDecompressor(max_window_size=2**WINDOW).stream_reader(watched)
        with tarfile.open(fileobj=plain, mode="r|", bufsize=_CHUNK) as archive:
            archive.extraction_filter = _as_it_is
            for member in archive:
                _require_inside(member)
                archive.extract(member, folder, set_attrs=False)
                (folder / member.name).chmod(0o755 if member.mode & 0o100 else 0o644)
    progress(1.0)


def _begin(head: bytes) -> int:
    """Where the tar begins: after the manifest."""
    magic, length = _FRAME.unpack_from(head) if len(head) >= _FRAME.size else (0, 0)
    if magic != _SKIPPED or length > HEAD - _FRAME.size:
        raise NotAParcel
    return _FRAME.size + int(length)


def _write_tar(folder: Path, compressed: BinaryIO, progress: Progress) -> None:
    # The images' archives come last, side by side: what they have in common is then near enough to be found.
    paths = sorted(folder.rglob("*"), key=lambda path: (path.suffix == ".tar", path))
    whole, done = max(1, sum(path.stat().st_blocks * 512 for path in paths)), 0

    def told(count: int) -> None:
        nonlocal done
        done += count
        progress(min(1.0, done / whole))

    with tarfile.open(fileobj=compressed, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_CHUNK) as archive:
        for path in paths:
            name = str(path.relative_to(folder))
            if path.is_dir():
                archive.addfile(_folder(name))
            else:
                add_file(archive, path, name, told)


def _folder(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    return member


def _require_inside(member: tarfile.TarInfo) -> None:
    path = Path(member.name)
    if path.is_absolute() or ".." in path.parts or not (member.isdir() or member.isfile()):
        raise NotWhole


def _as_it_is(member: tarfile.TarInfo, _: str) -> tarfile.TarInfo:
    return member  # looked at by _require_inside; Python's own filters are not in every 3.11


def _skipped(content: bytes) -> bytes:
    return _FRAME.pack(_SKIPPED, len(content)) + content


class _Digesting:
    """A file that is being written, and the digest of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        return self._file.write(content)


class _Watched:
    """A file that is being read, and somebody who is told."""

    def __init__(self, file: BinaryIO, told: Callable[[], None]) -> None:
        self._file, self._told = file, told

    def read(self, size: int) -> bytes:
        self._told()
        return self._file.read(size)
