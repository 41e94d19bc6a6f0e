"""What paramiko and sockets raise, as sentences: translated here and nowhere else in the kit.

with ssh_errors("node1", "root@192.0.2.11:22"):
    socket.create_connection(("192.0.2.11", 22), 10)
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko

from overlaykit.words.errors import (
    AuthenticationFailed,
    ConnectionLost,
    ConnectionRefused,
    ConnectionTimedOut,
    HostError,
    HostKeyChanged,
    HostNotFound,
)


@contextmanager
def ssh_errors(host: str, where: str) -> Iterator[None]:
    """Inside, whatever paramiko or a socket raises becomes the HostError of `host` that says it to a person."""
    try:
        yield
    except (paramiko.SSHException, OSError, EOFError) as error:
        kind, text = _in_words(error, where)
        raise kind(host, text) from error


def _in_words(error: Exception, where: str) -> tuple[type[HostError], str]:  # noqa: PLR0911 - a table, row by row
    match error:
        case paramiko.BadHostKeyException():
            return HostKeyChanged, f"{where} shows another key than the one on record"
        case paramiko.AuthenticationException():
            return AuthenticationFailed, f"{where} ended the attempt to log in ({error}): name its user and one key"
        case paramiko.ChannelException():
            return HostError, f"{where} opens no further channel ({error.text}): raise MaxSessions in its sshd_config"
        case paramiko.ProxyCommandFailure():
            return ConnectionLost, f"the way to {where}, `{error.command}`, ended ({error.error}): try it by hand"
        case paramiko.ssh_exception.IncompatiblePeer():
            return ConnectionLost, f"{where} and this machine have no cipher or key exchange in common ({error})"
        case paramiko.ConfigParseError() | paramiko.CouldNotCanonicalize():
            return HostError, f"~/.ssh/config cannot be used for {where}: {error}"
        case socket.gaierror():
            return HostNotFound, f"the name in {where} has no address: correct ansible_host, or the name server"
        case ConnectionRefusedError():
            return ConnectionRefused, f"nothing listens at {where}: is the host on, its sshd running, the port right?"
        case TimeoutError():
            return ConnectionTimedOut, f"no answer from {where}: is the host on, and no firewall in between?"
        case OSError(errno=errno.EHOSTUNREACH | errno.ENETUNREACH):
            return ConnectionTimedOut, f"no route to {where}: is the host on, and the network up?"
        case _:
            return _by_what_it_says(error, where)


def _by_what_it_says(error: Exception, where: str) -> tuple[type[HostError], str]:
    # paramiko has one class for many faults; their texts are all there is to tell them apart.
    said = str(error) or type(error).__name__
    if "banner" in said:
        return ConnectionLost, f"what listens at {where} does not speak SSH, or is not ready yet ({said})"
    if "uthentication" in said:
        return AuthenticationFailed, f"{where} ended the attempt to log in ({said}): name its user and one key"
    if "imeout" in said:
        return ConnectionTimedOut, f"no answer from {where} in time ({said})"
    return ConnectionLost, f"the connection to {where} ended ({said}): is the host still on?"
