"""Logging in: the keys of the agent and of files in the order of ssh, then the password.

authenticate("node1", route, transport, password=None)
transport.is_authenticated()
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
from paramiko.agent import AgentSSH

from overlaykit.remote.ssh.route import Route
from overlaykit.words.errors import AuthenticationFailed
from overlaykit.words.secret import Secret


def authenticate(name: str, route: Route, transport: paramiko.Transport, password: Secret | None) -> None:
    """Log in with whatever key or password fits first; or say what was tried, and what would help."""
    tried: list[str] = []
    locked: list[str] = []
    missing: list[str] = []
    agent = _agent(route)
    try:
        for label, load in _keys(route, agent):
            try:
                key = load()
            except TypeError:  # what paramiko says of a key with a passphrase
                locked.append(label)
            except FileNotFoundError:
                missing.append(label)
            except (ValueError, OSError, paramiko.SSHException) as error:
                tried.append(f"{label} (cannot be read: {error})")
            else:
                tried.append(label)
                if _accepts(transport, lambda key=key: transport.auth_publickey(route.user, key)):  # type: ignore[misc]
                    return
        if password is not None:
            tried.append("the password")
            if _accepts(transport, lambda: transport.auth_password(route.user, password.reveal())):
                return
    finally:
        if agent is not None:
            agent.close()
    raise AuthenticationFailed(name, _nothing_fits(route, tried, locked, missing))


def _accepts(transport: paramiko.Transport, offer: Callable[[], list[str]]) -> bool:
    try:
        offer()
    except paramiko.AuthenticationException:
        if not transport.is_active():
            raise
    return transport.is_authenticated()


def _nothing_fits(route: Route, tried: list[str], locked: list[str], missing: list[str]) -> str:
    if missing and not (tried or locked):
        return (
            f"there is no file {', '.join(missing)}, which should be the key for {route.login}: correct its path "
            "(ansible_ssh_private_key_file in the inventory, IdentityFile in ~/.ssh/config)"
        )
    text = f"{route.login} takes none of what was offered ({', '.join(tried) or 'no key was found'})"
    text += f", and {', '.join(missing)} is not there" if missing else ""
    if locked:
        return f"{text}; {', '.join(locked)} has a passphrase: load it into the agent with ssh-add {locked[0]}"
    return f"{text}: name the right user and key, or let the key in there with ssh-copy-id"


class _Agent(AgentSSH):
    """An SSH agent at a socket of our choice; paramiko's own reads SSH_AUTH_SOCK alone."""

    def __init__(self, path: str) -> None:
        super().__init__()
        conn = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            conn.connect(path)
        except OSError:
            conn.close()
            raise
        self._connect(conn)  # type: ignore[attr-defined]

    def close(self) -> None:
        self._close()  # type: ignore[attr-defined]


def _agent(route: Route) -> _Agent | None:
    path = os.environ.get("SSH_AUTH_SOCK", "") if route.agent == "SSH_AUTH_SOCK" else route.agent
    if path.startswith("$"):
        path = os.environ.get(path[1:], "")
    if path in ("", "none"):
        return None
    try:
        return _Agent(str(Path(path).expanduser()))
    except OSError:
        return None  # a variable left over from an agent that has gone is no fault of the host


def _keys(route: Route, agent: _Agent | None) -> Iterator[tuple[str, Callable[[], paramiko.PKey]]]:
    """Keys in the order of ssh: those that are named and in the agent, the agent's others, files."""
    in_agent = list(agent.get_keys()) if agent else []
    named = {_public(file): file for file in route.key_files}
    for wanted in (True, False):
        for key in in_agent:
            file = named.get(key.get_base64())
            if (file is not None) is wanted and (wanted or not route.named_keys_only):
                yield f"{file or key.comment} from the agent", lambda key=key: key  # type: ignore[misc]
    offered = {key.get_base64() for key in in_agent}
    for public, file in named.items():
        if public not in offered and (file.is_file() or route.named_keys_only):
            yield str(file), lambda file=file: paramiko.PKey.from_path(file)  # type: ignore[misc]


def _public(file: Path) -> str:
    """The key's public half, where it lies beside it; else the file's name, which no agent has."""
    beside = file.with_name(file.name + ".pub")
    words = beside.read_text(encoding="utf-8").split() if beside.is_file() else []
    return words[1] if len(words) > 1 else str(file)
