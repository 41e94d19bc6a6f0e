"""What a name resolves to inside a task: asked there, as `docker exec` on the task's host would.

>>> len(resolve(hosts, "tasks.backend", inside="frontend"))
3
"""

from __future__ import annotations

from typing import Any

from overlaykit.kit import Hosts
from overlaykit.remote.engine import engine_errors
from overlaykit.words.errors import CommandFailed, InputError

#: It asks as any program does, and is in every image that is made from Debian. Exit status 2: there is no such name.
GETENT = ("getent", "ahostsv4")
NO_SUCH_NAME = 2


def resolve(hosts: Hosts, name: str, *, inside: str) -> list[str]:
    """The addresses of `name`, as a task of the service `inside` gets them; none where it does not resolve.

    Raises InputError where no task of that service runs, CommandFailed where its image cannot ask.
    """
    swarm = hosts.look().swarm
    tasks = swarm.running(inside) if swarm else ()
    if not tasks:
        raise InputError(f"no task of {inside} runs, so nobody can be asked there what {name} resolves to")
    host = hosts[tasks[0].host]
    with engine_errors(host.name):
        answer: Any = host.docker.containers.get(tasks[0].container).exec_run([*GETENT, name])
    status, said = int(answer.exit_code), str(answer.output, "utf-8", "replace")
    if status not in (0, NO_SUCH_NAME):
        raise CommandFailed(host.name, f"{GETENT[0]} in {tasks[0].name} ended with {status}: {said}", status)
    return sorted({line.split()[0] for line in said.splitlines()})
