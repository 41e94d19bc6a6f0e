"""Images to hosts over their SSH connections, no registry in between: only the layers a host lacks travel.

    sent = deliver(fleet["node1"], Path("backend.tar"), image.image_id, image.reference, progress)
    sent        # bytes of layers; 0 when the host had the image already

Layers are named by their content, and `docker load` opens a layer's file only if the engine has no such layer: so
the archive is sent without the files of those that it has. Engines that keep images in containerd want every
file, and get it. A delivery that was cut off leaves nothing behind, and the next one starts where the host is.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from docker.errors import ImageNotFound

from overlaykit.remote.archive import Archive
from overlaykit.remote.engine import engine_errors
from overlaykit.remote.fleet import FleetHost
from overlaykit.words.errors import EngineRefused, HostError

Progress = Callable[[float], None]


def deliver(host: FleetHost, archive: Path, image_id: str, reference: str, progress: Progress | None = None) -> int:
    """See to it that `host` has the image under that reference. `progress` is told the fraction done."""
    report = progress or (lambda fraction: None)
    with host.receiving, engine_errors(host.name):  # one image after another, since they have layers in common
        if _has(host, image_id, reference):
            sent = 0
        else:
            with _whole(host, archive, reference):
                sent = _send(host, Archive(archive), reference, report)
            if not _has(host, image_id, reference):
                raise EngineRefused(host.name, f"took {archive.name}, but has no {reference} of id {image_id} now")
    report(1.0)
    return sent


def _has(host: FleetHost, image_id: str, reference: str) -> bool:
    """Whether the image is there under its name; where it lacks the name alone, it is given it."""
    api = host.docker.api
    try:
        found = api.inspect_image(reference)["Id"]
    except ImageNotFound:
        found = ""
    if found == image_id or (found and _keeps_in_containerd(host)):
        return True  # containerd's ids are of another kind; the reference names the content too
    try:
        api.inspect_image(image_id)
    except ImageNotFound:
        return False
    name, _, tag = reference.rpartition(":")
    return bool(api.tag(image_id, name, tag))


@contextmanager
def _whole(host: FleetHost, archive: Path, reference: str) -> Iterator[None]:
    try:
        yield
    except tarfile.TarError as fault:
        raise HostError(
            host.name,
            f"{reference} was not sent, since the archive {archive} is not there or not whole ({fault}): "
            "overlaykit lab down --cache (which ends the practice hosts too), then overlaykit lab build",
        ) from fault


def _send(host: FleetHost, archive: Archive, reference: str, progress: Progress) -> int:
    present = 0 if _keeps_in_containerd(host) else layers_present(archive.layer_ids(), _layers_of_images(host))
    total = archive.size_without(present)
    for word in host.docker.api.load_image(_packed(archive.without(present, reference), total, progress)):
        if "error" in word:
            raise EngineRefused(host.name, _load_failed(reference, word["error"]))
    return total


def layers_present(wanted: Sequence[str], images: Sequence[Sequence[str]]) -> int:
    """How many of the lowest layers of `wanted` some image of the host has, in the same order.

    >>> layers_present(["base", "python", "app-2"], [["base", "nginx"], ["base", "python", "app-1"]])
    2
    """
    return max((_in_common(wanted, layers) for layers in images), default=0)


def _in_common(one: Sequence[str], other: Sequence[str]) -> int:
    for count, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return count
    return min(len(one), len(other))


def _layers_of_images(host: FleetHost) -> list[list[str]]:
    api = host.docker.api
    found: list[list[str]] = []
    for image in api.images():
        try:
            found.append(api.inspect_image(image["Id"])["RootFS"].get("Layers") or [])
        except ImageNotFound:
            continue  # removed since it was listed
    return found


def _keeps_in_containerd(host: FleetHost) -> bool:
    status: list[list[str]] = host.docker.api.info().get("DriverStatus") or []
    return any("containerd" in value for _, value in status)


def _packed(pieces: Iterator[bytes], total: int, progress: Progress) -> Iterator[bytes]:
    """Gzipped on the way, as the engine takes it: wires between hosts are slower than level 1."""
    packer = zlib.compressobj(1, wbits=31)
    done = 0
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
        done += len(piece)
        progress(min(done / max(total, 1), 0.99))
    yield packer.flush()


def _load_failed(reference: str, said: str) -> str:
    if "no space left" in said:
        return f"its disk is full, so {reference} was not loaded: make room (docker system prune), then repeat"
    return f"the engine could not load {reference}: {said}"
