"""The practice hosts from the command line.

overlaykit lab up --hosts 3
overlaykit lab ssh node2 docker ps
overlaykit lab power node2 off
overlaykit lab down
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import click

from overlaykit.ui.options import Run, for_machines
from overlaykit.ui.progress import lines
from overlaykit.ui.tables import table
from overlaykit.words.errors import LabError
from overlaykit.words.host import DEFAULT_LAB, lab_option


def in_lab(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the lab's name and the run."""
    named = click.option("--name", default=DEFAULT_LAB, metavar="NAME", help="Which lab; `default` where not said.")
    return named(click.pass_obj(command))


def of_kind(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the kind of practice hosts that was asked for."""
    kinds = click.Choice(["kernels", "containers"])
    return click.option("--backend", type=kinds, help="Which kind of hosts; what suits this machine where not said.")(
        command
    )


class InOrder(click.Group):
    """Lists its commands in the order in which a person meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As they were added."""
        return list(self.commands)


@click.group(cls=InOrder)
def lab() -> None:
    """Start, enter and stop practice hosts on this machine.

    Each has a disk and a Docker Engine of its own; on x86-64 Linux a kernel too, elsewhere it is a container.

    \b
    $ overlaykit lab up --hosts 3
    $ overlaykit lab ssh node2 docker info
    $ overlaykit lab down
    """


@lab.command()
@click.option("--hosts", "count", type=click.IntRange(1), help="How many; 3 where not said.")
@click.option("--managers", type=click.IntRange(1), help="How many are managers (1).")
@of_kind
@for_machines
@in_lab
def up(run: Run, name: str, count: int | None, managers: int | None, backend: str | None) -> int:
    """Start practice hosts, after building them where need be.

    Each has a kernel of its own on x86-64 Linux, and is a container on this machine's Docker elsewhere.
    Safe to repeat: what runs already is left alone.

    \b
    $ overlaykit lab up --hosts 5
    """
    from overlaykit.lab import lab as practice  # noqa: PLC0415  (so that --help is quick)

    with lines(run.screen) as observer:
        practice.up(name, hosts=count, managers=managers, backend=backend, observer=observer)
    _show(run, name)
    _say_next(run, name)
    return 0


@lab.command()
@click.option("--cache", is_flag=True, help="Remove what was built too; the next `lab up` builds again.")
@for_machines
@in_lab
def down(run: Run, name: str, cache: bool) -> int:
    """Stop the practice hosts and remove all that is theirs.

    \b
    $ overlaykit lab down
    """
    from overlaykit.lab import lab as practice  # noqa: PLC0415
    from overlaykit.materials import forget_lab  # noqa: PLC0415

    with lines(run.screen) as observer:
        found = practice.down(name, observer=observer)
        forget_lab(name)
        run.screen.say(f"Lab {name} is gone." if found else f"There is no lab {name}.")
        if cache:
            practice.forget_builds(observer)
            run.screen.say("What was built for labs is gone, too.")
    return 0


@lab.command()
@for_machines
@in_lab
def status(run: Run, name: str) -> int:
    """Show which practice hosts run and how they are reached.

    Exits 1 when the lab is not there or a host of it does not run.

    \b
    $ overlaykit lab status --json
    """
    return 0 if _show(run, name) else 1


@lab.command(context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True})
@click.argument("node")
@click.argument("words", metavar="[COMMAND]...", nargs=-1, type=click.UNPROCESSED)
@in_lab
def ssh(run: Run, name: str, node: str, words: tuple[str, ...]) -> NoReturn:
    """Open a shell on NODE, or run COMMAND there and exit as it does.

    \b
    $ overlaykit lab ssh node2
    $ overlaykit lab ssh node2 docker ps
    """
    from overlaykit.lab import lab as practice  # noqa: PLC0415

    command = practice.ssh_command(name, node, " ".join(words))
    try:
        os.execvp(command[0], command)
    except FileNotFoundError:
        raise LabError("there is no ssh on this machine: apt-get install openssh-client") from None


@lab.command()
@click.argument("node")
@for_machines
@in_lab
def logs(run: Run, name: str, node: str) -> int:
    """Show the console of NODE: what its kernel and its start said.

    \b
    $ overlaykit lab logs node2
    """
    from overlaykit.lab import lab as practice  # noqa: PLC0415

    text = practice.logs(name, node)
    run.envelope.hosts = [{"name": node, "console": text.splitlines()}]
    if not run.screen.machine:
        run.screen.say(text)
    return 0


@lab.command()
@click.argument("node")
@click.argument("state", type=click.Choice(["on", "off"]))
@for_machines
@in_lab
def power(run: Run, name: str, node: str, state: str) -> int:
    """Pull the plug of NODE, or put it back.

    Its disk keeps the swarm and the data.

    \b
    $ overlaykit lab power node2 off
    """
    from overlaykit.lab import lab as practice  # noqa: PLC0415

    with lines(run.screen) as observer:
        practice.power(name, node, on=state == "on", observer=observer)
    run.screen.say(f"{node} is {state}.")
    return 0


@lab.command()
@click.argument("node")
@for_machines
@in_lab
def reset(run: Run, name: str, node: str) -> int:
    """Give NODE a fresh disk, as if it had just been installed.

    \b
    $ overlaykit lab reset node2
    """
    from overlaykit.lab import lab as practice  # noqa: PLC0415

    with lines(run.screen) as observer:
        practice.reset(name, node, observer=observer)
    run.screen.say(f"{node} is as new.")
    return 0


@lab.command()
@of_kind
@for_machines
@click.pass_obj
def build(run: Run, backend: str | None) -> int:
    """Build what practice hosts run from.

    A kernel, a disk and the tiers' images: done once, kept in the cache. For containers: an image and a
    volume on this machine's Docker.

    \b
    $ overlaykit lab build
    """
    from overlaykit.lab import lab as practice  # noqa: PLC0415

    with lines(run.screen) as observer:
        built = practice.build(observer, backend)
    run.screen.say(f"Built: {built.path}")
    if built.contents.exists():
        run.screen.say(f"What in it other people made, and under which licences: {built.contents}")
    return 0


@lab.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write over a FILE that is there.")
@for_machines
@click.pass_obj
def export(run: Run, file: Path, force: bool) -> int:
    """Write what practice hosts run from to FILE, to carry it elsewhere.

    Kernel, wire, disk and images as one file (a tar under zstd), with the list of what is inside. Built where need be.

    \b
    $ overlaykit lab export lab.tar.zst
    """
    from overlaykit.lab.carry import export_build  # noqa: PLC0415

    with lines(run.screen) as observer:
        export_build(file, observer, force=force)
    run.screen.say(f"Written: {file}, {file.stat().st_size / 1e6:.0f} MB. Elsewhere: overlaykit lab import {file.name}")
    return 0


@lab.command("import")
@click.argument("source", metavar="FILE|URL")
@for_machines
@click.pass_obj
def import_(run: Run, source: str) -> int:
    """Take what practice hosts run from out of FILE or URL.

    It takes the place of building, and takes no root and no internet. A download that was cut goes on
    where it was. What does not fit this overlaykit, or is not as it was exported, is refused. What is
    imported runs as you: take it from whom you trust.

    \b
    $ overlaykit lab import lab.tar.zst
    """
    from overlaykit.lab.carry import import_build  # noqa: PLC0415

    with lines(run.screen) as observer:
        built = import_build(source, observer)
    run.screen.say(f"Here: {built.path}")
    run.screen.say("Next: overlaykit lab up")
    return 0


@lab.command()
@for_machines
@click.pass_obj
def ready(run: Run) -> int:
    """Try whether this machine can run the lessons.

    Builds what practice hosts run from, starts one, runs a container on it, and takes the host away again.

    \b
    $ overlaykit lab ready
    """
    from overlaykit.ui.ready import HOSTS, try_this_machine  # noqa: PLC0415

    with lines(run.screen) as observer:
        kernel = try_this_machine(observer)
    run.screen.say(f"A container ran on a practice host, whose kernel is Linux {kernel}.")
    run.screen.say(
        f"READY: there is room for {HOSTS} of them. Next: `make lab`, or without a clone `overlaykit lab up`"
    )
    return 0


def _show(run: Run, name: str) -> bool:
    """The lab's hosts: do all of them run?"""
    from overlaykit.lab import lab as practice  # noqa: PLC0415

    seen = practice.status(name)
    if not seen:
        raise LabError(f"there is no lab {name}: overlaykit lab up{lab_option(name)} makes one")
    run.envelope.hosts = [asdict(host) for host in seen]
    rows = [
        (host.name, host.role, "running" if host.running else "off", host.login, f"http://{host.published}")
        for host in seen
    ]
    run.screen.show(table(("host", "role", "state", "SSH", "its port 80"), rows))
    return all(host.running for host in seen)


def _say_next(run: Run, name: str) -> None:
    inventory = "lab" if name == DEFAULT_LAB else f"lab:{name}"
    run.screen.say(f"Next: overlaykit up --inventory {inventory}")
