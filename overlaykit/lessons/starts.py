"""The state in which each lesson begins, and what stands in its way. Facts in, steps out; nothing is touched.

>>> start_of("03")
'swarm'
>>> in_the_way(facts, stack, "swarm")
node2: remove container web
>>> beyond_repair(facts, stack, "swarm", images)
('node3 does not answer',)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Literal

from overlaykit.phases.delivery import missing_images
from overlaykit.phases.network import TASK_LABEL
from overlaykit.words.allowed import GOSSIP_PORT
from overlaykit.words.errors import InputError
from overlaykit.words.facts import Facts, HostFacts, SwarmFacts
from overlaykit.words.images import KitImages
from overlaykit.words.plan import Plan
from overlaykit.words.stack import TIERS, Stack
from overlaykit.words.steps import (
    HOST_LABEL,
    ClaimSwarm,
    ForgetNode,
    Remove,
    RemoveNetwork,
    RestoreNode,
    Step,
    is_kits,
)

Start = Literal["any", "bare", "swarm", "network", "tiers", "apart"]

#: What is there before a lesson's first step. Each holds all that stands left of it; the last, each tier on a host of
#: its own, which takes some seconds where they had moved together.
ORDER: tuple[Start, ...] = ("any", "bare", "swarm", "network", "tiers", "apart")
STARTS: Mapping[str, Start] = {
    "00": "apart",
    "01": "bare",
    "02": "bare",
    "03": "swarm",
    "04": "network",
    "05": "tiers",
    "06": "apart",
    "07": "tiers",
    "08": "tiers",
    "09": "tiers",
    "10": "bare",
    "11": "bare",
    "99": "any",
}
#: What a lesson makes by hand, and removes by its name. On hosts of others, a thing of such a name may be anybody's.
BY_HAND: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "00": {"container": ("hello",)},
    "01": {"container": ("web", "visitor", "door", "second", "front", "back"), "network": ("shop", "pair")},
    "03": {"container": ("keeper",), "service": ("visitor",), "network": ("vault",)},
    "04": {"service": ("broken",)},
    "05": {"service": ("crowd",)},
    "06": {"network": ("narrow",)},
    "11": {"container": ("visitor",)},
    "99": {"network": ("forgotten",), "volume": ("forgotten",)},
}
_NAMELESS = "com.docker.volume.anonymous"


def start_of(lesson: str) -> Start:
    """The start of a lesson, by its number."""
    if lesson not in STARTS:
        raise InputError(f"there is no lesson {lesson!r}; there are: {', '.join(STARTS)}")
    return STARTS[lesson]


def has(start: Start, part: Start) -> bool:
    """Is that part there at this start?"""
    return ORDER.index(start) >= ORDER.index(part)


def phases_until(start: Start) -> str:
    """The last phase of those that lead to it."""
    return "tiers" if has(start, "tiers") else start


def names_taken(facts: Facts, lesson: str) -> Iterator[str]:
    """What stands in the way of a lesson where nobody else's things may be removed for their names."""
    for kind, names in BY_HAND.get(lesson, {}).items():
        for name in names:
            if places := ", ".join(_places(facts, kind, name)):
                yield (
                    f"{places} has a {kind} {name!r}, a name that this lesson uses: remove it if an earlier run of the "
                    f"lesson left it (docker {kind} rm {name})"
                )


def _places(facts: Facts, kind: str, name: str) -> Iterator[str]:
    """The hosts that have it, and the swarm."""
    swarm = facts.swarm
    if swarm and kind == "service" and swarm.service(name):
        yield "the swarm"
    if swarm and kind == "network" and any(network.name == name for network in swarm.networks):
        yield "the swarm"
    for host in facts:
        there = {"container": host.containers, "network": host.networks, "volume": host.volumes}.get(kind, {})
        if name in there and not (kind == "network" and host.networks[name] == "overlay"):
            yield host.name


def beyond_repair(facts: Facts, stack: Stack, start: Start, images: KitImages) -> tuple[str, ...]:
    """Why practice hosts are better given fresh disks than put right. `images` are those that a fresh disk has."""
    lacking = dict.fromkeys(step.host for step in missing_images(facts, images) if not facts[step.host].error)
    return (*_beyond_repair(facts, stack, start), *(f"{name} lacks an image that it came with" for name in lacking))


def on_the_disks(facts: Facts, stack: Stack) -> tuple[str, ...]:
    """What fresh disks take along, by name: `service backend`, `volume guestbook-data`."""
    plan = in_the_way(facts, stack, "bare")
    removed = [step for step in plan if isinstance(step, Remove | RemoveNetwork)]
    return tuple(dict.fromkeys(step.title.removeprefix("remove ") for step in removed))


def drained(facts: Facts) -> tuple[str, ...]:
    """The hosts that take no tasks."""
    return tuple(name for name, node in facts.members.items() if node.availability != "active")


def in_the_way(facts: Facts, stack: Stack, start: Start, *, kits_only: bool = False) -> Plan:
    """What has to go before the start can be made; with `kits_only`, nothing that others made, and no data."""
    swarm = facts.swarm
    services: list[Step] = []
    objects: list[Step] = []
    nodes: list[Step] = []
    if swarm is not None:
        unwanted = _services(swarm, stack, start, spread=not kits_only)
        services = [Remove(swarm.host, kind="service", name=name) for name in unwanted]
        objects = list(_swarm_objects(swarm, stack, start))
        nodes = list(_nodes(facts, swarm, stack))
    containers, networks, volumes = _on_hosts(facts, stack, start)
    groups = [nodes, services, containers, [*objects, *networks], volumes]
    if kits_only:
        groups = [[], *([step for step in group if _is_own(step, facts, stack)] for group in groups[1:4]), []]
    return Plan.of("down", *groups)


def _beyond_repair(facts: Facts, stack: Stack, start: Start) -> Iterator[str]:
    swarm = facts.swarm
    yield from (f"{host.name} does not answer" for host in facts if host.error)
    inside = [host for host in facts.reachable if host.swarm_state != "inactive"]
    if start == "bare" and inside:
        yield f"{_names(inside)} in a swarm"
    elif swarm is None and inside:
        yield f"{_names(inside)} in a swarm whose managers do not answer"
    elif swarm is not None:
        known = {node.id for node in swarm.nodes}
        yield from (
            f"{host.name} is in another swarm, or stuck on its way into one"
            for host in inside
            if host.swarm_state != "active" or host.node_id not in known
        )
        if swarm.data_path_port != stack.swarm.data_path_port:
            yield "the swarm's traffic runs on another port"
    yield from (f"{host.name} keeps the port of a swarm that it left" for host in facts.reachable if _holds_port(host))


def _holds_port(host: HostFacts) -> bool:
    return host.swarm_state == "inactive" and any(one.port == GOSSIP_PORT for one in host.listeners or ())


def _services(swarm: SwarmFacts, stack: Stack, start: Start, *, spread: bool) -> Iterator[str]:
    """Services that are not this start's; with `spread`, tiers that have moved together where they are to be apart."""
    kits = {s.spec.name for s in swarm.services if s.spec.name in TIERS and is_kits(s.spec.labels, stack.name)}
    wanted = kits if has(start, "tiers") else set()
    together = set(_crowding(swarm)) if spread and has(start, "apart") and len(wanted) == len(TIERS) else set()
    yield from (s.spec.name for s in swarm.services if s.spec.name not in wanted - together)


def _crowding(swarm: SwarmFacts) -> Iterator[str]:
    """Tiers to be made anew where no three tasks, one of each, run on three hosts, or on as many as there are.

    Swarm puts a new task on the host that has fewest. The database stays with its data.
    """
    database, backend, frontend = ({task.host for task in swarm.running(tier)} for tier in TIERS)
    apart = max((len(set(hosts)) for hosts in product(database, backend, frontend)), default=0)
    if apart >= min(len(swarm.nodes), len(TIERS)):
        return
    if frontend <= database:
        yield "frontend"
    if backend <= database or not frontend <= database:
        yield "backend"


def _swarm_objects(swarm: SwarmFacts, stack: Stack, start: Start) -> Iterator[Step]:
    """Networks, secrets and configs that are not this start's."""
    for network in swarm.networks:
        ours = network.name == stack.network.name and is_kits(network.labels, stack.name)
        if not network.ingress and not (ours and has(start, "network")):
            yield RemoveNetwork(swarm.host, name=network.name)
    keep = has(start, "tiers")
    for name, labels in swarm.secrets.items():
        if not (keep and is_kits(labels, stack.name)):
            yield Remove(swarm.host, kind="secret", name=name)
    for name, labels in swarm.configs.items():
        if not (keep and is_kits(labels, stack.name)):
            yield Remove(swarm.host, kind="config", name=name)


def _nodes(facts: Facts, swarm: SwarmFacts, stack: Stack) -> Iterator[Step]:
    """Nodes that are no more, nodes that were drained or labelled by hand, and a swarm that was formed by hand."""
    if not is_kits(swarm.labels, stack.name):
        yield ClaimSwarm(swarm.host, labels=stack.labels)
    members = facts.members
    present = {node.id for node in members.values()}
    yield from (ForgetNode(swarm.host, node=n.id, role=n.role) for n in swarm.nodes if n.id not in present)
    for name, node in members.items():
        strange = tuple(key for key in node.labels if key != HOST_LABEL)
        if node.availability != "active" or strange:
            yield RestoreNode(swarm.host, node=name, labels=strange)


def _on_hosts(facts: Facts, stack: Stack, start: Start) -> tuple[list[Step], list[Step], list[Step]]:
    """Containers that are no task, networks of one host, and volumes that are not this start's."""
    containers: list[Step] = []
    networks: list[Step] = []
    volumes: list[Step] = []
    for host in facts.reachable:
        containers += [Remove(host.name, kind="container", name=n) for n in _containers(host)]
        networks += [RemoveNetwork(host.name, name=n) for n, driver in host.networks.items() if driver != "overlay"]
        volumes += [Remove(host.name, kind="volume", name=n) for n in _volumes(facts, host, stack, start)]
    return containers, networks, volumes


def _containers(host: HostFacts) -> Iterator[str]:
    yield from (name for name, labels in host.containers.items() if TASK_LABEL not in labels)


def _volumes(facts: Facts, host: HostFacts, stack: Stack, start: Start) -> Iterator[str]:
    for name, labels in host.volumes.items():
        kept = has(start, "tiers") and name == stack.database.volume and _keeps_data(facts, host, stack)
        if not kept and _NAMELESS not in labels:
            yield name


def _keeps_data(facts: Facts, host: HostFacts, stack: Stack) -> bool:
    return host.name == (stack.database.host or facts.hosts[-1].name)


def _is_own(step: Step, facts: Facts, stack: Stack) -> bool:
    """Did the kit make what this step removes, by its label?"""
    swarm = facts.swarm
    if isinstance(step, RemoveNetwork) and swarm:
        return any(n.name == step.name and is_kits(n.labels, stack.name) for n in swarm.networks)
    if not isinstance(step, Remove):
        return False
    labels: Mapping[str, str] = {}
    if step.kind == "container":
        labels = facts[step.host].containers.get(step.name, {})
    elif swarm and step.kind == "service":
        labels = next((s.spec.labels for s in swarm.services if s.spec.name == step.name), {})
    elif swarm:
        labels = (swarm.secrets if step.kind == "secret" else swarm.configs).get(step.name, {})
    return is_kits(labels, stack.name)


def _names(hosts: list[HostFacts]) -> str:
    names = [host.name for host in hosts]
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"
