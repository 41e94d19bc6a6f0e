"""A person's desk: a home with an SSH key, a folder to work in, a terminal, and a network in which there are servers.

    with Desk(folder, addresses=["192.0.2.11"]) as desk:
        with desk.terminal() as terminal:
            terminal.type("overlaykit hosts").failed

The network is a namespace of its own: the servers' addresses are on its loopback and nothing leads out of it, so what
is typed here reaches those servers and nobody else's. Neither root nor the person's own ~/.ssh is needed.
"""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

#: SSH asks the list of users, not HOME, where a home is; so the list that is seen here has another. Whoever calls an
#: address of this machine calls from that very address, which a server would take for its own: so from 127.0.0.1.
_FURNISH = """
mount --bind "$1" /etc/passwd
ip link set lo up
shift
for address; do %s; done
echo ready
exec cat >/dev/null
"""
_REACH = 'ip addr add "$address/32" dev lo; ip route replace local "$address" dev lo table local src 127.0.0.1'
_LOSE = 'ip addr del "$address/32" dev lo; ip route del local "$address" dev lo table local'
_DONE = re.compile(r"@@done\n(.*?)@@\n", re.DOTALL)


@dataclass(frozen=True)
class Typed:
    """What came of some lines: all that was shown, and the commands that failed, each with its status."""

    seen: str
    failed: tuple[str, ...] = ()


@dataclass
class Desk:
    """Opened once; ends with all that was started at it."""

    folder: Path
    addresses: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        (self.home / ".ssh").mkdir(parents=True, mode=0o700)
        self.work.mkdir()
        users = self.folder / "passwd"
        users.write_text(f"root:x:0:0:root:{self.home}:/bin/bash\n")
        own = ["--user", "--map-root-user"] if os.geteuid() else []
        words = ["unshare", *own, "--net", "--mount", "sh", "-ec", _FURNISH % _REACH, "sh", str(users), *self.addresses]
        self._keeper = subprocess.Popen(
            words, env=self.seen_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._keeper.stdout and self._keeper.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        with self._keeper as keeper:
            keeper.kill()

    @property
    def home(self) -> Path:
        """With .ssh in it."""
        return self.folder / "home"

    @property
    def work(self) -> Path:
        """Where commands are typed."""
        return self.folder / "work"

    def inside(self, folder: Path | None = None) -> list[str]:
        """What goes before a command so that it runs here."""
        own = ["--user", "--preserve-credentials"] if os.geteuid() else []
        return ["nsenter", "--target", str(self._keeper.pid), *own, "--net", "--mount", f"--wd={folder or self.work}"]

    def seen_environment(self) -> dict[str, str]:
        """As a person has it, and the kit on its path."""
        kept = {name: os.environ[name] for name in ("LANG", "PYTHONPATH", "TMPDIR") if name in os.environ}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin:/sbin"
        plain = {"TERM": "dumb", "COLUMNS": "200", "USER": "root", "SHELL": "/bin/bash"}
        return {**kept, **plain, "PATH": path, "HOME": str(self.home), **self.environment}

    def run(self, *words: str, input: str | None = None, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """A command, without a terminal."""
        return subprocess.run(
            [*self.inside(), *words],
            env=self.seen_environment(), input=input, capture_output=True, text=True, check=False, timeout=seconds,
        )  # fmt: skip

    @contextmanager
    def without(self, *addresses: str) -> Iterator[None]:
        """Inside, these cannot be reached from here."""
        self._for_each(_LOSE, addresses)
        try:
            yield
        finally:
            self._for_each(_REACH, addresses)

    def _for_each(self, what: str, addresses: Sequence[str]) -> None:
        done = self.run("sh", "-ec", f"for address; do {what}; done", "sh", *addresses)
        assert done.returncode == 0, done.stderr

    @contextmanager
    def terminal(self, answers: Mapping[str, str]) -> Iterator[Terminal]:
        """A shell in which what is typed stays: variables, an agent. `answers`: what to say to which question."""
        terminal = Terminal(self, answers)
        try:
            yield terminal
        finally:
            terminal.close()


class Terminal:
    """A shell on a pseudo-terminal, so that whoever asks a person can ask."""

    def __init__(self, desk: Desk, answers: Mapping[str, str]) -> None:
        self._script = desk.folder / "typed.sh"
        self._answers = {re.compile(question + r"\s*$"): answer for question, answer in answers.items()}
        self._screen, theirs = pty.openpty()
        settings = termios.tcgetattr(theirs)
        settings[1] &= ~termios.ONLCR
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, settings)
        words = ["setsid", "--ctty", *desk.inside(), "bash", "--noprofile", "--norc", "--noediting"]
        environment = {**desk.seen_environment(), "PS1": "", "PS2": ""}
        self._shell = subprocess.Popen(words, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)

    def type(self, lines: str, seconds: float = 900) -> Typed:
        """Type some lines, answer what is asked, and wait until the last command has ended."""
        self._script.write_text(f"{lines}\n:\n")  # the last command's failure is its own, not that of the whole
        os.write(
            self._screen,
            f"failed=; trap 'failed=\"$failed$? $BASH_COMMAND\"$'\"'\\n'\"'' ERR; . {self._script}; trap - ERR; "
            "printf '@@done\\n%s@@\\n' \"$failed\"\n".encode(),
        )
        seen = self._watch(time.monotonic() + seconds)
        done = _DONE.search(seen)
        assert done
        return Typed(seen[: done.start()], tuple(done[1].splitlines()))

    def _watch(self, deadline: float) -> str:
        seen, answered = "", 0
        while not _DONE.search(seen):
            assert select.select([self._screen], [], [], max(0.0, deadline - time.monotonic()))[0], f"stuck:\n{seen}"
            seen += os.read(self._screen, 65536).decode(errors="replace")
            for question, answer in self._answers.items():
                if question.search(seen, answered):
                    answered = len(seen)
                    os.write(self._screen, f"{answer}\n".encode())
        return seen

    def close(self) -> None:
        """End the shell, and the agent that was started in it."""
        os.write(self._screen, b'[ -z "$SSH_AGENT_PID" ] || kill "$SSH_AGENT_PID"; exit\n')
        try:
            self._shell.wait(10)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._shell.pid, signal.SIGKILL)
            self._shell.wait()
        os.close(self._screen)
