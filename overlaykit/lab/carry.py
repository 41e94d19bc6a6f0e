"""The build as something to carry: to a machine without internet, into a container, on a memory stick.

    export_build(Path("lab.tar.zst"), observer=print)
    import_build("lab.tar.zst", print)              # or https://…/lab.tar.zst
    find_build()                                    # there it is
    have_build(print)                               # from wherever it comes: here already, carried along, built

A build fits where the recipes are the same. It appears whole, as one that was built here does.
"""

from __future__ import annotations

import fcntl
import os
import platform
import tarfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

import zstandard

from overlaykit.lab import download, parcel
from overlaykit.lab.build import LabBuild, build, find_build, place_of_build
from overlaykit.lab.kernels import BASE_DISK
from overlaykit.lab.parcel import Manifest
from overlaykit.making.buildah import Observer
from overlaykit.making.lock import held
from overlaykit.making.needs import missing_space
from overlaykit.making.place import placed
from overlaykit.making.tier_images import cache_folder, keep_images
from overlaykit.words.errors import InputError, LabError, LabNotPossible

#: Names a file that lies where the kit was installed, as in the workbench; imported in place of building.
CARRIED = "OVERLAYKIT_LAB_FILE"

_PACKED = 0.4  # of its room, at most: measured are two tenths
_TENTHS = 10


class _Refused(LabError):
    """A file that is not what is needed, and will not become it."""


def export_build(file: Path, observer: Observer, *, force: bool = False) -> LabBuild:
    """Write the build, made if need be, as one file: whole or not at all."""
    _require_target(file, force)
    built = build(observer)
    manifest = Manifest(built.path.name, version("overlaykit"), platform.machine(), _room(built.path))
    elsewhere = f"make room, or name a file on another disk than that of {file}"
    if full := missing_space(file.absolute().parent, int(manifest.room * _PACKED), "the export", elsewhere):
        raise LabNotPossible(full[0])
    with _disk_faults(f"{file} cannot be written"), _draft(file) as draft:
        with draft.open("wb") as target:
            parcel.write(manifest, built.path, target, _tenths(observer, f"writing {file}"))
        draft.replace(file)
    return built


@contextmanager
def _draft(file: Path) -> Iterator[Path]:
    """Where to write it until it is whole. What a killed export has left there is written over by the next."""
    draft = file.with_name(f"{file.name}.overlaykit-part")
    with _locked(draft, file):
        try:
            yield draft
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


@contextmanager
def _locked(draft: Path, file: Path) -> Iterator[None]:
    """The draft is this export's alone. One that another has just finished is its file by now: then begin again."""
    while True:
        with draft.open("ab") as opened:
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the system gives it back when its holder is killed
            except BlockingIOError:
                raise LabError(
                    f"{file} is being written by another export: wait for it, or name another file"
                ) from None
            if _lies_at(draft, opened):
                yield
                return


def _lies_at(path: Path, opened: BinaryIO) -> bool:
    """Is a file that was opened by this name still called so?"""
    try:
        return os.path.samestat(os.fstat(opened.fileno()), path.stat())
    except FileNotFoundError:
        return False


def have_build(observer: Observer) -> LabBuild:
    """The build: the one that is here, else out of the file that was carried along, else made."""
    carried = os.environ.get(CARRIED)
    return find_build() or (import_build(carried, observer) if carried else build(observer))


def can_have_build() -> bool:
    """Whether practice hosts can start without building first, which takes minutes."""
    return find_build() is not None or CARRIED in os.environ


def import_build(source: str, observer: Observer) -> LabBuild:
    """Put a build in place from a file or an address. One that is there already is left as it is."""
    path = _path_of(source)
    if path is not None:
        with _disk_faults(f"{path} cannot be imported"):
            path.open("rb").close()  # also where it is not needed: it may be a slip
    if built := find_build():
        observer("the build is here already, nothing is imported")
        with _disk_faults("the images that are here cannot be kept"), _alone(observer):
            keep_images(built.images)  # an import that was cut may not have come so far
        return built
    return _from_address(source, observer) if path is None else _from_file(path, str(path), observer)


def _path_of(source: str) -> Path | None:
    """Where it lies on this machine; None for an address to fetch it from."""
    scheme, separator, rest = source.partition("://")
    if not separator:
        return Path(source)
    if scheme.lower() not in ("file", "http", "https"):
        raise InputError(f"{source}: a build is taken from a path, file://, http:// or https://, not from {scheme}://")
    return Path(unquote(rest)) if scheme.lower() == "file" else None


def _from_address(address: str, observer: Observer) -> LabBuild:
    folder = cache_folder() / "downloads"
    with held(folder, lambda: observer("another download is under way, waiting for it")):
        try:
            told = download.told(address)
            with _disk_faults(f"{told} cannot be kept in {folder}"):
                fits = partial(_require_fit, told_as=told)
                path = download.fetch(address, folder, fits, _tenths(observer, "fetching"))
            built = _from_file(path, told, observer)
        except _Refused:
            download.forget(address, folder)  # more of it would help nobody
            raise
        download.forget(address, folder)
        return built


def _from_file(path: Path, told_as: str, observer: Observer) -> LabBuild:
    with _disk_faults(f"{told_as} cannot be imported"):
        with path.open("rb") as file:
            manifest = _require_fit(file.read(parcel.HEAD), told_as)
        with _alone(observer):
            if built := find_build():
                return built
            if full := missing_space(cache_folder(), manifest.room, "the import"):
                raise LabNotPossible(full[0])
            return _put_in_place(path, told_as, observer)


def _alone(observer: Observer) -> AbstractContextManager[None]:
    """The cache, for one import or build at a time."""
    return held(cache_folder(), lambda: observer("another build or import is running, waiting for it"))


def _put_in_place(path: Path, told_as: str, observer: Observer) -> LabBuild:
    observer("comparing with its checksum")
    try:
        parcel.verify(path)
        with placed(place_of_build()) as draft:
            parcel.unpack(path, draft, _tenths(observer, "unpacking"))
            (draft / BASE_DISK).chmod(0o444)
    except (parcel.NotWhole, parcel.NotAParcel, tarfile.TarError, zstandard.ZstdError):
        raise _Refused(
            f"{told_as} is cut short or was changed: its checksum is another. Nothing was imported; take it again"
        ) from None
    built = LabBuild(place_of_build())
    keep_images(built.images)
    return built


def _require_fit(head: bytes, told_as: str) -> Manifest:
    """What the beginning of a file says it is, if that runs here and is what this overlaykit needs."""
    try:
        manifest = parcel.read_manifest(head)
    except parcel.NotAParcel:
        raise _Refused(f"{told_as} is no file that `overlaykit lab export` has written: name one that is") from None
    here, wanted = platform.machine(), place_of_build().name
    if manifest.machine != here:
        raise _Refused(f"{told_as} holds programs for {manifest.machine}, and this machine is {here}")
    if manifest.key != wanted:
        raise _Refused(
            f"{told_as} holds build {manifest.key}, exported by overlaykit {manifest.version}; overlaykit "
            f"{version('overlaykit')}, which runs here, needs build {wanted}: take both from the same place, or build "
            "here with `overlaykit lab build`"
        )
    return manifest


def _require_target(file: Path, force: bool) -> None:
    if file.is_dir():
        raise InputError(f"{file} is a folder: name the file to write in it, such as {file / 'lab.tar.zst'}")
    if not file.absolute().parent.is_dir():
        raise InputError(f"there is no folder {file.absolute().parent} to write {file.name} into")
    if file.exists() and not force:
        raise InputError(f"{file} is there already: choose another name, or write over it with --force")


def _room(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))


def _tenths(observer: Observer, doing: str) -> Callable[[float], None]:
    """Tell an observer of words about each tenth that is done."""
    reached = 0

    def progress(fraction: float) -> None:
        nonlocal reached
        if (tenth := int(fraction * _TENTHS)) > reached:
            reached = tenth
            observer(f"{doing}: {tenth * 100 // _TENTHS} %")

    return progress


@contextmanager
def _disk_faults(what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise LabError(f"{what}: there is no {error.filename}") from None
    except IsADirectoryError:
        raise LabError(f"{what}: it is a folder, and a file is wanted") from None
    except OSError as error:
        raise LabError(f"{what}: {error.strerror or error}") from None
