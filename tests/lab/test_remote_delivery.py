"""Images to real engines: only the layers a host lacks travel, and cutting it off does no harm."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from overlaykit.inventories import find_inventory
from overlaykit.remote.fleet import Fleet, FleetHost
from overlaykit.remote.images import deliver

BASE, APP = os.urandom(2_000_000), b"the application"


@pytest.fixture(scope="module")
def fleet(lab_name: str) -> Iterator[Fleet]:
    with Fleet.open(find_inventory(f"lab:{lab_name}")) as fleet:
        yield fleet
        fleet.each(forget)


def forget(host: FleetHost) -> None:
    """Remove what these tests delivered."""
    for image in host.docker.images.list():
        if any(tag.startswith("delivery-test/") for tag in image.tags):
            host.docker.images.remove(str(image.id), force=True)


def image(folder: Path, name: str, *contents: bytes) -> tuple[Path, str, str]:
    """An image of one file per layer: its archive, its id, its reference."""
    layers = [packed({f"file{number}": content}) for number, content in enumerate(contents)]
    ids = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": ids}}
    document = json.dumps(config).encode()
    digest = hashlib.sha256(document).hexdigest()
    names = [f"{one[7:]}.tar" for one in ids]
    manifest = [{"Config": f"{digest}.json", "RepoTags": ["other/name:1"], "Layers": names}]
    members = {"manifest.json": json.dumps(manifest).encode(), f"{digest}.json": document}
    archive = folder / f"{name}.tar"
    archive.write_bytes(packed({**members, **dict(zip(names, layers, strict=True))}))
    return archive, f"sha256:{digest}", f"delivery-test/{name}:{digest[:12]}"


def packed(files: dict[str, bytes]) -> bytes:
    """A tar archive of these files."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return target.getvalue()


def test_only_what_a_host_lacks_is_sent(fleet: Fleet, tmp_path: Path) -> None:
    base, app = image(tmp_path, "base", BASE), image(tmp_path, "app", BASE, APP)
    first = fleet.each(lambda host: deliver(host, *base))
    assert all(isinstance(sent, int) and sent > len(BASE) for sent in first.values())
    second = fleet.each(lambda host: deliver(host, *app))
    assert all(isinstance(sent, int) and 0 < sent < 20_000 for sent in second.values()), second
    assert set(fleet.each(lambda host: deliver(host, *app)).values()) == {0}
    for host in fleet.values():
        found = host.docker.images.get(app[2])
        assert found.id == app[1]
        created = host.docker.api.create_container(app[2], "any")
        content = b"".join(host.docker.api.get_archive(created, "/file1")[0])
        host.docker.api.remove_container(created)
        assert APP in content


def test_a_lost_name_is_given_back_without_sending(fleet: Fleet, tmp_path: Path) -> None:
    host, (archive, image_id, reference) = fleet["node1"], image(tmp_path, "named", os.urandom(1000))
    deliver(host, archive, image_id, reference)
    host.docker.images.get(reference).tag("delivery-test/second", "1")
    host.docker.images.remove(reference)
    assert deliver(host, archive, image_id, reference) == 0
    assert host.docker.images.get(reference).id == image_id


def test_a_delivery_that_was_cut_off_is_begun_again(fleet: Fleet, tmp_path: Path) -> None:
    class PulledOut(Exception):
        """The cable."""

    def pull(fraction: float) -> None:
        if fraction > 0.5:
            raise PulledOut

    host, one = fleet["node1"], image(tmp_path, "cut", os.urandom(2_000_000))
    with pytest.raises(PulledOut):
        deliver(host, *one, progress=pull)
    fractions: list[float] = []
    assert deliver(host, *one, progress=fractions.append) > 2_000_000
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert host.docker.images.get(one[2]).id == one[1]
