"""Every error of the kit, as a map. Each one's text is a sentence a person can act on.

    OverlaykitError                 the root: whoever catches this has caught all
    ├── InputError                  what a person wrote cannot be used          (exit 2)
    │   ├── InventoryError          hosts.ini, or the JSON of ansible-inventory
    │   └── StackError              stack.toml, or --set NAME=VALUE
    ├── HostError                   one host; carries its name                  (exit 1)
    │   ├── ConnectionRefused       nothing listens on its SSH port
    │   ├── ConnectionTimedOut      it does not answer at all
    │   ├── HostNotFound            its name resolves to no address
    │   ├── ConnectionLost          it answered, then went away
    │   ├── HostKeyUnknown          nobody has vouched for its key yet
    │   ├── HostKeyChanged          it shows another key than the one on record
    │   ├── AuthenticationFailed    it does not take our key or password
    │   ├── CommandFailed           a command on it ended badly
    │   ├── NoEngine                no Docker on it
    │   ├── EngineForbidden         Docker's socket is not ours to open
    │   ├── EngineSilent            Docker's socket is there, the engine does not answer
    │   └── EngineRefused           the engine said no; carries its own words
    ├── PlanRefused                 what is asked must not or cannot be done     (exit 1)
    ├── ApplyFailed                 some steps did not end well; carries the Result (words/plan.py)
    ├── DeadlinePassed              a condition did not come true in time; carries the reason
    ├── Cancelled                   somebody pressed the button
    └── LabError                    the practice hosts                          (exit 1)
        └── LabNotPossible          what this machine lacks for them, and the command that helps

Errors of paramiko become HostErrors in `remote/ssh/errors.py`, errors of the Docker SDK in `remote/engine.py`:
nowhere else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong in what a person wrote: where it stands, and what to do about it.

    >>> print(Problem("'22a' is not a port: write a number from 1 to 65535",
    ...               file="hosts.ini", line=7, section="workers", host="node2", key="ansible_port"))
    hosts.ini:7: [workers] node2: ansible_port: '22a' is not a port: write a number from 1 to 65535
    """

    text: str
    file: str = ""
    line: int = 0
    section: str = ""
    host: str = ""
    key: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file and self.line else f"{self.file}: " if self.file else ""
        section = f"[{self.section}]" if self.section else ""
        where = " ".join(part for part in (section, self.host) if part)
        return place + "".join(f"{part}: " for part in (where, self.key) if part) + self.text


class OverlaykitError(Exception):
    """The root of all errors of the kit."""

    exit_code = 1

    if os.environ.get("OVERLAYKIT_DEBUG") != "1":

        def _render_traceback_(self) -> list[str]:
            """What a notebook shows in place of a traceback (IPython asks an error for this): its sentences."""
            return str(self).splitlines()


class InputError(OverlaykitError):
    """What a person wrote cannot be used. `problems` names every fault, not the first alone."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        self.problems = (Problem(problems),) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InventoryError(InputError):
    """The inventory cannot be used."""


class StackError(InputError):
    """The stack file, or a parameter set by hand, cannot be used."""


class HostError(OverlaykitError):
    """Something about one host. `host` is its name in the inventory."""

    def __init__(self, host: str, text: str) -> None:
        self.host = host
        self.text = text
        super().__init__(f"{host}: {text}")


class ConnectionRefused(HostError):
    """Nothing listens on the host's SSH port."""


class ConnectionTimedOut(HostError):
    """The host does not answer at all."""


class HostNotFound(HostError):
    """The host's name resolves to no address."""


class ConnectionLost(HostError):
    """The host answered, then went away."""


class HostKeyUnknown(HostError):
    """Nobody has vouched for the host's key yet; the text shows its fingerprint."""


class HostKeyChanged(HostError):
    """The host shows another key than the one on record."""


class AuthenticationFailed(HostError):
    """The host takes neither our keys nor our password."""


class CommandFailed(HostError):
    """A command on the host ended with another exit status than 0."""

    def __init__(self, host: str, text: str, status: int = 1) -> None:
        self.status = status
        super().__init__(host, text)


class NoEngine(HostError):
    """No Docker Engine on the host."""


class EngineForbidden(HostError):
    """The login may not open Docker's socket."""


class EngineSilent(HostError):
    """Docker's socket is there, but the engine does not answer."""


class EngineRefused(HostError):
    """The engine said no. `status` is the HTTP status of its answer."""

    def __init__(self, host: str, text: str, status: int = 0) -> None:
        self.status = status
        super().__init__(host, text)


#: What a refusal says of itself.
_NOTHING = re.compile(r"\b([Nn])othing was changed")


class PlanRefused(OverlaykitError):
    """What is asked must not be done, or cannot be; nothing was changed. One reason per line."""

    def __init__(self, reasons: Sequence[str] | str) -> None:
        self.reasons = (reasons,) if isinstance(reasons, str) else tuple(reasons)
        super().__init__("\n".join(self.reasons))

    def after(self, done: Sequence[str]) -> PlanRefused:
        """The same, where something else had been done before: `refused.after(["swarm", "network"])`."""
        if not done:
            return self
        said = [_NOTHING.sub(r"\1othing more was changed", reason) for reason in self.reasons]
        return type(self)([*said, f"Before that had been carried out: {' and '.join(done)}."])


class DeadlinePassed(OverlaykitError):
    """A condition did not come true in time; the text says what was seen instead."""


class Cancelled(OverlaykitError):
    """The work was cancelled; what was begun can be completed by applying again."""


class LabError(OverlaykitError):
    """The practice hosts did not do what was asked of them."""


class LabInputError(LabError, InputError):
    """What was written of practice hosts cannot be used."""


class LabNotPossible(LabError):
    """This machine lacks something; the text names it, and the command that helps."""
