"""What a name resolves to inside a task: asked there, as `docker exec` on the task's host would.

>>> len(resolve(hosts, "tasks.backend", inside="frontend"))
3
"""

from __future__ import annotations

from typing import Any

from overlaykit.kit import Hosts
from overlaykit.lessons.tasks import running_on
from overlaykit.remote.engine import engine_errors
from overlaykit.words.errors import CommandFailed, InputError

#: It asks as any program does, and is in every image that is made from Debian. Exit status 2: there is no such name.
GETENT = ("getent", "ahostsv4")
NO_SUCH_NAME = 2


def resolve(hosts: Hosts, name: str, *, inside: str) -> list[str]:
    """The addresses of `name`, as a task of the service `inside` gets them; none where it does not resolve.

    Raises InputError where no task of that service runs, CommandFailed where its image cannot ask, PlanRefused where
    there is no swarm, HostError where its manager does not answer.
    """
    tasks = running_on(hosts, inside)
    if not tasks:
        raise InputError(f"no task of {inside} runs, so nobody can be asked there what {name} resolves to")
    where, container = tasks[0]
    with engine_errors(where):
        answer: Any = hosts[where].docker.containers.get(container).exec_run([*GETENT, name])
    status, said = int(answer.exit_code), str(answer.output, "utf-8", "replace")
    if status not in (0, NO_SUCH_NAME):
        raise CommandFailed(where, f"{GETENT[0]} in the task of {inside} there ended with {status}: {said}", status)
    return sorted({line.split()[0] for line in said.splitlines()})
