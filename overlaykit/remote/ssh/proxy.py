"""A ProxyCommand of ~/.ssh/config as a socket: the command's two ends are the way to the host.

sock = ProxySocket.start("nc -X 5 %h %p", route)
sock.failure()                            # what the command said, if it has ended
"""

from __future__ import annotations

import re
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Self

import paramiko

from overlaykit.remote.ssh.route import Route


class ProxySocket(socket.socket):
    """A real socket, which paramiko's own ProxyCommand is not: that one polls, and leaves its process behind."""

    _command: str
    _process: subprocess.Popen[bytes]
    _said: IO[bytes]
    _last_word: str | None = None
    _closing: threading.Lock

    @classmethod
    def start(cls, command: str, route: Route) -> Self:
        """Start the command, with %h, %p and %r filled in, in a shell as ssh does."""
        ours, theirs = socket.socketpair()
        with theirs:
            sock = cls(fileno=ours.detach())
            sock._command = _filled(command, route)
            sock._closing = threading.Lock()
            sock._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the socket; a pipe could run full
            sock._process = subprocess.Popen(
                ["sh", "-c", f"exec {sock._command}"], stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=sock._said
            )
        return sock

    def failure(self) -> paramiko.ProxyCommandFailure | None:
        """The command's last word, if it ended by itself. Closes the socket."""
        self.close()
        return paramiko.ProxyCommandFailure(self._command, self._last_word) if self._last_word else None

    def close(self) -> None:
        """Close, and end the command."""
        with self._closing:  # paramiko's reader closes too
            if self._said.closed:
                return
            if self._hung_up():
                self._last_word = self._word_at_its_end()
            super().close()
            _end(self._process)
            self._said.close()

    def _hung_up(self) -> bool:
        try:
            return self.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _word_at_its_end(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        self._said.seek(0)
        words = self._said.read().decode(errors="replace").strip().splitlines()
        return words[-1] if words else f"status {self._process.returncode}"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def proxy_failures(way: object) -> Iterator[None]:
    """Inside, what goes wrong since a proxy command ended is the command's failure."""
    try:
        yield
    except (paramiko.SSHException, OSError, EOFError) as error:
        if isinstance(way, ProxySocket) and (failure := way.failure()):
            raise failure from error
        raise


def _filled(command: str, route: Route) -> str:
    tokens = {"%h": route.hostname, "%p": str(route.port), "%r": route.user, "%%": "%"}
    return re.sub("%[hpr%]", lambda token: tokens[token[0]], command)
