"""Inside the hosts: where to listen while a word goes to the backend, and what was heard there. Facts in.

asked = wanted_ears(facts, stack, "open-sesame")
heard(asked, captures, packets, error)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from overlaykit.phases.discovery import probe_image, strangers
from overlaykit.phases.mesh import door_near, publishes_itself
from overlaykit.words.errors import PlanRefused
from overlaykit.words.facts import Facts, SwarmFacts
from overlaykit.words.overheard import Overhear, Overheard, Place, Sighting
from overlaykit.words.stack import Stack
from overlaykit.words.wire import Capture, Packet

_PAST = ("frontend", "backend")


def wanted_ears(facts: Facts, stack: Stack, word: str) -> Overhear:
    """At a published port, the first manager's if it is open, and beside one task of each tier. Raises PlanRefused."""
    swarm = facts.swarm
    if swarm is not None and (theirs := strangers(swarm, stack)):
        raise PlanRefused(f"not this stack's: service {', '.join(theirs)}, so nobody listens there.")
    if swarm is None or not all(swarm.running(tier) for tier in _PAST):
        raise PlanRefused("no word can go through the stack: run `overlaykit up` first. Nothing was sent.")
    door = facts[_door(facts, swarm)]
    port = stack.frontend.published_port
    place = Place(f"at port {port}, as the browser sent it", door.name, port, probe_image(door))
    return Overhear(
        door.name, port, door.node_addr, word, (place, *_beside(facts, swarm, stack, door.name)), labels=stack.labels
    )  # fmt: skip


def _door(facts: Facts, swarm: SwarmFacts) -> str:
    ready = {node.host for node in swarm.nodes if node.state == "ready"}
    names = [host.name for host in facts.reachable if host.name in ready]
    return door_near(swarm, names, swarm.host)


def _beside(facts: Facts, swarm: SwarmFacts, stack: Stack, door: str) -> Iterator[Place]:
    """Where each host has a frontend of its own, the door's is the one that the word passes."""
    own = publishes_itself(swarm.service("frontend"))
    for tier, port in zip(_PAST, (stack.frontend.port, stack.backend.port), strict=True):
        tasks = [task for task in swarm.running(tier) if task.host]
        if own and tier == "frontend":
            tasks = [task for task in tasks if task.host == door]
        task = next(iter(tasks), None)
        if task is None:
            raise PlanRefused(f"it could not be seen on which host {tier} runs. Nothing was sent.")
        network = f"container:{task.container}"
        yield Place(f"beside the {tier}, in its host", task.host, port, probe_image(facts[task.host]), network)


def heard(
    asked: Overhear, captures: Mapping[Place, Capture], packets: Mapping[Place, Iterable[Packet]], error: str
) -> Overheard:
    """The word in a packet, or why that is not known. `error`: why the request itself came to nothing."""
    found = [_sighting(place, captures[place], packets[place], error) for place in asked.places]
    return Overheard(asked.word, tuple(found))


def _sighting(place: Place, capture: Capture, packets: Iterable[Packet], error: str) -> Sighting:
    if any(packet.readable for packet in packets):
        return Sighting(place, "readable")
    why = capture.error or error
    return Sighting(place, "cannot tell", why) if why else Sighting(place, "not seen")
