"""The first cell of every lesson: from whatever is there to the lesson's start, saying what it undoes.

    >>> hosts = begin("03", "lab")
    >>> hosts
    node1: manager
    node2: worker
    node3: worker

On practice hosts everything that stands in the way goes, and where putting right is not enough, hosts get a fresh
disk. Other people's hosts are only looked at until `allow_changes=True`, and then only what the kit made is changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from overlaykit.kit import Hosts, connect
from overlaykit.lab import lab as practice
from overlaykit.lab.carry import can_have_build
from overlaykit.lab.kinds import choose
from overlaykit.lessons.needs import lacking
from overlaykit.lessons.reach import Way
from overlaykit.lessons.starts import start_of
from overlaykit.ui.notebook.needs import stand_in
from overlaykit.ui.notebook.shell import register
from overlaykit.ui.notebook.start import StartPanel
from overlaykit.words.errors import InputError, LabError, LabNotPossible, OverlaykitError
from overlaykit.words.host import DEFAULT_LAB
from overlaykit.words.stack import Stack

#: A lesson speaks of a host, another one, and one more.
FEWEST = 3

_open: list[Hosts] = []  # of the lesson that was begun last in this kernel


def begin(
    lesson: str,
    inventory: str | Path | None = "lab",
    *,
    allow_changes: bool = False,
    adopt: bool = False,
    stack: Stack | None = None,
) -> Hosts:
    """Connect, reach the lesson's start and show how; `%%on HOST` speaks to these hosts from now on."""
    start_of(lesson)  # before anything is hung up for a lesson that there is not
    _hang_up()
    stand_in({})  # what an earlier lesson's hosts lacked
    panel = StartPanel(lesson)
    panel.show()
    with _failure_shown(panel):
        if lab := _named_lab(inventory):
            _switch_on(lab, panel)
        way = Way(stack or Stack(), lesson, panel.say)
        hosts = way.reach(_connect(inventory, allow_changes, adopt))
        _open.append(hosts)
        register(hosts)
        missing = lacking(hosts)
        for reason in missing.values():
            panel.say("note", f"{reason}. Cells that need more say “not available here”")
        stand_in(missing)
    return hosts


def _hang_up() -> None:
    while _open:
        _open.pop().close()


def _connect(inventory: str | Path | None, allow_changes: bool, adopt: bool) -> Hosts:
    hosts = connect(inventory, allow_changes=allow_changes, adopt=adopt)
    if len(hosts) < FEWEST:
        hosts.close()
        raise InputError(
            f"{hosts.inventory.source} names {len(hosts)} of the {FEWEST} hosts that a lesson takes: add hosts, or "
            "begin on the lab (INVENTORY = 'lab'; `overlaykit lab down` and `overlaykit lab up` make one of three)"
        )
    return hosts


def _named_lab(inventory: str | Path | None) -> str | None:
    """The lab's name where a lab was asked for by its word."""
    word, _, name = str(inventory or "").partition(":")
    return (name or DEFAULT_LAB) if word == "lab" else None


def _switch_on(lab: str, panel: StartPanel) -> None:
    """Have all practice hosts on; those that do not come up are dealt with later, as hosts that do not answer."""
    seen = practice.status(lab)
    if not seen and choose(None)[0].name == "kernels" and not can_have_build():
        raise LabError(
            "what practice hosts run from has not been built on this machine: type `make lab` in a terminal, or "
            "`overlaykit lab build` (some minutes, once), then run this cell again"
        )
    away = [host.name for host in seen if not host.running]
    if seen and not away:
        return
    panel.say("do", f"switch on {', '.join(away)}" if away else "start the practice hosts")
    try:
        practice.up(lab)
    except LabNotPossible:
        raise
    except LabError as error:
        if not away:
            raise
        panel.say("found", str(error).splitlines()[0])


@contextmanager
def _failure_shown(panel: StartPanel) -> Iterator[None]:
    try:
        yield
    except OverlaykitError as error:
        panel.say("failed", str(error))
        raise
