"""How SSH reaches a host: what the inventory says, completed by ~/.ssh/config.

    route = route_to(host)
    route.hostname, route.port, route.user, route.proxy_jump

Where the OpenSSH client is installed, `ssh -G` is asked: it alone knows all of Include, Match and the tokens.
"""

from __future__ import annotations

import getpass
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import paramiko

from overlaykit.words.errors import HostError
from overlaykit.words.host import Host

_JUMP = re.compile(r"(?:ssh://)?(?:(?P<user>.+)@)?(?P<host>\[[^]]+\]|[^:@]+)(?::(?P<port>\d+))?/?")


@dataclass(frozen=True)
class Route:
    """Everything needed to knock at one SSH server and to know that it is the right one."""

    hostname: str
    port: int
    user: str
    key_files: tuple[Path, ...] = ()
    named_keys_only: bool = False  # offer of the agent's keys only those that key_files name
    agent: str = "SSH_AUTH_SOCK"  # or a socket's path, or "none"
    known_hosts: tuple[Path, ...] = ()
    key_alias: str | None = None
    proxy_jump: str | None = None
    proxy_command: str | None = None

    @property
    def known_as(self) -> str:
        """The host's name in known_hosts."""
        name = self.key_alias or self.hostname
        return name if self.port == 22 or self.key_alias else f"[{name}]:{self.port}"

    @property
    def login(self) -> str:
        """For messages: user@host:port."""
        return f"{self.user}@{self.hostname}:{self.port}"


def route_to(host: Host, config: Path | None = None) -> Route:
    """The way to `host`. What the inventory says wins over the file `config` (None: ~/.ssh/config)."""
    route = _resolve(host.name, host.address, host.user, host.port, config)
    if host.key_file:
        route = replace(route, key_files=(Path(host.key_file).expanduser(),), named_keys_only=True)
    if host.known_hosts:
        route = replace(route, known_hosts=(Path(host.known_hosts).expanduser(),))
    if host.proxy_jump:
        route = replace(route, proxy_jump=host.proxy_jump, proxy_command=None)
    return route


def routes_of_jumps(name: str, jumps: str, config: Path | None = None, behind: tuple[str, ...] = ()) -> list[Route]:
    """The way to each jump host of `[user@]host[:port][,…]`, and to those on the way there; first to pass first."""
    if jumps in behind:
        raise HostError(name, f"the jump hosts go in a circle ({' behind '.join((*behind, jumps))}): see ~/.ssh/config")
    routes = [_jump(name, jump.strip(), config) for jump in jumps.split(",")]
    if further := routes[0].proxy_jump:
        return [*routes_of_jumps(name, further, config, (*behind, jumps)), *routes]
    return routes


def _jump(name: str, jump: str, config: Path | None) -> Route:
    match = _JUMP.fullmatch(jump)
    if match is None:
        raise HostError(name, f"the jump host {jump!r} is not understood: write [user@]host[:port]")
    port = int(match["port"]) if match["port"] else None
    return _resolve(name, match["host"].strip("[]"), match["user"], port, config)


def _resolve(name: str, address: str, user: str | None, port: int | None, config: Path | None) -> Route:
    if ssh := shutil.which("ssh"):
        options = [*(("-F", str(config)) if config else ()), *(("-l", user) if user else ())]
        options += ["-p", str(port)] if port else []
        said = _ask_openssh(name, [ssh, "-G", *options, "--", address])
    else:
        said = _read_config(name, address, user, port, config)
    jump, command = _word(said, "proxyjump"), _word(said, "proxycommand")
    return Route(
        hostname=_word(said, "hostname") or address,
        port=port or int(_word(said, "port") or 22),
        user=user or _word(said, "user") or getpass.getuser(),
        key_files=_paths(said.get("identityfile", ())),
        named_keys_only=_word(said, "identitiesonly") == "yes",
        agent=_word(said, "identityagent") or "SSH_AUTH_SOCK",
        known_hosts=_paths(
            path for key in ("userknownhostsfile", "globalknownhostsfile") for path in (_word(said, key) or "").split()
        ),
        key_alias=_word(said, "hostkeyalias"),
        proxy_jump=None if jump == "none" else jump,
        proxy_command=None if command == "none" else command,
    )


def _ask_openssh(name: str, command: Sequence[str]) -> Mapping[str, Sequence[str]]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode != 0:
        raise HostError(name, f"ssh cannot use its configuration (`{shlex.join(command)}`): {done.stderr.strip()}")
    said: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        key, _, value = line.partition(" ")
        said.setdefault(key.lower(), []).append(value)
    return said


def _read_config(
    name: str, address: str, user: str | None, port: int | None, config: Path | None
) -> Mapping[str, Sequence[str]]:
    """The same where no OpenSSH is installed, as far as paramiko can tell."""
    file = config or Path("~/.ssh/config").expanduser()
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    if re.search(r"^\s*include\b", text, re.IGNORECASE | re.MULTILINE):
        raise HostError(name, f"{file} has an Include, which only OpenSSH's client can follow: install openssh-client")
    # What was asked for comes first, as an option of `ssh` does: `%p` and `%r` in a command stand for it.
    asked = [f"{key} {value}" for key, value in (("Port", port), ("User", user)) if value]
    said = paramiko.SSHConfig.from_text("\n".join(["Host *", *asked, text])).lookup(address)
    found = {key: [value] if isinstance(value, str) else list(value) for key, value in said.items()}
    found.setdefault("userknownhostsfile", ["~/.ssh/known_hosts"])
    found.setdefault("globalknownhostsfile", ["/etc/ssh/ssh_known_hosts"])
    found.setdefault("identityfile", [f"~/.ssh/id_{kind}" for kind in ("ed25519", "ecdsa", "rsa")])
    return found


def _word(said: Mapping[str, Sequence[str]], key: str) -> str | None:
    return said[key][0] if said.get(key) else None


def _paths(names: Iterable[str]) -> tuple[Path, ...]:
    return tuple(Path(name).expanduser() for name in names)
