"""What would be done: steps, each of which shows itself as the docker command that a person would type.

The same step object is shown, compared in a test and performed (`remote/perform.py`).

    >>> print(CreateNetwork("node1", name="guestbook", subnet="10.20.0.0/24", labels={}).command)
    docker network create --driver overlay --subnet 10.20.0.0/24 guestbook
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from overlaykit.words.host import Role
from overlaykit.words.secret import Secret
from overlaykit.words.service import Difference, ServiceSpec
from overlaykit.words.service_command import changed_flags, command_flags
from overlaykit.words.stack import STACK_LABEL

#: Node label that carries a host's inventory name, so that a service can be pinned by it.
HOST_LABEL = "overlaykit.host"
#: How the rule begins that does so; the host's name follows.
ON_HOST = f"node.labels.{HOST_LABEL}=="


@dataclass(frozen=True)
class Step:
    """One change on one host. `command` is what a person would type there."""

    host: str

    @property
    def command(self) -> str:
        """The docker command that does the same; secrets are masked."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """What the step does, for a progress display."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{self.host}$ {self.command}"


@dataclass(frozen=True, repr=False)
class InitSwarm(Step):
    """Form the swarm on its first manager."""

    advertise_addr: str | None = None
    data_path_addr: str | None = None
    data_path_port: int = 4789
    address_pool: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        flags = [
            self.advertise_addr and f"--advertise-addr {self.advertise_addr}",
            self.data_path_addr and f"--data-path-addr {self.data_path_addr}",
            self.data_path_port != 4789 and f"--data-path-port {self.data_path_port}",
            self.address_pool and f"--default-addr-pool {self.address_pool}",
        ]
        return " ".join(["docker swarm init", *(flag for flag in flags if flag)])

    @property
    def title(self) -> str:
        return "form the swarm"


@dataclass(frozen=True, repr=False)
class JoinSwarm(Step):
    """Join the swarm with the token of a role; `via` is the manager that is asked."""

    role: Role = "worker"
    via: str = ""
    via_addr: str | None = None  # None: what `via` advertises, known once the swarm is formed
    advertise_addr: str | None = None
    data_path_addr: str | None = None

    @property
    def command(self) -> str:
        parts = [
            f"docker swarm join --token {Secret('')}",
            self.advertise_addr and f"--advertise-addr {self.advertise_addr}",
            self.data_path_addr and f"--data-path-addr {self.data_path_addr}",
            f"{self.via_addr or self.via}:2377",
        ]
        return " ".join(part for part in parts if part) + f"   # the {self.role} token"

    @property
    def title(self) -> str:
        return f"join as {self.role}"


@dataclass(frozen=True, repr=False)
class LabelNode(Step):
    """Write a host's inventory name on its node, or take it off again (performed on a manager)."""

    node: str = ""
    hostname: str = field(default="", compare=False)  # by which a manager lists the node
    remove: bool = False

    @property
    def command(self) -> str:
        flag = f"--label-rm {HOST_LABEL}" if self.remove else f"--label-add {HOST_LABEL}={self.node}"
        return f"docker node update {flag} {self.node}"

    @property
    def title(self) -> str:
        return f"label node {self.node}"


@dataclass(frozen=True, repr=False)
class ClaimSwarm(Step):
    """Write the kit's label on a practice swarm that was formed by hand; Docker's command line has no word for it."""

    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        labels = " ".join(f"{key}={value}" for key, value in self.labels.items())
        return f"docker swarm update   # and, by the API alone, the label {labels}"

    @property
    def title(self) -> str:
        return "take over the swarm that was formed by hand"


@dataclass(frozen=True, repr=False)
class RestoreNode(Step):
    """Let a node take tasks again, without the labels that were put on it by hand (performed on a manager)."""

    node: str = ""
    labels: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        flags = "".join(f" --label-rm {label}" for label in self.labels)
        return f"docker node update --availability active{flags} {self.node}"

    @property
    def title(self) -> str:
        return f"let {self.node} take tasks, as it did at first"


@dataclass(frozen=True, repr=False)
class SetRole(Step):
    """Promote or demote a node (performed on a manager)."""

    node: str = ""
    role: Role = "worker"

    @property
    def command(self) -> str:
        return f"docker node {'promote' if self.role == 'manager' else 'demote'} {self.node}"

    @property
    def title(self) -> str:
        return f"make {self.node} a {self.role}"


@dataclass(frozen=True, repr=False)
class CreateNetwork(Step):
    """Create the overlay network (on a manager; a host sees it once a task there needs it)."""

    name: str = ""
    subnet: str = ""
    attachable: bool = False
    internal: bool = False
    encrypted: bool = False
    mtu: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        flags = [
            f"--subnet {self.subnet}",
            self.attachable and "--attachable",
            self.internal and "--internal",
            self.encrypted and "--opt encrypted",
            self.mtu and f"--opt com.docker.network.driver.mtu={self.mtu}",
            *(f"--label {key}={value}" for key, value in self.labels.items()),
        ]
        return " ".join(["docker network create --driver overlay", *(flag for flag in flags if flag), self.name])

    @property
    def title(self) -> str:
        return f"create network {self.name}"


@dataclass(frozen=True, repr=False)
class RemoveNetwork(Step):
    """Remove an overlay network that the kit made."""

    name: str = ""

    @property
    def command(self) -> str:
        return f"docker network rm {self.name}"

    @property
    def title(self) -> str:
        return f"remove network {self.name}"


@dataclass(frozen=True, repr=False)
class SendImage(Step):
    """Bring an image to a host that lacks it: only the layers it lacks travel."""

    reference: str = ""
    image_id: str = ""
    archive: str = field(default="", compare=False)

    @property
    def command(self) -> str:
        return f"docker save {self.reference} | ssh {self.host} docker load"

    @property
    def title(self) -> str:
        return f"bring image {self.reference.partition(':')[0]}"

    def __repr__(self) -> str:
        return self.command


@dataclass(frozen=True, repr=False)
class CreateSecret(Step):
    """Create a Swarm secret. Its value is masked wherever it could be seen."""

    name: str = ""
    value: Secret = field(default_factory=lambda: Secret(""), compare=False)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        labels = "".join(f" --label {key}={value}" for key, value in self.labels.items())
        return f"echo -n {self.value} | docker secret create{labels} {self.name} -"

    @property
    def title(self) -> str:
        return f"create secret {self.name}"


@dataclass(frozen=True, repr=False)
class CreateConfig(Step):
    """Create a Swarm config: a file that tasks see."""

    name: str = ""
    data: str = field(default="", compare=False)
    source: str = ""  # the file its content came from, for the command
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        labels = "".join(f" --label {key}={value}" for key, value in self.labels.items())
        return f"docker config create{labels} {self.name} {self.source}"

    @property
    def title(self) -> str:
        return f"create config {self.name}"


@dataclass(frozen=True, repr=False)
class CreateService(Step):
    """Create a service and wait until its tasks have a host: the next service is then spread around them."""

    spec: ServiceSpec = field(default_factory=lambda: ServiceSpec("", ""))

    @property
    def command(self) -> str:
        flags = [f"--name {self.spec.name}", *command_flags(self.spec), "--no-resolve-image", self.spec.image]
        return " ".join(["docker service create", *flags, *self.spec.args])

    @property
    def title(self) -> str:
        return f"create service {self.spec.name}"


@dataclass(frozen=True, repr=False)
class UpdateService(Step):
    """Change what differs in a service."""

    spec: ServiceSpec = field(default_factory=lambda: ServiceSpec("", ""))
    changes: tuple[Difference, ...] = ()

    @property
    def command(self) -> str:
        return " ".join(["docker service update", *changed_flags(self.changes), "--no-resolve-image", self.spec.name])

    @property
    def title(self) -> str:
        return f"update service {self.spec.name}"


@dataclass(frozen=True, repr=False)
class AwaitService(Step):
    """Wait until a service's tasks run as it says now, and are healthy where they have a check."""

    name: str = ""

    @property
    def command(self) -> str:
        return f"docker service ps {self.name}   # until its tasks run"

    @property
    def title(self) -> str:
        return f"start {self.name}"


@dataclass(frozen=True, repr=False)
class Remove(Step):
    """Remove a service, secret, config, volume or container that the kit made."""

    kind: Literal["service", "secret", "config", "volume", "container"] = "service"
    name: str = ""

    @property
    def command(self) -> str:
        return f"docker {self.kind} rm {'--force ' if self.kind == 'container' else ''}{self.name}"

    @property
    def title(self) -> str:
        return f"remove {self.kind} {self.name}"


@dataclass(frozen=True, repr=False)
class LeaveSwarm(Step):
    """Leave the swarm, and wait until the engine has closed its gossip port and those that services published.

    An engine that cannot tell the others in time keeps them; on a practice host it is then restarted.
    """

    published: tuple[int, ...] = ()
    force: bool = False
    may_restart: bool = False

    @property
    def command(self) -> str:
        return "docker swarm leave" + (" --force" if self.force else "")

    @property
    def title(self) -> str:
        return "leave the swarm"


@dataclass(frozen=True, repr=False)
class ForgetNode(Step):
    """Strike a node that is no more off the managers' list; a manager is demoted first."""

    node: str = ""
    role: Role = "worker"

    @property
    def command(self) -> str:
        demote = f"docker node demote {self.node} && " if self.role == "manager" else ""
        return f"{demote}docker node rm --force {self.node}"

    @property
    def title(self) -> str:
        return f"forget node {self.node}"


def is_kits(labels: Mapping[str, str], stack: str) -> bool:
    """Does an object with these labels belong to that stack?"""
    return labels.get(STACK_LABEL) == stack
