"""What practice hosts run from that are containers: an image and a volume on the machine's Docker, made once.

    built = build_for_containers(print)
    built.images                    # the tiers' images, as archives in its folder
    read_box(built.path).image      # "overlaykit/host:3f2a9c1b7d20"

The image is that of `images/host`, as hosts with a kernel of their own have it on their disk. The volume holds the
tiers' images as an engine keeps them: each new host copies what is said of them, and links their files, which it reads.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path

import docker
from docker.errors import APIError
from docker.types import Mount

from overlaykit.lab.build import LabBuild, keep_archives
from overlaykit.lab.engine import engine_says, in_a_line, is_found, machine_engine, missing_room
from overlaykit.lab.engine_images import make_host, save_tiers
from overlaykit.lab.rights import Machine, Rights, clear_left, look_at_machine, run_once
from overlaykit.making.buildah import Observer
from overlaykit.making.builder import Builder
from overlaykit.making.hub import docker_hub_answers
from overlaykit.making.lock import held
from overlaykit.making.needs import packages_to_install, require_build_tools, unsuitable_machine
from overlaykit.making.place import placed
from overlaykit.making.recipes import Recipe, combined_key, read_recipes
from overlaykit.making.tier_images import archive_images, cache_folder, cached_images
from overlaykit.words.errors import LabError, LabNotPossible
from overlaykit.words.images import KitImages
from overlaykit.words.stack import TIERS

_FORMAT = "containers 1"
_FOLDER = "containers-"  # of builds
_NOTE = "box.json"
_REPOSITORY = "overlaykit/host"
SEED = "overlaykit-images-"  # the volume's name begins with it
_WHOLE = "-whole"
_DISK = 2 * 10**9  # image and volume, while both are made
_SECONDS_TO_LOAD = 300


@dataclass(frozen=True)
class Box:
    """What a container is made from."""

    image: str
    seed: str
    rights: Rights

    @property
    def whole(self) -> str:
        """An empty volume, by whose being there others know that the seed is whole."""
        return f"{self.seed}{_WHOLE}"


def build_for_containers(observer: Observer) -> LabBuild:
    """The build of what the recipes say now, made if it was not; what the machine's kernel lacks is said each time."""
    cache, recipes = cache_folder(), read_recipes()
    with (
        machine_engine() as engine,
        held(cache, lambda: observer("another build is running, waiting for it")),
        engine_says("what practice hosts run from cannot be made on this machine's Docker"),
    ):
        key = combined_key(list(recipes.values()), _FORMAT)
        place, image = cache / "builds" / f"{_FOLDER}{key}", f"{_REPOSITORY}:{key}"
        clear_left(engine)
        _make(engine, place, image, recipes, observer)
        box = _machine_said(engine, place, image, f"{SEED}{key}", observer)
        built = LabBuild(place)
        _fill_seed(engine, box, built.images, observer)
    return built


def say_what_is_missing(build: Path, observer: Observer) -> None:
    """What the machine's kernel lacks, to whoever starts hosts that were made before."""
    box = read_box(build)
    with machine_engine() as engine, engine_says("this machine's kernel cannot be looked at"):
        if not has_image(engine, box.image):
            return  # it is said of the host that cannot be made
        if (machine := _known(build, _who(engine))) is not None:
            _say(machine, observer)
            return
        # What looks is a container, which a build would clear away.
        with held(cache_folder(), lambda: observer("another build is running, waiting for it")):
            _machine_said(engine, build, box.image, box.seed, observer)


def _machine_said(engine: docker.APIClient, place: Path, image: str, seed: str, observer: Observer) -> Box:
    """What hosts are made from on this machine; says what its kernel lacks, and keeps what was found out."""
    who = _who(engine)
    machine = _known(place, who)
    if machine is None:
        machine = look_at_machine(engine, image)
        _note(place, Box(image, seed, machine.rights), machine, who)
    _say(machine, observer)
    return Box(image, seed, machine.rights)


def _say(machine: Machine, observer: Observer) -> None:
    for sentence in machine.sentences():
        observer(sentence)


def read_box(build: Path) -> Box:
    """What a lab's containers are made from."""
    saved = json.loads((build / _NOTE).read_text())
    return Box(saved["image"], saved["seed"], saved["rights"])


def remove_from_engine(observer: Observer) -> None:
    """Remove images and volumes of every build for containers that this cache knows of: others may use the engine."""
    keys = [place.name.removeprefix(_FOLDER) for place in (cache_folder() / "builds").glob(f"{_FOLDER}*")]
    if not keys:
        return
    try:
        engine = machine_engine()
    except LabNotPossible as reason:
        observer(f"whether this machine's Docker holds what practice hosts ran from could not be seen: {reason}")
        return
    with engine, engine_says("what practice hosts ran from cannot be removed from this machine's Docker"):
        clear_left(engine)
        names = [*(f"{_REPOSITORY}:{key}" for key in keys), *(recipe.tag for recipe in read_recipes().values())]
        images = tags_of(engine, names)
        volumes = [
            name for key in keys for name in (f"{SEED}{key}{_WHOLE}", f"{SEED}{key}") if has_volume(engine, name)
        ]
        stay = [name for name in images if not _gone(partial(engine.remove_image, name))]
        stay += [name for name in volumes if not _removed(engine, name)]
        for name in stay:
            observer(f"{name} is in use on this machine's Docker, and stays")


def tags_of(engine: docker.APIClient, names: Iterable[str]) -> set[str]:
    """All names of ours that those images have, by which alone they go: somebody else's, such as `mongo:7`, stay."""
    found = [one["Id"] for name in names for one in engine.images(name=name)]
    tags = {tag for one in found for tag in engine.inspect_image(one)["RepoTags"]}
    return {tag for tag in tags if tag.removeprefix("localhost/").startswith("overlaykit/")}


def has_volume(engine: docker.APIClient, name: str) -> bool:
    """Is there a volume of that name?"""
    return is_found(partial(engine.inspect_volume, name))


def has_image(engine: docker.APIClient, name: str) -> bool:
    """Is there an image of that name?"""
    return is_found(partial(engine.inspect_image, name))


def _make(engine: docker.APIClient, place: Path, image: str, recipes: dict[str, Recipe], observer: Observer) -> None:
    """The folder with the tiers' archives, and the host's image on the engine: what of it is not there."""
    made = has_image(engine, image)
    if place.exists() and made:
        return
    if full := missing_room(engine, _DISK):
        raise LabNotPossible(full)
    if _must_be_made_by_docker():
        if not made:
            make_host(engine, recipes, image, observer)
        if not place.exists():
            with placed(place) as draft:
                keep_archives(draft, save_tiers(engine, recipes, draft, observer))
        return
    cache = cache_folder()
    if not made or len(cached_images().all) < len(TIERS):
        require_build_tools(cache)
    with Builder(cache, recipes, observer) as builder:
        if not place.exists():
            with placed(place) as draft:
                keep_archives(draft, archive_images(cache, builder))
        if not made:
            _load_host(engine, builder, image)


def _must_be_made_by_docker() -> bool:
    """Where images cannot be made without an engine, and Docker Hub has Debian for one that makes them."""
    if unsuitable_machine() is not None:
        return True
    return bool(packages_to_install(as_root=os.geteuid() == 0)) and docker_hub_answers()


def _load_host(engine: docker.APIClient, builder: Builder, image: str) -> None:
    tag = builder.wait("host")
    builder.observer("host: bringing the image to this machine's Docker")
    with tempfile.TemporaryDirectory(dir=cache_folder()) as scratch:
        archive = Path(scratch, "host.tar")
        builder.buildah.archive(builder.buildah.image_id(tag), archive, image)
        with archive.open("rb") as file, engine_says("the practice hosts' image cannot be loaded"):
            errors = [told["error"] for told in engine.load_image(file) if "error" in told]  # heard to the end
        if errors:
            raise LabError(f"the practice hosts' image cannot be loaded: {in_a_line(errors[0])}")


def _fill_seed(engine: docker.APIClient, box: Box, images: KitImages, observer: Observer) -> None:
    """Whole or not at all. Others may use the engine too, so an empty volume on it says that this one is whole."""
    if has_volume(engine, box.seed) and has_volume(engine, box.whole):
        return
    if has_volume(engine, box.seed) and not _removed(engine, box.seed):  # what a kill has left
        raise LabError(
            f"the volume {box.seed} is not whole, and in use: by another build, or by hosts of an earlier overlaykit. "
            "Try again when that build has ended; such hosts go with `overlaykit lab down`"
        )
    observer("images: loading the tiers' images, on a practice host of its own")
    said = ""
    try:
        with engine_says("the tiers' images cannot be loaded"):
            engine.create_volume(box.seed)
            said = run_once(
                engine, box.image, "load", box.rights, mounts=[Mount("/var/lib/docker", box.seed)],
                files={f"{image.tier}.tar": Path(image.archive) for image in images}, seconds=_SECONDS_TO_LOAD,
            )  # fmt: skip
        if "lab-init: images loaded" not in said:
            last = "\n".join(f"    {line}" for line in said.splitlines()[-12:])
            raise LabError(f"the tiers' images could not be loaded on this machine's Docker; it ended with:\n{last}")
        engine.create_volume(box.whole)
    except BaseException:
        if has_volume(engine, box.seed):
            engine.remove_volume(box.seed, force=True)
        raise


def _removed(engine: docker.APIClient, volume: str) -> bool:
    return _gone(lambda: engine.remove_volume(volume))


def _gone(remove: Callable[[], object]) -> bool:
    """False where something uses it."""
    try:
        remove()
    except APIError as error:
        if error.status_code == HTTPStatus.CONFLICT:
            return False
        raise
    return True


def _known(place: Path, who: str) -> Machine | None:
    """What was found out before, by the same engine on the same kernel: looking takes a second."""
    try:
        saved = json.loads((place / _NOTE).read_text())
    except FileNotFoundError:
        return None
    if saved.get("who") != who:
        return None
    return Machine(saved["rights"], saved["kernel"], tuple(saved["lacks"]))


def _who(engine: docker.APIClient) -> str:
    told = engine.info()
    modules = Path("/lib/modules", told["KernelVersion"], "modules.dep")  # written anew when some are installed
    since = f" {modules.stat().st_mtime_ns}" if modules.exists() else ""
    return f"{told['ID']} on {told['KernelVersion']}{since}"


def _note(place: Path, box: Box, machine: Machine, who: str) -> None:
    draft = place / f"{_NOTE}.part"
    known = {**asdict(box), "kernel": machine.kernel, "lacks": machine.lacks, "who": who}
    draft.write_text(json.dumps(known, indent=1))
    draft.replace(place / _NOTE)
