"""On hosts that no lab made: what a lesson remarks of them, and the images that it types commands with.

>>> list(remarks(facts))
["node2 is drained, and stays so: docker node update --availability active node2"]
>>> images_to_bring(facts, images)
node1: send image overlaykit/backend
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from overlaykit.lessons.starts import drained
from overlaykit.phases.delivery import missing_images
from overlaykit.words.facts import Facts
from overlaykit.words.images import KitImage
from overlaykit.words.plan import Plan

#: As the lab calls its hosts, and as the lessons' commands do.
NAMES = ("node1", "node2", "node3")


def remarks(facts: Facts) -> Iterator[str]:
    """What is otherwise than on practice hosts, and stays so."""
    for name in drained(facts):
        yield f"{name} is drained, and stays so: docker node update --availability active {name}"
    there = [host.name for host in facts]
    if strange := [name for name in NAMES if name not in there]:
        yield f"the lessons' own commands speak of {', '.join(strange)}, which the inventory does not name"
    for host in facts.reachable:
        if host.name in NAMES and host.hostname != host.name:
            yield (
                f"{host.name} calls itself {host.hostname}, and the lessons' own docker commands speak of {host.name}: "
                f"hostnamectl set-hostname {host.name} there, then restart Docker"
            )


def images_to_bring(facts: Facts, images: Iterable[KitImage]) -> Plan:
    """A practice host has the tiers' images on its disk; another is sent them before a lesson begins."""
    return Plan.of("tiers", list(missing_images(facts, images)))
