"""Lesson 11: a shop of one's own, from bare hosts, judged by six goals.

    >>> turn("11", hosts)
    PASS: one swarm holds every host, and node1 is its manager
    NOT YET: …
    Hint: …
    …

Each goal is judged by itself; one that nothing has been done for yet says what it begins with.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaykit.kit import Hosts
from overlaykit.lessons.turns.services import admitted
from overlaykit.lessons.turns.settled import settled
from overlaykit.lessons.turns.shop import DOOR, NETWORK, PORT, STOCK, SUBNET, VISITOR, price_at_door, price_from_inside
from overlaykit.lessons.verdict import Verdict
from overlaykit.phases.mesh import hosts_without_ipvs
from overlaykit.words.facts import Facts, NetworkFacts, ServiceFacts, SwarmFacts
from overlaykit.words.stack import Stack

NO_SWARM = "there is no swarm yet, and all else needs one"
REPLICAS = 2


def check(hosts: Hosts, stack: Stack) -> Verdict:
    """Six verdicts in one."""
    settled(hosts, STOCK)
    facts = settled(hosts, DOOR)
    first, second, third = (host.name for host in hosts.inventory.hosts[:3])
    inner = f"{VISITOR}, a plain container on {third}, gets a price from http://{STOCK}:8000/api/price"
    goals = {
        f"one swarm holds every host, and {first} is its manager": _swarm(facts, first),
        f"an overlay network {NETWORK} with the subnet {SUBNET}, open to plain containers": _network(facts.swarm),
        f"{STOCK} runs {REPLICAS} tasks on {NETWORK}, and publishes no port": _stock(facts.swarm),
        inner: _visitor(hosts, facts, third),
        f"port {PORT} answers on every host with a price, and is the only one published": _door(hosts, facts),
        f"{DOOR} runs on {second} alone, because a constraint says so": _pinned(facts, second),
    }
    return Verdict.of("six goals", [Verdict(goal, not hint, hint) for goal, hint in goals.items()])


def _swarm(facts: Facts, first: str) -> str:
    if facts.swarm is None:
        return f"no host is a manager yet: `docker swarm init` on {first}"
    if outside := [host.name for host in facts if host.name not in facts.members]:
        return (
            f"{', '.join(outside)} not in it yet: `docker swarm join-token worker` on {first} says what to type there"
        )
    away = [name for name, node in facts.members.items() if node.state != "ready"]
    managers = [name for name, node in facts.members.items() if node.role == "manager"]
    if away:
        return f"the manager does not call {', '.join(away)} ready"
    return "" if managers == [first] else f"the managers are {', '.join(managers)}"


def _network(swarm: SwarmFacts | None) -> str:
    if swarm is None:
        return NO_SWARM
    network = swarm.network(NETWORK)
    if network is None:
        return f"the manager has no overlay network {NETWORK}: `docker network create --driver overlay …`"
    return next(_wrong(network), "")


def _wrong(network: NetworkFacts) -> Iterator[str]:
    if network.subnet != SUBNET:
        yield f"its subnet is {network.subnet}: it cannot be changed, so remove the network and make it again"
    if not network.attachable:
        yield "only services may join it: there is an option of `docker network create` that lets plain containers in"


def _service(swarm: SwarmFacts | None, name: str) -> ServiceFacts | str:
    """The service, or the hint that says why it is not there."""
    if swarm is None:
        return NO_SWARM
    return swarm.service(name) or f"there is no service {name} yet: `docker service create --name {name} …`"


def _stock(swarm: SwarmFacts | None) -> str:
    service = _service(swarm, STOCK)
    if isinstance(service, str) or swarm is None:
        return str(service)
    if NETWORK not in service.spec.networks:
        return f"{STOCK} is not on {NETWORK}: `--network {NETWORK}`"
    if service.spec.ports:
        return f"{STOCK} publishes port {service.spec.ports[0].published}: only {DOOR} is for the public"
    if service.spec.replicas != REPLICAS:
        return f"{STOCK} is to have {REPLICAS} tasks, and has {service.spec.replicas}"
    running = len(swarm.running(STOCK))
    return "" if running == REPLICAS else f"{running} of {REPLICAS} tasks run: `docker service ps {STOCK}` tells why"


def _visitor(hosts: Hosts, facts: Facts, third: str) -> str:
    if VISITOR not in facts[third].containers:
        return f"there is no container {VISITOR} on {third} yet: `docker run --detach --name {VISITOR} …` there"
    service = facts.swarm.service(STOCK) if facts.swarm else None
    if service and service.spec.endpoint_mode == "vip" and third in hosts_without_ipvs(facts):
        return (
            f"`{STOCK}` leads to a virtual IP, and that leads nowhere: the kernel of {third} has no IPVS. Another "
            "endpoint mode is chosen at the service's creation"
        )
    return price_from_inside(hosts, third)


def _door(hosts: Hosts, facts: Facts) -> str:
    service = _service(facts.swarm, DOOR)
    if isinstance(service, str) or facts.swarm is None:
        return str(service)
    ports = [(s.spec.name, port.published) for s in facts.swarm.services for port in s.spec.ports]
    if not service.spec.ports:
        return f"{DOOR} publishes nothing yet: `--publish {PORT}:80`"
    if strays := [f"{name} publishes {port}" for name, port in ports if (name, port) != (DOOR, PORT)]:
        return f"{strays[0]}: only {PORT} of {DOOR} is wanted"
    if without := hosts_without_ipvs(facts):
        return f"not available here: one door at every host. The kernel of {', '.join(without)} has no IPVS"
    return next(filter(None, (price_at_door(hosts[host.name], host.node_addr) for host in facts)), "")


def _pinned(facts: Facts, second: str) -> str:
    service = _service(facts.swarm, DOOR)
    if isinstance(service, str) or facts.swarm is None:
        return str(service)
    where = sorted({task.host for task in facts.swarm.running(DOOR)})
    if not service.spec.constraints:
        return f"no constraint ties {DOOR} to a host, so it may run anywhere: `--constraint node.hostname==…`"
    elsewhere = admitted(service.spec.constraints, facts.swarm) - {second}
    if elsewhere:
        return f"{' and '.join(service.spec.constraints)} lets {DOOR} run on {', '.join(sorted(elsewhere))} too"
    return "" if where == [second] else f"{DOOR} runs on {', '.join(where) or 'no host'}"
