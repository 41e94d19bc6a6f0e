"""Says a scene: the picture's twin for who cannot see it, and what has changed from one scene to the next.

>>> headline(scene)
'3 hosts, one swarm'
>>> news(before, after)
['node3 joined the swarm as a worker']
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from overlaykit.ui.picture.layout import lines
from overlaykit.ui.picture.scene import Card, Overlay, Scene
from overlaykit.ui.picture.tasks import Chip
from overlaykit.ui.picture.way import Way

_POWER = {"on": "answers again", "off": "is powered off", "starting": "is starting", "silent": "does not answer"}


def headline(scene: Scene) -> str:
    """The scene in half a line."""
    count, inside = len(scene.hosts), len(scene.members)
    hosts = "1 host" if count == 1 else f"{count} hosts"
    if not inside:
        return f"{hosts}, no swarm"
    return f"{hosts}, one swarm" if inside == count else f"{hosts}, {inside} in a swarm"


def in_words(scene: Scene) -> str:
    """All that the picture shows, a sentence a line."""
    said = [f"{headline(scene)}.", *map(_host, scene.hosts)]
    said += [_network(overlay, scene) for overlay in scene.overlays]
    said += _doors(scene)
    said += [_sentence(line) for _, line in lines(scene.with_way(None))]
    if scene.way is not None:
        said.append(way_in_words(scene.way))
    return "\n".join(said)


def way_in_words(way: Way) -> str:
    """Which way a request took."""
    places = "; then ".join(f"{stop.task} on {stop.host}" for stop in way.stops)
    went = f"The last request came in through {way.entered}" + (f"; then {places}" if places else "")
    return _sentence(f"{went}; and no further: {way.error}" if way.error else went)


def _sentence(said: str) -> str:
    return said if said.endswith((".", "?", "!")) else f"{said}."


def news(before: Scene, after: Scene) -> list[str]:
    """What has changed, in sentences; the most telling first."""
    told: list[str] = []
    for card in after.hosts:
        old = before.host(card.name) or Card(card.name)
        told += [*_power_news(old, card), *_member_news(old, card)]
    for overlay in after.overlays:
        told += _network_news(before, after, overlay.name)
    told += [f"network {gone.name} is gone" for gone in before.overlays if gone.name not in _names(after.overlays)]
    for card in after.hosts:
        old = before.host(card.name) or Card(card.name)
        told += _chip_news(old, card)
    return told


def _names(overlays: Sequence[Overlay]) -> list[str]:
    return [overlay.name for overlay in overlays]


def _host(card: Card) -> str:
    what = ", ".join(part for part in (_role(card), _state(card)) if part)
    if not card.chips:
        return f"{card.name}: {what}; runs nothing."
    return f"{card.name}: {what}; {', '.join(map(_chip, card.chips))}."


def _role(card: Card) -> str:
    if card.stranger:
        return "in another swarm"
    return {"": "in no swarm", "leader": "manager and leader of the swarm"}.get(card.role, f"{card.role} of the swarm")


def _state(card: Card) -> str:
    if card.power != "on":
        return _POWER[card.power]
    if not card.seen:
        return "down, says its manager"
    return {"drain": "drained", "pause": "paused"}.get(card.availability, "")


def _chip(chip: Chip) -> str:
    return f"{chip.name} {chip.says or chip.state}" + (f" at {chip.note}" if chip.kind == "container" else "")


def _network(overlay: Overlay, scene: Scene) -> str:
    hosts = [card.name for card in scene.hosts if overlay.name in card.networks]
    kind = "encrypted overlay network" if overlay.encrypted else "overlay network"
    subnet = f" ({overlay.subnet})" if overlay.subnet else ""
    return f"The {kind} {overlay.name}{subnet} is on {_and(hosts)}."


def _doors(scene: Scene) -> Iterator[str]:
    """Each published port once, with the hosts where it answers."""
    doors = dict.fromkeys(door for card in scene.hosts for door in card.doors)
    for door in doors:
        hosts = [card.name for card in scene.hosts if door in card.doors]
        yield f"Port {door.port} of {_and(hosts)} leads to {door.service}."


def _and(names: Sequence[str]) -> str:
    if not names:
        return "no host"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _power_news(old: Card, card: Card) -> Iterator[str]:
    if old.power != card.power:
        yield f"{card.name} {_POWER[card.power]}"


def _member_news(old: Card, card: Card) -> Iterator[str]:
    if card.member and not old.member:
        yield f"{card.name} joined the swarm as a {'manager' if card.role == 'leader' else card.role}"
    elif old.member and not card.member:
        yield f"{card.name} left the swarm"
    elif card.member and card.availability != old.availability:
        state = {"drain": "is drained", "pause": "is paused"}.get(card.availability, "takes tasks again")
        yield f"{card.name} {state}"


def _network_news(before: Scene, after: Scene, name: str) -> Iterator[str]:
    there = [card.name for card in after.hosts if card.power == "on"]
    had = {card.name for card in before.hosts if name in card.networks and card.name in there}
    have = [card.name for card in after.hosts if name in card.networks]
    came, went = [host for host in have if host not in had], sorted(had.difference(have))
    if came:
        yield f"network {name} appeared on {_and(came)}"
    if went:
        yield f"network {name} left {_and(went)}"


def _chip_news(old: Card, card: Card) -> Iterator[str]:
    was = {(chip.name, chip.network): chip.says or chip.state for chip in old.chips}
    for chip in card.chips:
        now = chip.says or chip.state
        if was.pop((chip.name, chip.network), "") != now:
            yield f"{chip.name} {now} on {card.name}"
    if card.power == "on":
        yield from (f"{name} is gone from {card.name}" for name, _ in was)
