"""Why a host refuses a channel to Docker's socket, and the way round: `docker system dial-stdio`.

sshd says the same two words for everything ("open failed"): a socket that is not there, one that this login may
not open, an engine that is down, and a server that forbids such channels. So the host itself is asked.
"""

from __future__ import annotations

import shlex

from overlaykit.remote.connection import Connection
from overlaykit.words.errors import EngineForbidden, EngineSilent, NoEngine
from overlaykit.words.host import Host

_LOOK = """PATH=$PATH:/usr/sbin:/usr/local/sbin
if [ -S {socket} ] && [ -r {socket} ] && [ -w {socket} ]; then echo open
elif [ -S {socket} ]; then echo closed
elif command -v dockerd >/dev/null; then echo stopped
else echo missing; fi"""


def dial_command(host: Host) -> str:
    """The command whose two ends are a stream to the engine."""
    return shlex.join(["docker", "-H", f"unix://{host.docker_socket}", "system", "dial-stdio"])


def needs_sudo_to_dial(connection: Connection, login: str, *, may_sudo: bool) -> bool:
    """Whether dialling takes sudo; or the sentence that says why no way leads to the engine."""
    host, socket = connection.host, connection.host.docker_socket
    state = connection.run(_LOOK.format(socket=shlex.quote(socket)), check=True).stdout.strip()
    if state == "missing":
        raise NoEngine(host.name, f"there is no Docker Engine (no {socket}, no dockerd): install Docker on it")
    if state == "stopped":
        raise EngineSilent(
            host.name,
            f"Docker is installed, but there is no {socket}: start it with sudo systemctl start docker",
        )
    if state == "closed" and not may_sudo:
        raise EngineForbidden(
            host.name,
            f"{login} may not open {socket}: let it with sudo usermod -aG docker {login} (then log in anew), or set"
            " ansible_become=true for this host",
        )
    sudo = state == "closed"
    _try_to_dial(connection, sudo=sudo)
    return sudo


def _try_to_dial(connection: Connection, *, sudo: bool) -> None:
    host, socket = connection.host, connection.host.docker_socket
    tried = connection.run(["docker", "-H", f"unix://{socket}", "version", "-f", "{{.Server.Version}}"], sudo=sudo)
    if tried.status == 0:
        return
    if tried.status == 127:
        raise EngineSilent(
            host.name,
            f"{socket} cannot be reached: either the engine is down (sudo systemctl restart docker), or sshd forbids"
            " it (set AllowStreamLocalForwarding yes, or install the docker command there)",
        )
    said = tried.stderr.strip().splitlines()
    raise EngineSilent(
        host.name,
        f"the engine behind {socket} does not answer ({said[-1] if said else 'no word from docker version'}):"
        " see sudo systemctl status docker",
    )
