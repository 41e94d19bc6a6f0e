"""Which images have to travel: compared by id, host by host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from overlaykit.words.facts import Facts
from overlaykit.words.images import KitImage
from overlaykit.words.steps import SendImage, Step


def missing_images(facts: Facts, images: Iterable[KitImage]) -> Iterator[Step]:
    """Every host may run any tier after a failure, so every host gets the images that it lacks."""
    wanted = list(images)
    for host in facts:
        for image in wanted:
            # containerd's ids are of another kind; the reference names the content too
            known_as = image.reference if host.keeps_in_containerd else image.image_id
            if known_as not in host.images:
                yield SendImage(host.name, reference=image.reference, image_id=image.image_id, archive=image.archive)
