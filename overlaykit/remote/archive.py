"""An image in a file, as `docker save` and `buildah push docker-archive:` write it, and parts of it as a stream.

archive = Archive(Path("backend.tar"))
archive.layer_ids()                       # ["sha256:…", "sha256:…"], lowest first
archive.without(1, "overlaykit/backend:3f2a9c1b7d20")
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

_CHUNK = 1 << 18


@dataclass(frozen=True)
class Archive:
    """One image; of an archive with several, the first. One that is not there or not whole: tarfile.ReadError."""

    path: Path

    def layer_ids(self) -> list[str]:
        """The content hashes of the layers, unpacked, lowest first."""
        with self._opened() as tar:
            config: dict[str, Any] = json.load(_content(tar, _manifest(tar)["Config"]))
        return list(config["rootfs"]["diff_ids"])

    def size_without(self, present: int) -> int:
        """How many bytes of layers `without` sends."""
        with self._opened() as tar:
            return sum(_size(_content(tar, name)) for name in _layers(tar, present))

    def without(self, present: int, reference: str) -> Iterator[bytes]:
        """The archive without the files of the lowest `present` layers; the image is called `reference`."""
        with self._opened() as tar:
            manifest = {**_manifest(tar), "RepoTags": [reference]}
            yield from _member("manifest.json", BytesIO(json.dumps([manifest]).encode()))
            for name in (manifest["Config"], *_layers(tar, present)):
                yield from _member(name, _content(tar, name))
            yield bytes(2 * tarfile.BLOCKSIZE)

    @contextmanager
    def _opened(self) -> Iterator[tarfile.TarFile]:
        """Whatever keeps an archive from being read is a tarfile.ReadError to who asked."""
        try:
            with tarfile.open(self.path) as tar:
                yield tar
        except (OSError, EOFError, LookupError, TypeError, ValueError) as fault:
            raise tarfile.ReadError(f"{type(fault).__name__}: {fault}") from fault


def _manifest(tar: tarfile.TarFile) -> dict[str, Any]:
    entries: list[dict[str, Any]] = json.load(_content(tar, "manifest.json"))
    return entries[0]


def _layers(tar: tarfile.TarFile, present: int) -> list[str]:
    """Names of the layers' files above those; an image may have the same layer twice."""
    return list(dict.fromkeys(_manifest(tar)["Layers"][present:]))


def _content(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    """A member's content; older archives have links for layers that occur twice, which are followed."""
    content = tar.extractfile(name)
    if content is None:
        raise tarfile.ReadError(f"{name} in the archive is not a file")
    return content


def _size(content: IO[bytes]) -> int:
    size = content.seek(0, 2)
    content.seek(0)
    return size


def _member(name: str, content: IO[bytes]) -> Iterator[bytes]:
    header = tarfile.TarInfo(name)
    header.size = _size(content)
    yield header.tobuf()
    while piece := content.read(_CHUNK):
        yield piece
    yield bytes(-header.size % tarfile.BLOCKSIZE)
