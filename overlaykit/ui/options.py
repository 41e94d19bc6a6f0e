"""The options that every command on hosts has in common, and what they choose: the target.

@click.command()
@on_hosts
def check(run: Run, target: Target) -> int:
    with target.connect(run) as hosts:
        hosts.discovery(target.stack()).prove()
"""

from __future__ import annotations

import functools
import getpass
import os
import shlex
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from overlaykit.ui.envelope import Envelope
from overlaykit.ui.screen import Screen
from overlaykit.words.errors import InputError
from overlaykit.words.secret import Secret
from overlaykit.words.stack import Stack
from overlaykit.words.stack_file import with_settings

if TYPE_CHECKING:  # kit.py brings Docker's SDK and paramiko: `--help` must not wait for them
    from overlaykit.kit import Hosts

STACK_FILE = "stack.toml"
BECOME_PASSWORD = "OVERLAYKIT_BECOME_PASSWORD"

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass
class Run:
    """One run of the command line: where its words go, what it collects for machines, how it connects."""

    screen: Screen
    envelope: Envelope
    connect: Callable[..., Hosts]


@dataclass(frozen=True)
class Target:
    """Which hosts, and what is wanted on them."""

    inventory: str | None = None
    stack_file: str | None = None
    settings: tuple[str, ...] = ()
    managers: str = "managers"
    workers: str = "workers"
    become_password: Secret | None = field(default=None, repr=False)
    asks_become_password: bool = False

    def stack(self) -> Stack:
        """The stack: the file that is named, else stack.toml in this folder, else the defaults; then --set."""
        file = self.stack_file or (STACK_FILE if Path(STACK_FILE).is_file() else None)
        return with_settings(Stack.load(file) if file else Stack(), self.settings)

    def connect(self, run: Run, *, adopt: bool = False) -> Hosts:
        """The hosts, connected. They may be looked at only, until a person agrees to a plan (carry_out.py)."""
        hosts = run.connect(
            self.inventory,
            adopt=adopt,
            managers=self.managers,
            workers=self.workers,
            become_password=self.become_password,
        )
        inventory = hosts.inventory
        run.envelope.add_hosts(inventory, errors=hosts.unreachable.values())
        # Which hosts they are is often nobody's choice but the rule's: say it before anything happens to them.
        where = f"lab {inventory.lab}" if inventory.lab else inventory.source
        run.screen.say(f"{where}: {', '.join(host.name for host in inventory.hosts)}", style="dim")
        return hosts

    def command(self, name: str, *options: str) -> str:
        """The command that does `name` to the same target, for a person to copy; `options` are its own."""
        words = ["overlaykit", name]
        words += ["--inventory", self.inventory] if self.inventory else []
        words += ["--stack", self.stack_file] if self.stack_file else []
        words += [word for setting in self.settings for word in ("--set", setting)]
        words += ["--managers", self.managers] if self.managers != "managers" else []
        words += ["--workers", self.workers] if self.workers != "workers" else []
        words += ["-K"] if self.asks_become_password else []
        return shlex.join([*words, *options])


def on_hosts(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the common options; it is called with the run and the target."""

    @functools.wraps(command)
    def with_target(run: Run, /, ask_become_pass: bool, **given: Any) -> int:
        chosen = {key: given.pop(key) for key in ("inventory", "stack_file", "settings", "managers", "workers")}
        password = _become_password(ask_become_pass)
        target = Target(**chosen, become_password=password, asks_become_password=ask_become_pass)
        return command(run, target, **given)

    decorated = click.pass_obj(with_target)
    for option in reversed(_COMMON):
        decorated = option(decorated)
    return for_machines(decorated)


def for_machines(command: Decorated) -> Decorated:
    """Give a command `--json`."""
    return click.option(
        "--json",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_speak_to_machines,
        help="Print one JSON object for a program; words go to standard error.",
    )(command)


_COMMON = (
    click.option(
        "--inventory",
        metavar="FILE",
        help="Ansible inventory of the hosts, or `lab` (`lab:NAME`) for practice hosts. Default: "
        "OVERLAYKIT_INVENTORY, else hosts.ini in this folder or the one above, else the running lab.",
    ),
    click.option(
        "--stack",
        "stack_file",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False),
        help=f"Parameters of the stack. Default: {STACK_FILE} in this folder, else the kit's own.",
    ),
    click.option(
        "--set",
        "settings",
        metavar="NAME=VALUE",
        multiple=True,
        help="One parameter, such as frontend.replicas=3; may be given again.",
    ),
    click.option("--managers", metavar="GROUP", default="managers", help="Inventory group of the managers."),
    click.option("--workers", metavar="GROUP", default="workers", help="Inventory group of the workers."),
    click.option(
        "-K",
        "--ask-become-pass",
        is_flag=True,
        help=f"Ask for the sudo password of the hosts (or set {BECOME_PASSWORD}).",
    ),
)


yes_option = click.option("-y", "--yes", is_flag=True, help="Do not ask before changing hosts that no lab made.")


def _speak_to_machines(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    run = context.find_object(Run)
    if run is not None:
        run.screen.machine = wanted
        run.envelope.command = command_name(context)


def command_name(context: click.Context | None) -> str:
    """`lab up`: the command without the program's own name."""
    return context.command_path.partition(" ")[2] if context else ""


def _become_password(ask: bool) -> Secret | None:
    """What a person types, unseen; where nobody can, or nobody is to be asked, what the environment holds."""
    held = os.environ.get(BECOME_PASSWORD)
    if ask:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # without a terminal it would be seen, or be nothing
            try:
                return Secret(click.prompt("sudo password of the hosts", hide_input=True, err=True))
            except getpass.GetPassWarning:
                if not held:
                    raise InputError(
                        f"-K asks for the hosts' sudo password, and nobody can type it here: set {BECOME_PASSWORD}"
                    ) from None
    return Secret(held) if held else None
