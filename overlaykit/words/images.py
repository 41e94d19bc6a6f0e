"""The images that the kit makes for the three tiers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class KitImage:
    """One image: named by its content, compared by its id, kept as an archive that `docker load` takes."""

    tier: str
    reference: str  # overlaykit/backend:3f2a9c1b7d20: the tag is the image id's beginning
    image_id: str  # sha256:…
    archive: str  # path of the archive; empty where this machine has none
    says: str = ""  # what a person should know of it, such as what it stands in for


@dataclass(frozen=True)
class KitImages:
    """The images of a build, by tier: database, backend, frontend."""

    all: tuple[KitImage, ...] = ()

    def __getitem__(self, tier: str) -> KitImage:
        return next(image for image in self.all if image.tier == tier)

    def __iter__(self) -> Iterator[KitImage]:
        return iter(self.all)

    def __bool__(self) -> bool:
        return bool(self.all)
