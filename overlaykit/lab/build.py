"""What practice hosts run from: kernel, wire and a disk with the tiers' images, built once, one folder.

    built = build(print)
    built.path          # …/builds/3f2a9c1b7d200e41: nothing in it names where it lies, so it can be copied and run
    built.images        # the tiers' images, as archives in it
    built.contents      # what in it other people made

The folder is named by the content of the recipes. It appears whole: half of a build is never taken for one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from overlaykit.lab.identity import builder_identity
from overlaykit.lab.kernels import BASE_DISK, KERNEL, MEMORY, kernel_command
from overlaykit.lab.memory import memory_folder
from overlaykit.making.buildah import Buildah, Observer, run_logged
from overlaykit.making.builder import Builder
from overlaykit.making.contents import Contents
from overlaykit.making.lock import held
from overlaykit.making.needs import require_build_tools
from overlaykit.making.place import placed
from overlaykit.making.recipes import Recipe, combined_key, read_recipes
from overlaykit.making.tier_images import archive_images, cache_folder
from overlaykit.words.errors import LabError
from overlaykit.words.images import KitImage, KitImages
from overlaykit.words.stack import TIERS

_FORMAT = "3"  # of a build's folder
_NOTE = "images.json"
_CONTENTS = "CONTENTS.md"
_DISK_SIZE = "8G"  # what a host sees; the file holds only what was written
_SECONDS_TO_LOAD = 300

_COPY_KERNEL = 'cp -a "$root/." "$1" && chmod -R u+w "$1"'
# No checksums of metadata: the kernel of a practice host has only slow ones. The journal comes last: whatever is
# written until then need not be written twice, and a disk is made again rather than mended.
_MAKE_DISK = f'mke2fs -q -t ext4 -m 0 -O ^metadata_csum,^has_journal -E lazy_itable_init=1 -d "$root" "$1" {_DISK_SIZE}'
# What was written and removed again would take room in every copy. The first check puts in order what a host leaves
# that just ends, and says so by status 1; only one that finds nothing wrong gives room back.
_FINISH_DISK = 'e2fsck -fy "$1" || [ $? = 1 ]; e2fsck -fy -E discard "$1"; tune2fs -j -J size=32 "$1"'
_COPY_NOTES = 'mkdir "$1"; cp "$root/var/lib/dpkg/status" "$1/"; cp -r "$root/usr/share/doc" "$1/"'


@dataclass(frozen=True)
class LabBuild:
    """One folder from which labs run."""

    path: Path

    @property
    def images(self) -> KitImages:
        """The tiers' images on its disk; their archives lie in it too."""
        saved = [KitImage(**image) for image in json.loads((self.path / _NOTE).read_text())]
        return KitImages(tuple(replace(image, archive=str(self.path / image.archive)) for image in saved))

    @property
    def contents(self) -> Path:
        """What in it other people made: versions, licences, where the source is."""
        return self.path / _CONTENTS


def find_build() -> LabBuild | None:
    """The build of what the recipes say now, if it was made."""
    path = place_of_build()
    return LabBuild(path) if path.exists() else None


def place_of_build() -> Path:
    """Where the build of what the recipes say now lies, or would lie."""
    return _place(read_recipes())


def build(observer: Observer) -> LabBuild:
    """The build of what the recipes say now, made if it was not: some minutes."""
    if built := find_build():
        return built
    cache = cache_folder()
    with held(cache, lambda: observer("another build is running, waiting for it")):
        if built := find_build():
            return built
        require_build_tools(cache)
        recipes = read_recipes()
        with Builder(cache, recipes, observer) as builder:
            return _build(builder, _place(recipes))


def remove_cache() -> None:
    """Remove everything that was built."""
    cache = cache_folder()
    if cache.exists():
        with held(cache, lambda: None):
            Buildah(cache).remove()
            shutil.rmtree(cache)


def _place(recipes: dict[str, Recipe]) -> Path:
    return cache_folder() / "builds" / combined_key(list(recipes.values()), _FORMAT)


def _build(builder: Builder, place: Path) -> LabBuild:
    for name in builder.recipes:
        builder.start(name)
    with placed(place) as draft:
        _fill(builder, draft)
    return LabBuild(place)


def _fill(builder: Builder, draft: Path) -> None:
    kernel, disk = draft / KERNEL, draft / BASE_DISK
    kernel.mkdir()
    builder.buildah.in_root(builder.wait("kernel"), _COPY_KERNEL, str(kernel))
    shutil.rmtree(kernel / "modules")  # they are on the disk
    builder.buildah.in_root(builder.wait("host"), _MAKE_DISK, str(disk))
    images = archive_images(cache_folder(), builder)
    builder.observer("disk: loading the tiers' images, on a practice host of its own")
    keep_archives(draft, images)
    _load(disk, images, builder.log("disk"))
    run_logged(["sh", "-ec", _FINISH_DISK, "sh", str(disk)], builder.log("disk"), "disk", builder.observer)
    disk.chmod(0o444)
    (draft / _CONTENTS).write_text(_contents(builder, kernel))


def _contents(builder: Builder, kernel: Path) -> str:
    found = Contents()
    found.read("kernel", kernel)
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("host", *TIERS):
            notes = Path(scratch, name)
            builder.buildah.in_root(builder.wait(name), _COPY_NOTES, str(notes))
            found.read(name, notes)
    return found.text()


def _load(disk: Path, images: KitImages, log: Path) -> None:
    """Boot one host that writes to the disk itself, loads what it finds on further disks, and ends."""
    with tempfile.TemporaryDirectory(dir=disk.parent) as scratch:
        folder = Path(scratch)
        (folder / KERNEL).symlink_to(f"../{KERNEL}")
        (folder / "identity.tar").write_bytes(builder_identity())
        disks = [f"../{disk.name}", "identity.tar", *(f"../{image.tier}.tar" for image in images)]
        said = _run(kernel_command("builder", disks=disks), folder, log)
    if "lab-init: images loaded" not in said:
        last = "\n".join(f"    {line}" for line in said.splitlines()[-12:])
        raise LabError(
            f"the tiers' images could not be loaded onto the disk (see {log}); its console ends with:\n{last}"
        )


def _run(command: list[str], folder: Path, log: Path) -> str:
    with log.open("w") as record:
        try:
            subprocess.run(
                command, cwd=folder, env={**os.environ, "TMPDIR": str(memory_folder(MEMORY))},
                stdin=subprocess.DEVNULL, stdout=record, stderr=subprocess.STDOUT,
                timeout=_SECONDS_TO_LOAD, check=False, start_new_session=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            record.write(f"it was not done within {_SECONDS_TO_LOAD} s\n")
    return log.read_text(errors="replace")


def keep_archives(draft: Path, images: KitImages) -> None:
    """Have the images' archives in a build's folder, with the note by which they are found."""
    kept = []
    for image in images:
        archive = draft / f"{image.tier}.tar"
        if Path(image.archive) != archive:
            os.link(image.archive, archive)  # the same file as in the cache of images: no room of its own
        kept.append(asdict(replace(image, archive=archive.name)))
    (draft / _NOTE).write_text(json.dumps(kept, indent=1))
