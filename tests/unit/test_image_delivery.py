"""Which layers travel, and in what shape."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from sshd import SshServer

from overlaykit.remote.archive import Archive
from overlaykit.remote.fleet import Fleet
from overlaykit.remote.images import deliver, layers_present
from overlaykit.words.errors import HostError
from overlaykit.words.host import Inventory

LAYERS = {"a.tar": b"a" * 700, "b.tar": b"b" * 512, "c.tar": b"c" * 10}


def archive(folder: Path, *, linked: bool = False) -> Archive:
    """An image of the layers a, b, c, b; `linked`: with the links of older engines."""
    names = ["a.tar", "b.tar", "c.tar", "b.tar"]
    if linked:
        names = [f"{name[0]}/layer.tar" for name in names]
    config = {"rootfs": {"diff_ids": [f"sha256:{name[0]}" for name in names]}}
    manifest = [{"Config": "config.json", "RepoTags": ["some:1"], "Layers": names}, {"Config": "other.json"}]
    files = {**LAYERS, "config.json": json.dumps(config).encode(), "manifest.json": json.dumps(manifest).encode()}
    with tarfile.open(folder / "image.tar", "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for name in dict.fromkeys(names if linked else ()):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, f"../{name[0]}.tar"
            tar.addfile(link)
    return Archive(folder / "image.tar")


def sent(image: Archive, present: int) -> dict[str, bytes]:
    """The files of the stream, by name."""
    stream = io.BytesIO(b"".join(image.without(present, "overlaykit/x:1")))
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        found = {}
        for member in tar:
            content = tar.extractfile(member)
            assert content is not None
            found[member.name] = content.read()
        return found


@pytest.mark.parametrize("linked", [False, True])
def test_layers_that_are_there_stay_behind_but_are_still_named(tmp_path: Path, linked: bool) -> None:
    image = archive(tmp_path, linked=linked)
    names = [f"{letter}/layer.tar" if linked else f"{letter}.tar" for letter in "abcb"]
    found = sent(image, 2)
    assert set(found) == {"manifest.json", "config.json", names[2], names[1]}
    assert found[names[2]] == LAYERS["c.tar"]
    assert found[names[1]] == LAYERS["b.tar"]
    assert json.loads(found["manifest.json"]) == [
        {"Config": "config.json", "RepoTags": ["overlaykit/x:1"], "Layers": names}
    ]


@pytest.mark.parametrize(("present", "size"), [(0, 1222), (1, 522), (2, 522), (3, 512), (4, 0)])
def test_its_size_is_known_beforehand(tmp_path: Path, present: int, size: int) -> None:
    image = archive(tmp_path)
    assert image.size_without(present) == size
    content = sent(image, present)
    assert sum(len(content[name]) for name in LAYERS if name in content) == size


def test_the_layers_of_an_image(tmp_path: Path) -> None:
    assert archive(tmp_path).layer_ids() == ["sha256:a", "sha256:b", "sha256:c", "sha256:b"]


@pytest.mark.parametrize(
    ("images", "present"),
    [
        ([], 0),
        ([[]], 0),
        ([["b"], ["x", "a", "b"]], 0),  # the same layer on other ground is another one
        ([["a"], ["a", "b", "x"]], 2),
        ([["a", "b", "c"]], 3),
        ([["a", "b", "c", "d"]], 3),
    ],
)
def test_a_layer_counts_where_all_below_it_are_the_same(images: list[list[str]], present: int) -> None:
    assert layers_present(["a", "b", "c"], images) == present


def test_an_archive_that_is_not_there_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(tarfile.ReadError, match="FileNotFoundError"):
        Archive(tmp_path / "none.tar").layer_ids()


@pytest.mark.parametrize("size", [0, 100, 600, 2000])
def test_an_archive_that_was_cut_off_is_no_archive(tmp_path: Path, size: int) -> None:
    image = archive(tmp_path)
    image.path.write_bytes(image.path.read_bytes()[:size])
    with pytest.raises(tarfile.ReadError):
        sent(image, 0)


def test_the_host_and_the_archive_are_named_where_one_cannot_be_sent(tmp_path: Path) -> None:
    with SshServer(tmp_path) as server, Fleet.open(Inventory((server.host(),), "a test")) as fleet:
        archive_there, archive_gone = archive(tmp_path).path, tmp_path / "gone.tar"
        archive_there.write_bytes(archive_there.read_bytes()[:700])
        for file in (archive_there, archive_gone):
            with pytest.raises(HostError, match=f"^node1: .* archive {file} is not there or not whole") as raised:
                deliver(fleet["node1"], file, "sha256:none", "overlaykit/x:1")
            assert "overlaykit lab build" in str(raised.value)
