"""Images made by the machine's Docker, where they cannot be made without one: on Macs, on arm64, without buildah.

    make_host(engine, recipes, "overlaykit/host:3f2a9c1b7d20", print)
    images = save_tiers(engine, recipes, folder, print)

The recipes are those of `images/`, but two: Debian comes from Docker Hub, and in the kernel's place is an empty folder,
since containers share the machine's.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError

from overlaykit.lab.engine import engine_says, in_a_line, is_full
from overlaykit.making.buildah import Observer
from overlaykit.making.recipes import Recipe
from overlaykit.words.errors import LabError
from overlaykit.words.images import KitImage, KitImages
from overlaykit.words.stack import TIERS

Json = dict[str, Any]
Recipes = dict[str, Recipe]

DEBIAN = "debian:trixie-slim"
# Docker Hub's Debian lists its sources in the newer form, to which the host's recipe adds no `deb-src` line by itself.
BASE = f"""\
FROM {DEBIAN}
COPY lean-apt.conf /etc/apt/apt.conf.d/
RUN find /etc/apt -name '*.sources' -exec sed -i 's/^Types: deb$/Types: deb deb-src/' {{}} + \\
 && apt-get update -qq && apt-get install -qq ca-certificates
"""
# The host's recipe takes modules out of it, so it must have the folders.
_NO_KERNEL = f"""\
FROM {DEBIAN} AS folders
RUN mkdir -p /modules/0.0.0/kernel/fs /modules/0.0.0/kernel/drivers /modules/0.0.0/kernel/net
FROM scratch
COPY --from=folders /modules /modules
"""


def make_host(engine: docker.APIClient, recipes: Recipes, image: str, observer: Observer) -> None:
    """Make the practice hosts' image on the engine."""
    _ground(engine, recipes, observer)
    _build(engine, recipes["kernel"], observer, instead=_NO_KERNEL)
    _build(engine, recipes["host"], observer, tag=image)


def save_tiers(engine: docker.APIClient, recipes: Recipes, folder: Path, observer: Observer) -> KitImages:
    """Make the tiers' images, and keep them as archives in a folder."""
    _ground(engine, recipes, observer)
    return KitImages(tuple(_save(engine, recipes[tier], folder, observer) for tier in TIERS))


def image_id(archive: Path) -> str:
    """The id that an engine's own store gives an image: that of its configuration, which the archive names."""
    with tarfile.open(archive) as content:
        file = content.extractfile("manifest.json")
        assert file is not None
        config: str = json.load(file)[0]["Config"]
    return f"sha256:{config.rpartition('/')[2].removesuffix('.json')}"


def _ground(engine: docker.APIClient, recipes: Recipes, observer: Observer) -> None:
    _build(engine, recipes["base"], observer, instead=BASE)


def _save(engine: docker.APIClient, recipe: Recipe, folder: Path, observer: Observer) -> KitImage:
    """Known by its id, as everywhere: an engine may have another id for it, so it is taken from what was saved."""
    made = recipe.tag
    if not (recipe.well_known and _pull(engine, recipe.well_known, made, observer)):
        _build(engine, recipe, observer)
    archive = folder / f"{recipe.name}.tar"
    _write(engine, made, archive)
    found = image_id(archive)
    reference = f"overlaykit/{recipe.name}:{found.removeprefix('sha256:')[:12]}"
    with engine_says(f"the image of {recipe.name} cannot be saved"):
        _name(engine, made, reference)
        labels = engine.inspect_image(made)["Config"].get("Labels") or {}
    try:
        _write(engine, reference, archive)
    finally:
        with engine_says(f"the image of {recipe.name} cannot be let go"):
            engine.remove_image(reference)  # its name alone: what it was made as stays, to be built on
    says = labels.get("org.opencontainers.image.description", "")
    return KitImage(recipe.name, reference, found, str(archive), says)


def _write(engine: docker.APIClient, image: str, archive: Path) -> None:
    with engine_says(f"the image {image} cannot be saved"), archive.open("wb") as file:
        for chunk in engine.get_image(image):
            file.write(chunk)


def _pull(engine: docker.APIClient, well_known: str, tag: str, observer: Observer) -> bool:
    """Fetch the image that takes the recipe's place; False where nobody has it for us."""
    observer(f"fetching {well_known}")
    try:
        repository, _, version = well_known.partition(":")
        said = list(engine.pull(repository, version, stream=True, decode=True))
        why = next((in_a_line(told["error"]) for told in said if told.get("error")), "")  # amid layers it is told so
        if not why:
            _name(engine, well_known, tag)
            return True
    except APIError as error:
        why = str(error.explanation or error)
    if is_full(why):
        raise LabError(f"{well_known} cannot be fetched ({why}): make room (docker system df shows what takes it)")
    observer(f"{well_known} cannot be fetched ({why}): the kit's own takes its place")
    return False


def _build(engine: docker.APIClient, recipe: Recipe, observer: Observer, *, instead: str = "", tag: str = "") -> None:
    observer(f"{recipe.name}: building, by this machine's Docker")
    with engine_says(f"{recipe.name} cannot be built"):
        said = engine.build(
            fileobj=_context(recipe.folder, instead), custom_context=True, tag=tag or recipe.tag,
            network_mode="host", rm=True, forcerm=True, decode=True,
        )  # fmt: skip
        _follow(recipe.name, said)
        _name(engine, tag or recipe.tag, f"{recipe.repository}:latest")  # others stand on it by this name


def _name(engine: docker.APIClient, image: str, reference: str) -> None:
    repository, _, version = reference.rpartition(":")
    engine.tag(image, repository, version)


def _follow(name: str, said: Iterable[Json]) -> None:
    lines: list[str] = []
    errors: list[str] = []
    for told in said:  # to the end, so that the connection is free again
        lines += str(told.get("stream", "")).splitlines()
        errors += [told["error"]] if told.get("error") else []
    if errors:
        last = "\n".join(f"    {line}" for line in lines[-8:])
        why = in_a_line(errors[0])
        raise LabError(f"building {name} by this machine's Docker failed ({why}); it ends with:\n{last}")


def _context(folder: Path, instead: str) -> io.BytesIO:
    """What is sent to be built from: the recipe's folder, with another Dockerfile where there is one."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(folder.iterdir()):
            if path.name != "__pycache__" and not (instead and path.name == "Dockerfile"):
                archive.add(path, path.name)
        if instead:
            entry = tarfile.TarInfo("Dockerfile")
            entry.size = len(instead.encode())
            archive.addfile(entry, io.BytesIO(instead.encode()))
    buffer.seek(0)
    return buffer
