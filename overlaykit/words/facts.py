"""What is: the facts that the hosts answered, as far as the kit plans and proves with them.

Facts are plain data. They are saved as JSON and read back, so that a situation seen once in the
field becomes a test case (`tests/unit/cases/`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from overlaykit.words.service import ServiceSpec


@dataclass(frozen=True)
class Listener:
    """Something that listens on a TCP port of a host: `address` as the kernel shows it."""

    port: int
    address: str = ""
    process: str = ""  # empty where the login may not see it


@dataclass(frozen=True)
class HostFacts:
    """One host. `error` is the sentence that says why nothing else is known."""

    name: str
    error: str | None = None
    hostname: str = ""
    kernel: str = ""
    engine: str = ""  # version of the Docker Engine
    cpus: int = 0
    memory: int = 0  # bytes
    swarm_state: str = "inactive"  # inactive, pending, active, error, locked
    node_id: str = ""
    node_addr: str = ""
    is_manager: bool = False
    warnings: tuple[str, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)  # reference → image id
    keeps_in_containerd: bool = False  # its image ids are of another kind than those of an engine's own store
    volumes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # name → labels
    containers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # name → labels
    networks: Mapping[str, str] = field(default_factory=dict)  # name → driver, as this host has them; not Docker's own
    addresses: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)  # container → (network, address)
    running: frozenset[str] | None = None  # ids of the containers that run; None: not seen at this look
    listeners: tuple[Listener, ...] | None = ()  # None: could not be seen
    can_encrypt: bool | None = None  # has the kernel ESP? None: could not be seen
    has_ipvs: bool | None = None
    underlay: str = ""  # the interface that carries the swarm's traffic
    underlay_mtu: int | None = None  # of that interface
    subnets: tuple[tuple[str, str], ...] = ()  # (interface, subnet), outside Docker's own bridges


@dataclass(frozen=True)
class NodeFacts:
    """A node as a manager sees it. `host` is its inventory name, where that is known."""

    id: str
    host: str
    hostname: str
    role: Literal["manager", "worker"]
    availability: Literal["active", "pause", "drain"]
    state: str  # ready, down, unknown, disconnected
    leader: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NetworkFacts:
    """A network as a manager sees it."""

    id: str
    name: str
    driver: str
    subnet: str
    attachable: bool
    internal: bool
    encrypted: bool
    mtu: int  # 0: not set
    ingress: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    vxlan_ids: tuple[int, ...] = ()  # one for each subnet: what its packets are known by on the wire


@dataclass(frozen=True)
class TaskFacts:
    """A task of a service."""

    id: str
    service: str
    slot: int
    host: str
    state: str
    desired: str
    error: str = ""
    container: str = ""
    image: str = ""
    since: str = ""  # when the state came, as the engine writes it (sorts as text)
    addresses: tuple[tuple[str, str], ...] = ()  # (network name, address)

    @property
    def name(self) -> str:
        """`backend.1`, as `docker service ps` shows it; of a service that has one on each host, `frontend.node2`."""
        return f"{self.service}.{self.slot or self.host}"


@dataclass(frozen=True)
class ServiceFacts:
    """A service as a manager sees it. `update` is the state of its last update, empty where there was none."""

    id: str
    version: int
    spec: ServiceSpec
    virtual_ips: Mapping[str, str] = field(default_factory=dict)  # network name → address
    update: str = ""


@dataclass(frozen=True)
class SwarmFacts:
    """The swarm, as its first reachable manager answers. `host` is that manager's inventory name."""

    id: str
    host: str
    labels: Mapping[str, str] = field(default_factory=dict)
    data_path_port: int = 4789
    address_pool: str = ""  # empty: the engine's own
    nodes: tuple[NodeFacts, ...] = ()
    networks: tuple[NetworkFacts, ...] = ()
    services: tuple[ServiceFacts, ...] = ()
    tasks: tuple[TaskFacts, ...] = ()
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # name → labels
    configs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def network(self, name: str) -> NetworkFacts | None:
        """The overlay network of that name."""
        return next((n for n in self.networks if n.name == name and n.driver == "overlay"), None)

    @property
    def published(self) -> frozenset[int]:
        """The ports that services publish, each on every host."""
        return frozenset(port.published for service in self.services for port in service.spec.ports)

    def service(self, name: str) -> ServiceFacts | None:
        """The service of that name."""
        return next((s for s in self.services if s.spec.name == name), None)

    def running(self, service: str) -> tuple[TaskFacts, ...]:
        """The tasks of a service that run and are meant to."""
        return tuple(t for t in self.tasks if t.service == service and t.state == t.desired == "running")


@dataclass(frozen=True)
class Facts:
    """All that was seen at one look. `swarm` is None where no host of ours is a manager of one."""

    hosts: tuple[HostFacts, ...]
    swarm: SwarmFacts | None = None
    lab: str | None = None  # the lab's name; None: other people's hosts
    swarm_error: str = ""  # why managers among the hosts could not tell of their swarm

    @property
    def members(self) -> dict[str, NodeFacts]:
        """Our hosts that are nodes of the swarm, by name: each says itself which node it is."""
        nodes = {node.id: node for node in self.swarm.nodes} if self.swarm else {}
        return {host.name: nodes[host.node_id] for host in self.hosts if host.node_id in nodes}

    def __iter__(self) -> Iterator[HostFacts]:
        return iter(self.hosts)

    def __getitem__(self, name: str) -> HostFacts:
        for host in self.hosts:
            if host.name == name:
                return host
        raise KeyError(f"no host {name!r} was looked at; there are: {', '.join(host.name for host in self.hosts)}")

    @property
    def reachable(self) -> tuple[HostFacts, ...]:
        """The hosts that answered."""
        return tuple(host for host in self.hosts if host.error is None)

    def __repr__(self) -> str:
        """Only what is the same on every run."""
        lines = [
            f"{host.name}: {host.error}" if host.error else f"{host.name}: {_membership(host)}" for host in self.hosts
        ]
        return "\n".join(lines)


def _membership(host: HostFacts) -> str:
    if host.swarm_state != "active":
        return "in no swarm"
    return "manager of a swarm" if host.is_manager else "worker in a swarm"


def trouble(task: str, state: str, host: str, error: str) -> str:
    """Why a task does not run, in one sentence.

    >>> trouble("backend.1", "rejected", "node3", "No such image: x:1")
    'task backend.1 rejected on node3: No such image: x:1'
    """
    return f"task {task} {state}" + (f" on {host}" if host else "") + (f": {error}" if error else "")
