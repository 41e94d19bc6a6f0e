"""Commands on a host: both outputs read at once, a deadline, and sudo whose password nobody sees.

command = Command("node1", "docker version", become=Become(password=secret))
status, stdout, stderr = command.run(channel, timeout=60)
"""

from __future__ import annotations

import secrets
import select
import shlex
import threading
import time
from dataclasses import dataclass

import paramiko

from overlaykit.words.errors import AuthenticationFailed, CommandFailed
from overlaykit.words.host import Become


@dataclass(frozen=True)
class Command:
    """One command line for a shell on the host, by sudo where `become` is given."""

    host: str
    line: str
    input: bytes | None = None
    become: Become | None = None

    def run(self, channel: paramiko.Channel, timeout: float) -> tuple[int, bytes, bytes]:
        """Exit status and both outputs, within `timeout` seconds. The session is used up."""
        deadline = time.monotonic() + timeout
        try:
            stderr = self.start(channel, timeout)
            feeder = threading.Thread(target=_feed, args=(channel, self.input), daemon=True)
            feeder.start()  # a thread of its own, since who writes and never reads can wait for ever
            stdout, more = self._collect(channel, deadline)
            return self._status(channel, deadline), stdout, stderr + more
        finally:
            channel.close()

    def start(self, channel: paramiko.Channel, timeout: float) -> bytes:
        """Start it on an open session. Past sudo, when this returns; stderr that came so far."""
        channel.settimeout(timeout)
        if self.become is None:
            channel.exec_command(self.line)
            return b""
        return _start_with_sudo(self.host, channel, self.line, self.become)

    def _collect(self, channel: paramiko.Channel, deadline: float) -> tuple[bytes, bytes]:
        stdout, stderr = bytearray(), bytearray()
        poll = select.poll()
        poll.register(channel.fileno(), select.POLLIN)
        while True:
            while channel.recv_ready():
                stdout += channel.recv(1 << 20)
            while channel.recv_stderr_ready():
                stderr += channel.recv_stderr(1 << 20)
            ended = channel.eof_received or channel.closed
            if ended and not channel.recv_ready() and not channel.recv_stderr_ready():
                return bytes(stdout), bytes(stderr)
            if not ended and not poll.poll(max(0, deadline - time.monotonic()) * 1000):
                raise self._too_slow(bytes(stdout or stderr))

    def _status(self, channel: paramiko.Channel, deadline: float) -> int:
        if not channel.status_event.wait(max(0, deadline - time.monotonic())):
            raise self._too_slow()
        status = channel.recv_exit_status()
        if status == -1:
            raise EOFError("the connection ended before the command did")
        return status

    def _too_slow(self, said: bytes = b"") -> CommandFailed:
        """A command that waits, as `docker service update` does, mostly says for what."""
        *_, last = said.decode(errors="replace").strip().splitlines() or [""]
        told = f". The last that it said: {last.strip()[:200]}" if last else ""
        return CommandFailed(
            self.host, f"`{shown(self.line)}` did not end in time; it may still be running{told}", status=124
        )


def shown(line: str) -> str:
    """A command as a sentence can hold it: its first line."""
    first, *more = line.strip().splitlines() or [""]
    return f"{first[:120]} …" if more or len(first) > 120 else first


def _feed(channel: paramiko.Channel, data: bytes | None) -> None:
    try:
        if data:
            channel.sendall(data)
        channel.shutdown_write()
    except (OSError, EOFError, paramiko.SSHException):
        return  # the command ended before it had read all: its exit status tells more than this does


def _start_with_sudo(host: str, channel: paramiko.Channel, line: str, become: Become) -> bytes:
    # sudo reads a password only if it wants one, and what it does not read goes to the command. So the password
    # is sent when sudo asks for it, never before; both signs are random, and no command prints them by chance.
    sign = secrets.token_hex(8)
    asks, ready = f"[{sign}?]".encode(), f"[{sign}!]\n".encode()
    how = ["-S", "-p", asks.decode()] if become.password else ["-n"]
    inner = f"printf '%s\\n' '[{sign}!]' >&2; {line}"
    channel.exec_command(shlex.join(["sudo", *how, "-H", "-u", become.user, "--", "sh", "-c", inner]))
    said, answered = b"", 0
    while ready not in said:
        more = channel.recv_stderr(4096)
        said += more
        if not more or said.count(asks) > 1:  # it ended, or asks again: the password was wrong
            raise AuthenticationFailed(host, _sudo_refused(said.replace(asks, b""), become))
        if said.count(asks) > answered and become.password:
            channel.sendall(become.password.reveal().encode() + b"\n")
            answered += 1
    return said.split(ready, 1)[1]


_GIVE_PASSWORD = (
    "say -K to be asked for the password (or set OVERLAYKIT_BECOME_PASSWORD), or give the login a sudo rule with "
    "NOPASSWD"
)


def _sudo_refused(said: bytes, become: Become) -> str:
    words = said.decode(errors="replace").strip().splitlines()
    reason = words[-1] if words else "no answer"
    advice = "check the password" if become.password else _GIVE_PASSWORD
    return f"sudo does not let us become {become.user} ({reason}): {advice}"
