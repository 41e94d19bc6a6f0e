"""A host as the inventory names it, and the inventory: the words for *where*."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from overlaykit.words.errors import InputError
from overlaykit.words.secret import Secret

Role = Literal["manager", "worker"]


@dataclass(frozen=True)
class Become:
    """Commands on the host run as `user`, by `sudo` (Ansible's `ansible_become`)."""

    user: str = "root"
    password: Secret | None = None
    needs_password: bool = False


#: The lab that is meant where none is named.
DEFAULT_LAB = "default"


@dataclass(frozen=True)
class Host:
    """One Docker host: how SSH reaches it, and what it is to be in the swarm.

    >>> Host("node1", "192.0.2.11", role="manager").login
    '192.0.2.11:22'
    """

    name: str
    address: str
    role: Role
    port: int | None = None  # None: what ~/.ssh/config says, else 22
    user: str | None = None  # None: what ~/.ssh/config says, else who runs this
    key_file: str | None = None
    password: Secret | None = None
    proxy_jump: str | None = None  # as ssh -J takes it: [user@]host[:port][,…]
    known_hosts: str | None = None  # None: ~/.ssh/known_hosts
    become: Become | None = None
    advertise_addr: str | None = None  # what other nodes reach the swarm's ports at; None: the engine chooses
    data_path_addr: str | None = None  # VXLAN traffic, where it has an address of its own
    docker_socket: str = "/var/run/docker.sock"
    published: str | None = None  # ADDRESS:PORT at which this machine reaches the host's port 80, if not there
    groups: tuple[str, ...] = ()

    @property
    def login(self) -> str:
        """Where SSH knocks, for messages: `[user@]address:port`."""
        return f"{self.user}@{self.address}:{self.port or 22}" if self.user else f"{self.address}:{self.port or 22}"


@dataclass(frozen=True)
class Inventory:
    """All hosts, in the order of the file. `lab` is the name of the lab that made them, or None."""

    hosts: tuple[Host, ...]
    source: str
    lab: str | None = None

    @property
    def managers(self) -> tuple[Host, ...]:
        """Hosts of role manager; the first is where the swarm is formed."""
        return tuple(host for host in self.hosts if host.role == "manager")

    @property
    def workers(self) -> tuple[Host, ...]:
        """Hosts of role worker."""
        return tuple(host for host in self.hosts if host.role == "worker")

    def only(self, *names: str) -> Inventory:
        """A part of the hosts, in the same order. Raises InputError: an unknown name, or no manager among them.

        >>> inventory.only("node1", "node2").workers[0].name
        'node2'
        """
        if strange := [name for name in names if name not in {host.name for host in self.hosts}]:
            known = ", ".join(host.name for host in self.hosts)
            raise InputError(f"there is no host {strange[0]!r} in {self.source}; there are: {known}")
        part = replace(self, hosts=tuple(host for host in self.hosts if host.name in names))
        if not part.managers:
            managers = ", ".join(host.name for host in self.managers)
            raise InputError(f"no manager takes part, and a swarm is formed by one: choose at least one of {managers}")
        return part

    def __iter__(self) -> Iterator[Host]:
        return iter(self.hosts)

    def __len__(self) -> int:
        return len(self.hosts)

    def __getitem__(self, name: str) -> Host:
        for host in self.hosts:
            if host.name == name:
                return host
        raise KeyError(f"no host {name!r} in {self.source}; there are: {', '.join(h.name for h in self.hosts)}")


def lab_option(lab: str) -> str:
    """What a `lab` command takes to be about that lab; nothing for the usual one."""
    return "" if lab == DEFAULT_LAB else f" --name {lab}"


def lab_power(lab: str, host: str, state: str) -> str:
    """What to type to pull a practice host's plug, or to put it back: `state` is off or on."""
    return f"overlaykit lab power{lab_option(lab)} {host} {state}"
