"""Opening one SSH connection: socket or jump hosts, key exchange, host key, authentication.

login = open_login("node1", route, password=None, config=None, timeout=10)
login.transport.is_active()
login.close()
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import paramiko

from overlaykit.remote.ssh.authentication import authenticate
from overlaykit.remote.ssh.channels import HostTransport
from overlaykit.remote.ssh.errors import ssh_errors
from overlaykit.remote.ssh.hostkeys import KnownHosts
from overlaykit.remote.ssh.proxy import ProxySocket, proxy_failures
from overlaykit.remote.ssh.route import Route, routes_of_jumps
from overlaykit.words.errors import ConnectionRefused
from overlaykit.words.secret import Secret

Way = socket.socket | paramiko.Channel


@dataclass(frozen=True)
class Login:
    """An authenticated connection, and those to the jump hosts that carry it."""

    transport: HostTransport
    jumps: tuple[HostTransport, ...] = ()

    def close(self) -> None:
        """Close all of them, the host's own first."""
        for transport in (self.transport, *reversed(self.jumps)):
            transport.close()


def open_login(name: str, route: Route, *, password: Secret | None, config: Path | None, timeout: float) -> Login:
    """Connect and authenticate, through the jump hosts if there are any; each one's errors name it."""
    jumps: list[HostTransport] = []
    try:
        for jump in routes_of_jumps(name, route.proxy_jump, config) if route.proxy_jump else ():
            with ssh_errors(name, f"the jump host {jump.login}"):
                jumps.append(_enter(name, jump, jumps, None, timeout))
        with ssh_errors(name, route.login):
            return Login(_enter(name, route, jumps, password, timeout), tuple(jumps))
    except BaseException:
        for transport in reversed(jumps):
            transport.close()
        raise


def _way_to(name: str, route: Route, jumps: list[HostTransport], timeout: float) -> Way:
    if jumps:
        return _through(name, route, jumps[-1], timeout)
    if route.proxy_command:
        return ProxySocket.start(route.proxy_command, route)
    sock = socket.create_connection((route.hostname, route.port), timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _through(name: str, route: Route, jump: HostTransport, timeout: float) -> paramiko.Channel:
    target = (route.hostname, route.port)
    try:
        return jump.open_channel("direct-tcpip", target, ("127.0.0.1", 0), timeout=timeout)
    except paramiko.ChannelException as error:
        raise ConnectionRefused(
            name,
            f"the jump host {jump.getpeername()[0]} cannot reach {route.login} ({error.text}): is the host on, and"
            " does the jump host's sshd allow it (AllowTcpForwarding)?",
        ) from error


def _enter(
    name: str, route: Route, jumps: list[HostTransport], password: Secret | None, timeout: float
) -> HostTransport:
    way = _way_to(name, route, jumps, timeout)
    transport = HostTransport(way)
    try:
        with proxy_failures(way):
            _log_in(name, route, transport, password, timeout)
    except BaseException:
        transport.close()
        raise
    transport.watch()
    return transport


def _log_in(name: str, route: Route, transport: HostTransport, password: Secret | None, timeout: float) -> None:
    transport.daemon = True
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = timeout
    _exchange_keys(name, route, transport, timeout)
    authenticate(name, route, transport, password)


def _exchange_keys(name: str, route: Route, transport: HostTransport, timeout: float) -> None:
    known = KnownHosts(route.known_hosts)
    options = transport.get_security_options()
    options.key_types = _first(known.key_types(route.known_as), options.key_types)
    # One pass of authenticated encryption, where paramiko would rather compute a MAC of its own per packet.
    options.ciphers = _first(["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"], options.ciphers)
    transport.start_client(timeout=timeout)
    if not transport.initial_kex_done:
        raise TimeoutError(f"no key exchange within {timeout:g} s")
    known.check(name, route, transport.get_remote_server_key())


def _first(wanted: list[str], offered: Sequence[str]) -> tuple[str, ...]:
    ahead = [kind for kind in wanted if kind in offered]
    return (*ahead, *(kind for kind in offered if kind not in ahead))
