"""What the three services are: from the stack's parameters to three service specs.

The contract that an image of your own must meet is in docs/images.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from overlaykit.words.allowed import memory_bytes
from overlaykit.words.facts import Facts, HostFacts
from overlaykit.words.host import Inventory
from overlaykit.words.images import KitImages
from overlaykit.words.service import MONITOR, FileRef, Health, Mount, Port, ServiceSpec
from overlaykit.words.stack import KIT_IMAGE, Stack, Tier
from overlaykit.words.steps import HOST_LABEL, ON_HOST, is_kits

DATABASE_USER = "guestbook"
PASSWORD_FILE = "/run/secrets/database_password"
#: Swarm fills these in for each task: the page shows which host and task served it.
TASK_HOSTNAME = "{{.Service.Name}}-{{.Task.Slot}}.{{.Node.Hostname}}"
_START_INTERVAL = 25  # the engine's version from which on checks may be more frequent while a task starts


@dataclass(frozen=True)
class Wanted:
    """What the services are made from besides the stack: the kit's images and the frontend's configuration."""

    images: KitImages
    config: str
    stack_name: str

    @property
    def config_name(self) -> str:
        """A config cannot be changed, so its name holds its content's hash."""
        return f"{self.stack_name}-frontend-{hashlib.sha256(self.config.encode()).hexdigest()[:8]}"


def secret_name(stack: Stack) -> str:
    """The Swarm secret that holds the database's password."""
    return f"{stack.name}-database-password"


def database_host(facts: Facts, inventory: Inventory, stack: Stack) -> str:
    """Where the database is pinned: as asked, else where its volume already is, else the last host."""
    with_volume = hosts_with_data(facts, stack)
    pinned = _pinned_now(facts)
    return stack.database.host or pinned or (with_volume or [inventory.hosts[-1].name])[0]


def hosts_with_data(facts: Facts, stack: Stack) -> list[str]:
    """The hosts that hold the database's volume; one of that name that is somebody else's does not count."""
    return [host.name for host in facts if stack.database.volume in own_volumes(host, facts, stack)]


def own_volumes(host: HostFacts, facts: Facts, stack: Stack) -> list[str]:
    """The stack's volumes on a host. A power cut while a volume is made leaves it without its labels: on the lab,
    where nobody else is, its name tells enough."""
    return [
        name
        for name, labels in host.volumes.items()
        if is_kits(labels, stack.name) or (facts.lab is not None and name == stack.database.volume)
    ]


def unknown_hosts(inventory: Inventory, stack: Stack) -> Iterator[str]:
    """Hosts that the stack places a tier on, and the inventory does not have."""
    names = {host.name for host in inventory}
    asked = {"backend.placement": stack.backend.placement, "frontend.placement": stack.frontend.placement}
    if stack.database.host:
        asked["database.host"] = (stack.database.host,)
    for parameter, hosts in asked.items():
        for name in hosts:
            if name not in names:
                yield f"{parameter} names {name!r}; the inventory has: {', '.join(sorted(names))}"


def nodes_of_others(facts: Facts) -> tuple[str, ...]:
    """The ids of nodes that are none of these hosts, as in an adopted swarm, or where only a part of the hosts was
    chosen: no image is brought to them. A node that one of these hosts once was is not meant."""
    ours = {node.id for node in facts.members.values()}
    names = {host.name for host in facts}
    nodes = facts.swarm.nodes if facts.swarm else ()
    return tuple(node.id for node in nodes if node.id not in ours and node.labels.get(HOST_LABEL) not in names)


def wanted_services(
    inventory: Inventory, stack: Stack, wanted: Wanted, host: str, others: tuple[str, ...] = ()
) -> tuple[ServiceSpec, ...]:
    """The three services, database first, on none of the nodes of others."""
    return (
        _database(stack, wanted, host),
        _backend(stack, wanted).but(constraints=_placement(inventory, stack.backend.placement, others)),
        _frontend(stack, wanted).but(constraints=_placement(inventory, stack.frontend.placement, others)),
    )


def fit_for_engine(engine: str, specs: Sequence[ServiceSpec]) -> tuple[ServiceSpec, ...]:
    """The services as a manager of that version keeps them: what it does not know it forgets, at every `up` anew."""
    version = engine.partition(".")[0]
    if not version.isdigit() or int(version) >= _START_INTERVAL:
        return tuple(specs)
    return tuple(spec.but(health=replace(spec.health, start_interval=0.0)) if spec.health else spec for spec in specs)


def _database(stack: Stack, wanted: Wanted, host: str) -> ServiceSpec:
    tier = stack.database
    return _common(stack, tier, "database", wanted).but(
        env=_env(
            tier,
            f"MONGO_INITDB_ROOT_USERNAME={DATABASE_USER}",
            f"MONGO_INITDB_ROOT_PASSWORD_FILE={PASSWORD_FILE}",
        ),
        args=() if tier.port == 27017 else ("--port", str(tier.port)),
        constraints=(f"{ON_HOST}{host}",),
        mounts=(Mount(tier.volume, "/data/db", stack.labels),),
        secrets=_password(stack),
        health=_health(tier, tier.port),
        stop_first=True,
    )


def _backend(stack: Stack, wanted: Wanted) -> ServiceSpec:
    tier = stack.backend
    return _common(stack, tier, "backend", wanted).but(
        env=_env(
            tier,
            "DATABASE_HOST=database",
            f"DATABASE_PORT={stack.database.port}",
            f"DATABASE_USER={DATABASE_USER}",
            f"DATABASE_PASSWORD_FILE={PASSWORD_FILE}",
            f"PORT={tier.port}",
        ),
        replicas=tier.replicas,
        secrets=_password(stack),
        health=_health(tier, tier.port),
    )


def _frontend(stack: Stack, wanted: Wanted) -> ServiceSpec:
    tier = stack.frontend
    return _common(stack, tier, "frontend", wanted).but(
        env=_env(tier, f"PORT={tier.port}", f"BACKEND=backend:{stack.backend.port}"),
        replicas=tier.replicas,
        configs=(FileRef(wanted.config_name, "/etc/nginx/templates/default.conf.template"),),
        ports=(Port(tier.published_port, tier.port),),
        health=_health(tier, tier.port),
        # Changing the published port while the old task still runs kills the port on every host (seen on 26.1:
        # "Failed add IP alias … file exists"), so the old task goes first; two replicas bridge the gap.
        stop_first=True,
    )


def _common(stack: Stack, tier: Tier, name: str, wanted: Wanted) -> ServiceSpec:
    """What the three have in common. An image of the kit is named by its id: no registry is ever asked for it."""
    return ServiceSpec(
        name,
        wanted.images[name].image_id if tier.image == KIT_IMAGE else tier.image,
        hostname=TASK_HOSTNAME,
        networks=(stack.network.name,),
        cpus=tier.cpus,
        memory=memory_bytes(tier.memory),
        stop_first=False,
        monitor=_monitor(tier),
        labels=stack.labels,
    )


def _env(tier: Tier, *own: str) -> tuple[str, ...]:
    """The tier's variables; what the stack says wins over what the kit sets."""
    named = {entry.partition("=")[0]: entry for entry in (*own, *tier.environment)}
    return tuple(sorted(named.values()))


def _password(stack: Stack) -> tuple[FileRef, ...]:
    return (FileRef(secret_name(stack), "database_password", mode=0o444),)


def _monitor(tier: Tier) -> float:
    """A task with a check counts as running once it has passed it, so a moment more will do."""
    return MONITOR if tier.health == "none" else 1.0


def _health(tier: Tier, port: int) -> Health | None:
    """The kit's check (does the port listen?), the stack's own, or none at all."""
    if tier.health == KIT_IMAGE:
        return Health(("CMD-SHELL", listens(port)), start_interval=0.2)
    return Health(("NONE",), 0, 0, 0, 0, 0) if tier.health == "none" else Health(("CMD-SHELL", tier.health))


def listens(port: int) -> str:
    """True as soon as the port answers, false after four seconds.

    One shell that waits, for the engine runs a check again and again: while a tier starts, that took half of its host.
    A pipe that nobody writes to is bash's way to wait without starting a process.
    """
    tries = f"for i in {{1..20}}; do </dev/tcp/127.0.0.1/{port} && exit; read -t .2 -u 9; done"
    return f"bash -c 'exec 9<> <(:) 2>/dev/null; {tries}; exit 1'"


def _placement(inventory: Inventory, hosts: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """Swarm's constraints all hold at once, so several hosts are said by ruling out the rest."""
    if len(hosts) == 1:
        return (f"{ON_HOST}{hosts[0]}",)
    rest = [host.name for host in inventory if hosts and host.name not in hosts]
    return (*(f"node.labels.{HOST_LABEL}!={name}" for name in rest), *(f"node.id!={node}" for node in others))


def _pinned_now(facts: Facts) -> str:
    service = facts.swarm.service("database") if facts.swarm else None
    rules = service.spec.constraints if service else ()
    return next((rule.removeprefix(ON_HOST) for rule in rules if rule.startswith(ON_HOST)), "")
