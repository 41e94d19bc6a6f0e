"""What a connection to a host can do, the kit's seam: `ssh/connect.py` is the real one, `fake.py` that for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from overlaykit.remote.ssh.channels import EngineSocket
from overlaykit.words.host import Host


@dataclass(frozen=True)
class CommandResult:
    """What a command left behind. Prints as its output."""

    stdout: str
    stderr: str
    status: int

    def __str__(self) -> str:
        return self.stdout


class Connection(Protocol):
    """All that the kit asks of a host's connection."""

    host: Host

    def connect(self) -> None:
        """Connect, if there is no connection or it was lost. All else here does so by itself."""

    @property
    def alive(self) -> bool:
        """Whether the connection stands, as far as is known without asking."""

    def run(
        self,
        command: str | Sequence[str],
        *,
        input: bytes | None = None,
        timeout: float = 60,
        sudo: bool = False,
        check: bool = False,
    ) -> CommandResult:
        """Run a command: a string goes through the host's shell, a list is taken word by word."""

    def open_engine(self) -> EngineSocket:
        """A fresh stream to the host's Docker socket."""

    @property
    def engine_channels(self) -> int:
        """How many such streams may be open at once."""

    def open_port(self, address: str, port: int, timeout: float) -> EngineSocket | None:
        """A stream to a TCP port as the host's own network sees it; None where nothing answers there."""

    def put_file(self, path: str, data: bytes, *, mode: int = 0o600, sudo: bool = False) -> None:
        """Write a file on the host, whole or not at all."""

    def get_file(self, path: str, *, sudo: bool = False) -> bytes:
        """Read a file of the host."""

    def close(self) -> None:
        """Hang up. Using it again connects anew."""
