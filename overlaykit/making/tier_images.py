"""The three tiers' images as archives on this machine, for hosts that no lab made.

    images = cached_images()
    images["backend"].reference         # overlaykit/backend:3f2a9c1b7d20
    images["backend"].archive           # what `docker load` takes

Built once for what the recipes say, kept in the cache.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

from platformdirs import user_cache_path

from overlaykit.making.builder import Builder
from overlaykit.making.place import placed
from overlaykit.making.recipes import Recipe, read_recipes
from overlaykit.words.images import KitImage, KitImages
from overlaykit.words.stack import TIERS

_NOTE = "image.json"
_ARCHIVE = "image.tar"


def cache_folder() -> Path:
    """Where everything lies that is built once."""
    return user_cache_path("overlaykit")


def cached_images() -> KitImages:
    """Those of the tiers' images that are in the cache: all three, once they were built."""
    cache, recipes = cache_folder(), read_recipes()
    return KitImages(tuple(image for name in TIERS if (image := _read(cache, recipes[name]))))


def archive_images(cache: Path, builder: Builder) -> KitImages:
    """The tiers' images from a build that is under way."""
    return KitImages(tuple(_archived(cache, builder, name) for name in TIERS))


def keep_images(images: KitImages) -> None:
    """Have the images of a build that came from elsewhere in the cache, for hosts that no lab made."""
    cache, recipes = cache_folder(), read_recipes()
    for image in images:
        if _read(cache, recipes[image.tier]) is None:
            with placed(_place(cache, recipes[image.tier])) as draft:
                try:
                    os.link(image.archive, draft / _ARCHIVE)  # the same file as in the build: no room of its own
                except OSError:  # not every file system has links
                    shutil.copyfile(image.archive, draft / _ARCHIVE)
                _note(draft, image)


def _archived(cache: Path, builder: Builder, name: str) -> KitImage:
    recipe = builder.recipes[name]
    if image := _read(cache, recipe):
        return image
    tag = builder.wait(name)
    image_id = builder.buildah.image_id(tag)
    reference = f"overlaykit/{name}:{image_id.removeprefix('sha256:')[:12]}"
    place = _place(cache, recipe)
    image = KitImage(name, reference, image_id, archive=_ARCHIVE, says=builder.buildah.description(tag))
    with placed(place) as draft:
        builder.buildah.archive(image_id, draft / _ARCHIVE, reference)
        _note(draft, image)
    return replace(image, archive=str(place / _ARCHIVE))


def _note(folder: Path, image: KitImage) -> None:
    (folder / _NOTE).write_text(json.dumps(asdict(replace(image, archive=_ARCHIVE)), indent=1))


def _read(cache: Path, recipe: Recipe) -> KitImage | None:
    place = _place(cache, recipe)
    if not place.exists():
        return None
    return replace(KitImage(**json.loads((place / _NOTE).read_text())), archive=str(place / _ARCHIVE))


def _place(cache: Path, recipe: Recipe) -> Path:
    return cache / "images" / f"{recipe.name}-{recipe.key}"
