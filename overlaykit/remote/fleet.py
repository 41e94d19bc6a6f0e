"""All hosts at once, one result per host: a dead host hides neither the others nor what they answered.

with Fleet.open(inventory) as fleet:
    fleet["node1"].docker.containers.list()
    fleet["node1"].run("ip -d link show")
    fleet.each(lambda host: host.docker.version()["Version"])   # {"node1": "26.1.5", "node2": HostError(…)}
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

import docker

from overlaykit.remote.connection import CommandResult, Connection
from overlaykit.remote.engine import docker_client, engine_errors
from overlaykit.remote.ssh.connect import SshConnection
from overlaykit.words.errors import HostError
from overlaykit.words.host import Host, Inventory
from overlaykit.words.secret import Secret

T = TypeVar("T")
Connect = Callable[[Host], Connection]
OnRequest = Callable[[str, str, str], None]


class FleetHost:
    """One host: its engine, its shell. Connects when first used, and again when the connection was lost."""

    def __init__(self, host: Host, connection: Connection, on_request: OnRequest | None = None) -> None:
        self.host = host
        self.connection = connection
        self._on_request = on_request
        self._docker: docker.DockerClient | None = None
        self._lock = threading.Lock()
        self.receiving = threading.Lock()  # held while an image is on its way to the host

    @property
    def name(self) -> str:
        """Its name in the inventory."""
        return self.host.name

    @property
    def docker(self) -> docker.DockerClient:
        """An ordinary client of the Docker SDK."""
        with self._lock:
            if self._docker is None:
                self._docker = docker_client(self.connection, on_request=self._report)
            return self._docker

    def run(
        self,
        command: str | Sequence[str],
        *,
        input: bytes | None = None,
        timeout: float = 60,
        sudo: bool | None = None,
        check: bool = False,
    ) -> CommandResult:
        """Run a command; with `check`, an exit status other than 0 raises CommandFailed.

        By sudo where the inventory says so (ansible_become), unless `sudo` says otherwise.
        """
        by_sudo = self.host.become is not None if sudo is None else sudo
        return self.connection.run(command, input=input, timeout=timeout, sudo=by_sudo, check=check)

    def close(self) -> None:
        """Hang up; using the host again connects anew."""
        with self._lock:
            if self._docker is not None:
                self._docker.close()
                self._docker = None
        self.connection.close()

    def __repr__(self) -> str:
        return f"<{self.name}: {self.host.role} at {self.host.login}>"

    def _report(self, method: str, path: str) -> None:
        if self._on_request is not None:
            self._on_request(self.name, method, path)


class Fleet(Mapping[str, FleetHost]):
    """Every host of an inventory, by name, in the inventory's order."""

    def __init__(self, hosts: Iterable[FleetHost], whole: Fleet | None = None) -> None:
        self._hosts = {host.name: host for host in hosts}
        self._whole = self if whole is None else whole  # an empty one is false
        self._closed = False
        self.unreachable: dict[str, HostError] = {}

    @classmethod
    def open(
        cls,
        inventory: Inventory,
        *,
        become_password: Secret | None = None,
        on_request: OnRequest | None = None,
        connect: Connect | None = None,
    ) -> Self:
        """Connect to all, in parallel. Hosts that do not answer are in `unreachable`, and may be tried again.

        `on_request(host, method, path)` is told of every request to an engine; `connect` makes a connection
        that has not been opened yet, where SSH is not what is wanted.
        """
        make = connect or (lambda host: SshConnection(host, become_password=become_password))
        fleet = cls(FleetHost(host, make(host), on_request) for host in inventory)
        fleet.unreachable = {
            name: answer
            for name, answer in fleet.each(lambda host: host.connection.connect()).items()
            if isinstance(answer, HostError)
        }
        return fleet

    def each(self, do: Callable[[FleetHost], T], hosts: Iterable[str] | None = None) -> dict[str, T | HostError]:
        """What `do` returns for every host (or those named), or the HostError that it met there; in parallel."""
        chosen = [self[name] for name in (self if hosts is None else hosts)]
        if not chosen:
            return {}
        pool = ThreadPoolExecutor(min(len(chosen), 32), "fleet")
        try:
            answers = list(pool.map(lambda host: _one(do, host), chosen))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # nothing is left to wait for, unless Ctrl-C was pressed
        return {host.name: answer for host, answer in zip(chosen, answers, strict=True)}

    def only(self, *names: str) -> Fleet:
        """A part of the hosts, over the same connections: hanging up on a part is hanging up on all."""
        part = Fleet((self[name] for name in self if name in names), self._whole)
        part.unreachable = {name: error for name, error in self.unreachable.items() if name in names}
        return part

    @property
    def closed(self) -> bool:
        """Was it hung up? Using a host connects it anew all the same."""
        return self._whole._closed

    def close(self) -> None:
        """Hang up everywhere."""
        self._whole._closed = True
        self._whole.each(FleetHost.close)

    def __getitem__(self, name: str) -> FleetHost:
        try:
            return self._hosts[name]
        except KeyError:
            raise KeyError(f"no host {name!r}; there are: {', '.join(self._hosts)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._hosts)

    def __len__(self) -> int:
        return len(self._hosts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _one(do: Callable[[FleetHost], T], host: FleetHost) -> T | HostError:
    try:
        with engine_errors(host.name):
            return do(host)
    except HostError as error:
        return error
