"""A connection that reaches no host, for tests: it answers commands from a table and remembers what was asked.

connection = FakeConnection(host, {"uname -r": "6.12.0\\n", "false": CommandResult("", "", 1)})
Fleet.open(inventory, connect=lambda host: FakeConnection(host, answers))
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence

from overlaykit.remote.connection import CommandResult, Connection
from overlaykit.remote.ssh.channels import EngineSocket
from overlaykit.words.errors import CommandFailed, HostError, NoEngine
from overlaykit.words.host import Host

Answer = str | CommandResult | HostError


class FakeConnection(Connection):
    """`answers` by command line; `down`, if given, is raised by everything; `engine` opens streams, if there is one."""

    def __init__(
        self,
        host: Host,
        answers: Mapping[str, Answer] | None = None,
        *,
        down: HostError | None = None,
        engine: Callable[[], EngineSocket] | None = None,
    ) -> None:
        self.host = host
        self.down = down
        self.asked: list[str] = []
        self.files: dict[str, bytes] = {}
        self._connected = False
        self._answers = dict(answers or {})
        self._engine = engine

    @property
    def alive(self) -> bool:
        """Connected, and not closed."""
        return self._connected and self.down is None

    @property
    def engine_channels(self) -> int:
        """As over SSH."""
        return 32

    def connect(self) -> None:
        """Connect, unless down."""
        if self.down is not None:
            raise self.down
        self._connected = True

    def run(
        self,
        command: str | Sequence[str],
        *,
        input: bytes | None = None,
        timeout: float = 60,
        sudo: bool = False,
        check: bool = False,
    ) -> CommandResult:
        """The answer from the table; what is not in it was not expected."""
        self.connect()
        line = command if isinstance(command, str) else shlex.join(command)
        self.asked.append(f"sudo {line}" if sudo else line)
        answer = self._answers[line]
        if isinstance(answer, HostError):
            raise answer
        result = CommandResult(answer, "", 0) if isinstance(answer, str) else answer
        if check and result.status != 0:
            raise CommandFailed(self.host.name, f"`{line}` ended with status {result.status}", result.status)
        return result

    def open_engine(self) -> EngineSocket:
        """A stream to the stand-in for an engine."""
        self.connect()
        if self._engine is None:
            raise NoEngine(self.host.name, "there is no Docker Engine")
        return self._engine()

    def open_port(self, address: str, port: int, timeout: float) -> EngineSocket | None:
        """Nothing answers at any port."""
        self.connect()
        return None

    def put_file(self, path: str, data: bytes, *, mode: int = 0o600, sudo: bool = False) -> None:
        """Keep the file."""
        self.connect()
        self.files[path] = data

    def get_file(self, path: str, *, sudo: bool = False) -> bytes:
        """Give it back."""
        self.connect()
        return self.files[path]

    def close(self) -> None:
        """Hang up."""
        self._connected = False
