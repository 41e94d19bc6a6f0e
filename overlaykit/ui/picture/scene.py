"""What is to be seen: from the facts of one look to a scene. Pure; nothing is asked, nothing is drawn.

>>> scene = see(facts, Stack())
>>> scene.hosts[2].name, scene.hosts[2].networks
('node3', ('guestbook',))
>>> scene.hosts[2].chips[0]
Chip(name='database.1', kind='database', state='running')
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from overlaykit.ui.picture.tasks import Chip, chips_of, waiting
from overlaykit.ui.picture.way import Way
from overlaykit.words.facts import Facts, HostFacts, NodeFacts, SwarmFacts
from overlaykit.words.stack import Stack

Power = Literal["on", "off", "starting", "silent"]
INGRESS = "ingress"


@dataclass(frozen=True)
class Door:
    """A port that a service publishes; through the routing mesh it is on every host of the swarm."""

    port: int
    service: str
    mesh: bool = True


@dataclass(frozen=True)
class Card:
    """One host, as it is drawn."""

    name: str
    power: Power = "on"
    role: str = ""  # leader, manager, worker; empty: in no swarm
    stranger: bool = False  # a node of another swarm
    availability: str = "active"  # active, pause, drain
    seen: bool = True  # does the swarm's manager see it?
    networks: tuple[str, ...] = ()  # the overlay networks that are there
    doors: tuple[Door, ...] = ()
    chips: tuple[Chip, ...] = ()

    @property
    def member(self) -> bool:
        """Is it in our swarm?"""
        return bool(self.role) and not self.stranger

    def inside(self, network: str) -> tuple[Chip, ...]:
        """What is attached to one network; for the empty name, what is attached to none that is drawn."""
        return tuple(chip for chip in self.chips if chip.network == network)


@dataclass(frozen=True)
class Overlay:
    """An overlay network."""

    name: str
    subnet: str = ""
    encrypted: bool = False


@dataclass(frozen=True)
class Scene:
    """Everything that a picture shows."""

    stack: str
    hosts: tuple[Card, ...]
    overlays: tuple[Overlay, ...] = ()
    waiting: tuple[Chip, ...] = ()
    blind: bool = False  # hosts are in a swarm, but no manager of it answers
    others: int = 0  # nodes of the swarm that are none of our hosts
    way: Way | None = field(default=None)

    def host(self, name: str) -> Card | None:
        """The card of that host."""
        return next((card for card in self.hosts if card.name == name), None)

    @property
    def members(self) -> tuple[Card, ...]:
        """The hosts in our swarm."""
        return tuple(card for card in self.hosts if card.member)

    def settled(self, way: Way) -> Way:
        """The way by the inventory's names: a container knows its node's hostname, which may be another."""
        homes = {name: card.name for card in self.hosts for chip in card.chips for name in chip.names}
        stops = (stop if self.host(stop.host) else replace(stop, host=homes.get(stop.task, "")) for stop in way.stops)
        return replace(way, stops=tuple(stops))

    def with_way(self, way: Way | None) -> Scene:
        """The scene with the way of a request in it, if all whom it passed are still there."""
        chips = ((card.name, chip) for card in self.hosts for chip in card.chips if chip.state != "lost")
        there = {(host, name) for host, chip in chips for name in chip.names}
        stands = way is not None and all((stop.host, stop.task) in there for stop in way.stops)
        return replace(self, way=way if stands else None)


def see(facts: Facts, stack: Stack, off: Collection[str] = (), starting: Collection[str] = ()) -> Scene:
    """The scene of one look; `off` are the hosts that are known to be powered off, `starting` those that come back."""
    power: dict[str, Power] = {**dict.fromkeys(starting, "starting"), **dict.fromkeys(off, "off")}
    networks = tuple(_overlays(facts, stack))
    names = tuple(overlay.name for overlay in networks)
    return Scene(
        stack.name,
        tuple(_card(host, facts, names, power.get(host.name, "silent")) for host in facts),
        networks,
        waiting(facts),
        blind=facts.swarm is None and any(host.swarm_state == "active" for host in facts),
        others=sum(not node.host and node.state != "down" for node in facts.swarm.nodes) if facts.swarm else 0,
    )


def _card(host: HostFacts, facts: Facts, networks: tuple[str, ...], without_answer: Power) -> Card:
    node = facts.members.get(host.name) or _known(facts.swarm, host.name)
    chips = tuple(chips_of(host, facts, networks))
    there = tuple(name for name in networks if _is_there(name, host, chips))
    return Card(
        host.name,
        without_answer if host.error else "on",
        _role(host, node),
        stranger=facts.swarm is not None and node is None and host.swarm_state == "active",
        availability=node.availability if node else "active",
        seen=node is None or node.state == "ready",
        networks=there,
        doors=tuple(_doors(facts, chips)) if node and not host.error else (),
        chips=chips,
    )


def _known(swarm: SwarmFacts | None, host: str) -> NodeFacts | None:
    """The node of a host that does not answer, by the name that the manager knows it under."""
    nodes = swarm.nodes if swarm else ()
    return next((node for node in nodes if node.host == host), None)


def _role(host: HostFacts, node: NodeFacts | None) -> str:
    if node is not None:
        return "leader" if node.leader else node.role
    if host.swarm_state != "active":
        return ""
    return "manager" if host.is_manager else "worker"


def _overlays(facts: Facts, stack: Stack) -> Iterator[Overlay]:
    """The stack's own first, then the others by name; those that only the hosts know where no manager answers."""
    known = {n.name: n for n in facts.swarm.networks if n.driver == "overlay" and not n.ingress} if facts.swarm else {}
    told = {name for host in facts for name, driver in host.networks.items() if driver == "overlay"}
    found = set(known) | told - {INGRESS}
    for name in sorted(found, key=lambda name: (name != stack.network.name, name)):
        network = known.get(name)
        yield Overlay(name, network.subnet, network.encrypted) if network else Overlay(name)


def _is_there(network: str, host: HostFacts, chips: tuple[Chip, ...]) -> bool:
    """Does the host's engine have the network? Where nothing is known: a manager lists all, a worker those in use."""
    if host.error:
        return False
    if host.networks:
        return network in host.networks
    return host.is_manager or any(chip.network == network for chip in chips)


def _doors(facts: Facts, chips: tuple[Chip, ...]) -> Iterator[Door]:
    for service in facts.swarm.services if facts.swarm else ():
        for port in service.spec.ports:
            mesh = port.mode == INGRESS
            if mesh or any(chip.service == service.spec.name and chip.state == "running" for chip in chips):
                yield Door(port.published, service.spec.name, mesh)
