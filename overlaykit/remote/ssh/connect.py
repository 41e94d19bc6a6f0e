"""One SSH connection per host, made when first needed and again when lost; commands and Docker's API share it.

    with connect_host(inventory["node1"]) as connection:
        connection.run("ip -d link show").stdout
        connection.open_engine().sendall(b"GET /_ping HTTP/1.1\\r\\n…")

What paramiko and sockets raise becomes a HostError before it leaves this module (`errors.py`).
"""

from __future__ import annotations

import logging
import shlex
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import paramiko

from overlaykit.remote.connection import CommandResult, Connection
from overlaykit.remote.ssh.channels import EngineSocket, HostTransport
from overlaykit.remote.ssh.commands import Command, shown
from overlaykit.remote.ssh.dial import dial_command, needs_sudo_to_dial
from overlaykit.remote.ssh.errors import ssh_errors
from overlaykit.remote.ssh.login import Login, open_login
from overlaykit.remote.ssh.route import route_to
from overlaykit.words.errors import (
    CommandFailed,
    EngineSilent,
    HostError,
)
from overlaykit.words.host import Become, Host
from overlaykit.words.secret import Secret

# sshd grants ten sessions per connection (MaxSessions). Streamlocal channels do not count, commands do.
_COMMANDS_AT_ONCE = 3
_DIAL_SESSIONS = 6
_DIALLED_CALLS = 4  # the rest are for logs, events and exec

_NO_FORWARDING = "its sshd opens no TCP ports for us (AllowTcpForwarding, PermitOpen), so they could not be tried"

logging.getLogger("paramiko").addHandler(logging.NullHandler())  # what it has to say is in our sentences


def connect_host(
    host: Host, *, become_password: Secret | None = None, timeout: float = 10, config: Path | None = None
) -> SshConnection:
    """Connect now, and verify that it is the host we know. `config` stands in for ~/.ssh/config."""
    connection = SshConnection(host, become_password=become_password, timeout=timeout, config=config)
    connection.connect()
    return connection


class SshConnection(Connection):
    """The `Connection` that reaches real hosts. Threads may share it."""

    def __init__(
        self, host: Host, *, become_password: Secret | None = None, timeout: float = 10, config: Path | None = None
    ) -> None:
        self.host = host
        self._become = _become(host, become_password)
        self._timeout = timeout
        self._config = config
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._user = host.user
        self._where = host.login
        self._dials_as: Command | None = None  # None: no need to, channels to Docker's socket are granted
        self._commands = threading.BoundedSemaphore(_COMMANDS_AT_ONCE)
        self._dialled = threading.BoundedSemaphore(_DIAL_SESSIONS)

    def connect(self) -> None:
        """Connect, if there is no connection or it was lost."""
        self._transport()

    def _transport(self) -> HostTransport:
        with self._lock, self._errors():
            if self._login is None or not self._login.transport.is_active():
                self._hang_up()
                self._log_in()
            assert self._login is not None
            return self._login.transport

    def _log_in(self) -> None:
        route = route_to(self.host, self._config)
        self._user, self._where, self._dials_as = route.user, route.login, None
        self._login = open_login(
            self.host.name, route, password=self.host.password, config=self._config, timeout=self._timeout
        )

    def _channel(self, open_on: Callable[[HostTransport], paramiko.Channel]) -> paramiko.Channel:
        transport = self._transport()
        try:
            return open_on(transport)
        except paramiko.SSHException:
            if transport.is_active():
                raise
        except (OSError, EOFError):
            transport.close()  # what cannot be written to is dead, though its reader may not have noticed yet
        return open_on(self._transport())  # nothing was asked of the host yet, so it may be asked again

    @property
    def alive(self) -> bool:
        """Whether the connection stands, as far as is known without asking."""
        login = self._login
        return login is not None and login.transport.is_active()

    def run(
        self,
        command: str | Sequence[str],
        *,
        input: bytes | None = None,
        timeout: float = 60,
        sudo: bool = False,
        check: bool = False,
    ) -> CommandResult:
        """Run a command; with `check`, an exit status other than 0 raises CommandFailed."""
        status, stdout, stderr = self._execute(command, input, timeout, sudo)
        result = CommandResult(stdout.decode(errors="replace"), stderr.decode(errors="replace"), status)
        if check and status != 0:
            raise _failed(self.host.name, command, result)
        return result

    def put_file(self, path: str, data: bytes, *, mode: int = 0o600, sudo: bool = False) -> None:
        """Write a file, whole or not at all: beside its place first, then moved there."""
        place, draft = shlex.quote(path), shlex.quote(f"{path}.overlaykit-part")
        script = f"umask 077 && cat > {draft} && chmod {mode:o} {draft} && mv -f {draft} {place}"
        self.run(script, input=data, timeout=600, sudo=sudo, check=True)

    def get_file(self, path: str, *, sudo: bool = False) -> bytes:
        """Read a file."""
        command = ["cat", "--", path]
        status, content, stderr = self._execute(command, None, 600, sudo)
        if status != 0:
            raise _failed(self.host.name, command, CommandResult("", stderr.decode(errors="replace"), status))
        return content

    def open_engine(self) -> EngineSocket:
        """A fresh stream to the host's Docker socket, by whichever way the host allows."""
        with self._errors():
            if self._dials_as is None:
                try:
                    return EngineSocket(self._channel(self._open_streamlocal))
                except paramiko.ChannelException:
                    self._dials_as = self._way_round()
            return self._dial()

    @property
    def engine_channels(self) -> int:
        """Sessions are few, channels are not."""
        return _DIALLED_CALLS if self._dials_as else 32

    def open_port(self, address: str, port: int, timeout: float) -> EngineSocket | None:
        """A stream to a TCP port as the host's own network sees it; None where nothing answers there."""
        transport = self._transport()
        with self._errors():
            try:
                channel = transport.open_channel("direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=timeout)
                return EngineSocket(channel)
            except paramiko.ChannelException as error:
                if error.code == paramiko.common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED:
                    raise HostError(self.host.name, _NO_FORWARDING) from error
                return None
            except paramiko.SSHException as error:
                # paramiko has no class of its own for these: time is up; refused, and another thread took the reason
                if str(error) not in ("Timeout opening channel.", "Unable to open channel."):
                    raise
                return None

    def close(self) -> None:
        """Hang up; using the connection again makes it anew."""
        with self._lock:
            self._hang_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _execute(
        self, command: str | Sequence[str], input: bytes | None, timeout: float, sudo: bool
    ) -> tuple[int, bytes, bytes]:
        line = command if isinstance(command, str) else shlex.join(command)
        with self._commands, self._errors():
            channel = self._channel(self._open_session)
            return Command(self.host.name, line, input, self._as_root(sudo)).run(channel, timeout)

    def _open_session(self, transport: HostTransport) -> paramiko.Channel:
        return transport.open_session(timeout=self._timeout)

    def _open_streamlocal(self, transport: HostTransport) -> paramiko.Channel:
        return transport.open_streamlocal(self.host.docker_socket, self._timeout)

    def _as_root(self, sudo: bool) -> Become | None:
        return None if not sudo or self._user == self._become.user else self._become

    def _way_round(self) -> Command:
        sudo = needs_sudo_to_dial(self, self._user or "this login", may_sudo=self.host.become is not None)
        return Command(self.host.name, dial_command(self.host), become=self._as_root(sudo))

    def _dial(self) -> EngineSocket:
        assert self._dials_as is not None
        if not self._dialled.acquire(timeout=self._timeout):
            raise EngineSilent(self.host.name, f"all {_DIAL_SESSIONS} streams to the engine are busy: close some")
        try:
            channel = self._channel(self._open_session)
            self._dials_as.start(channel, self._timeout)
        except BaseException:
            self._dialled.release()
            raise
        return EngineSocket(channel, self._dialled.release)

    def _errors(self) -> AbstractContextManager[None]:
        return ssh_errors(self.host.name, self._where)

    def _hang_up(self) -> None:
        if self._login is not None:
            self._login.close()
            self._login = None


def _become(host: Host, password: Secret | None) -> Become:
    become = host.become or Become()
    return replace(become, password=password) if password else become


def _failed(name: str, command: str | Sequence[str], result: CommandResult) -> CommandFailed:
    line = shown(command if isinstance(command, str) else shlex.join(command))
    said = (result.stderr.strip() or result.stdout.strip()).splitlines()
    reason = said[-1] if said else "without a word"
    return CommandFailed(name, f"`{line}` ended with status {result.status}: {reason}", result.status)
