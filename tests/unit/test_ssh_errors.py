"""Every error of paramiko and of sockets has its sentence, and the right class."""

from __future__ import annotations

import errno
import inspect
import socket
from collections.abc import Callable

import paramiko
import pytest
from paramiko import ssh_exception

from overlaykit.remote.ssh.errors import ssh_errors
from overlaykit.words.errors import (
    AuthenticationFailed,
    ConnectionLost,
    ConnectionRefused,
    ConnectionTimedOut,
    HostError,
    HostKeyChanged,
    HostNotFound,
)

KEY = paramiko.ECDSAKey.generate()

MADE_BY: dict[str, Callable[[], Exception]] = {
    "BadAuthenticationType": lambda: paramiko.BadAuthenticationType("no", ["publickey"]),
    "PartialAuthentication": lambda: ssh_exception.PartialAuthentication(["password"]),
    "ChannelException": lambda: paramiko.ChannelException(2, "Connect failed"),
    "BadHostKeyException": lambda: paramiko.BadHostKeyException("node1", KEY, KEY),
    "ProxyCommandFailure": lambda: paramiko.ProxyCommandFailure("nc bastion 22", "1"),
    "NoValidConnectionsError": lambda: ssh_exception.NoValidConnectionsError(
        {("192.0.2.11", 22): ConnectionRefusedError()}
    ),
}
WHAT_PARAMIKO_RAISES = [
    kind
    for _, kind in inspect.getmembers(ssh_exception, inspect.isclass)
    if issubclass(kind, Exception) and kind.__module__ == ssh_exception.__name__
]


def said_of(error: Exception) -> HostError:
    with pytest.raises(HostError) as caught, ssh_errors("node1", "root@192.0.2.11:22"):
        raise error
    return caught.value


@pytest.mark.parametrize("kind", WHAT_PARAMIKO_RAISES, ids=lambda kind: kind.__name__)
def test_none_of_paramikos_errors_is_unmapped(kind: type[Exception]) -> None:
    error = said_of(MADE_BY.get(kind.__name__, lambda: kind("the reason"))())
    assert str(error).startswith("node1: ")
    assert "root@192.0.2.11:22" in error.text
    assert "\n" not in error.text


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError(), ConnectionRefused),
        (TimeoutError(), ConnectionTimedOut),
        (OSError(errno.EHOSTUNREACH, "No route to host"), ConnectionTimedOut),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), ConnectionTimedOut),
        (socket.gaierror(-2, "Name or service not known"), HostNotFound),
        (ConnectionResetError(), ConnectionLost),
        (BrokenPipeError(), ConnectionLost),
        (EOFError(), ConnectionLost),
        (paramiko.SSHException("SSH session not active"), ConnectionLost),
        (paramiko.SSHException("Error reading SSH protocol banner"), ConnectionLost),
        (paramiko.SSHException("Timeout opening channel."), ConnectionTimedOut),
        (paramiko.SSHException("Too many authentication failures"), AuthenticationFailed),
        (paramiko.AuthenticationException("Authentication failed."), AuthenticationFailed),
        (paramiko.BadHostKeyException("node1", KEY, KEY), HostKeyChanged),
        (paramiko.ssh_exception.IncompatiblePeer("no acceptable ciphers"), ConnectionLost),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_each_is_of_the_kind_that_a_program_can_tell(error: Exception, kind: type[HostError]) -> None:
    assert type(said_of(error)) is kind


def test_what_is_no_fault_of_a_host_passes() -> None:
    with pytest.raises(ZeroDivisionError), ssh_errors("node1", "root@192.0.2.11:22"):
        _ = 1 / 0
