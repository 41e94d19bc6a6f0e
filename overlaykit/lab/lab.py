"""Practice hosts: up, down, and what a person does with them in between.

    lab = up("default", hosts=3, observer=print)
    lab.inventory                               # hosts.ini, for everything else
    power("default", "node2", on=False)         # as if its plug were pulled
    down("default")                             # nothing is left

Each may be called again. What is half done, by a kill or a power cut, is completed.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_state_path

from overlaykit.lab import processes
from overlaykit.lab.boot import wait_until_up
from overlaykit.lab.build import LabBuild, remove_cache
from overlaykit.lab.container_build import remove_from_engine
from overlaykit.lab.containers import remove_of
from overlaykit.lab.engine import NoDocker
from overlaykit.lab.files import make_files
from overlaykit.lab.kinds import VARIABLE, choose, kind_of
from overlaykit.lab.layout import MOST_HOSTS, Lab, Node, plan_lab, read_lab
from overlaykit.lab.ports import choose_ports
from overlaykit.making.lock import held
from overlaykit.words.errors import LabError, LabInputError, LabNotPossible
from overlaykit.words.host import DEFAULT_LAB, lab_option

__all__ = [
    "NodeStatus", "build", "down", "find_lab", "forget_builds", "logs", "power", "reset", "ssh_command", "status", "up",
]  # fmt: skip

Observer = Callable[[str], None]
DEFAULT_HOSTS = 3


@dataclass(frozen=True)
class NodeStatus:
    """One practice host, as a person asks for it."""

    name: str
    running: bool
    login: str
    published: str
    address: str
    role: str


def _quiet(_: str) -> None:
    """Nobody watches."""


def _quiet_wait() -> None:
    """It takes no time worth a word."""


def up(
    name: str = DEFAULT_LAB, hosts: int | None = None, *, managers: int | None = None, backend: str | None = None,
    observer: Observer = _quiet,
) -> Lab:  # fmt: skip
    """Have a lab running, its hosts answering. A lab that is there stays as it was made.

    `backend` is the kind of its hosts, see `kinds.py`: kernels or containers, or what suits this machine.
    """
    with _locked(name, observer) as folder:
        lab = _existing(folder, hosts, managers, backend)
        if lab is None:
            count, heads = DEFAULT_HOSTS if hosts is None else hosts, 1 if managers is None else managers
            lab = _make(name, folder, backend, hosts=count, managers=heads, observer=observer)
        else:
            kind = kind_of(lab)
            if backend is None and os.environ.get(VARIABLE, lab.backend) != lab.backend:
                observer(f"lab {name} was made of {lab.backend}, and stays so whatever {VARIABLE} says")
            running = len(kind.backend.running(lab))
            kind.require(len(lab.nodes) - running, folder, running)
            if running < len(lab.nodes):
                kind.tell(lab.build, observer)
        _power_on(lab, lab.nodes, observer)
        return lab


def build(observer: Observer, backend: str | None = None) -> LabBuild:
    """What practice hosts of a kind run from, made if it was not."""
    kind, _ = choose(backend)
    return kind.build(observer)


def down(name: str = DEFAULT_LAB, *, observer: Observer = _quiet) -> bool:
    """End a lab and remove all that is its own; was there one? What labs run from stays."""
    found = _folder(name).exists()
    if found:
        with _locked(name, observer) as folder:
            _end(folder, observer)
            _clear(folder)  # the folder goes when the lock on it is given back
    _leave_no_empty()
    return found


def forget_builds(observer: Observer = _quiet) -> None:
    """Remove what was built for labs, once none is left that runs from it."""
    _require_no_labs()
    remove_from_engine(observer)
    remove_cache()


def status(name: str = DEFAULT_LAB) -> list[NodeStatus]:
    """The hosts of a lab; none where there is no lab."""
    lab = find_lab(name)
    if lab is None:
        return []
    running = kind_of(lab).backend.running(lab)
    return [
        NodeStatus(
            node.name, node.name in running, f"root@127.0.0.1:{node.ssh_port}", f"127.0.0.1:{node.web_port}",
            node.address, node.role,
        )
        for node in lab.nodes
    ]  # fmt: skip


def power(name: str, node: str, *, on: bool, observer: Observer = _quiet) -> None:
    """Pull a host's plug, or put it back and wait until it answers. Its disk keeps the swarm and the data."""
    with _locked(name, observer) as folder:
        lab = _present(name, folder)
        host = lab.node(node)
        if on:
            _power_on(lab, [host], observer)
        else:
            kind_of(lab).backend.power_off(lab, host)


def reset(name: str, *nodes: str, observer: Observer = _quiet) -> None:
    """Give hosts a fresh disk, as if they had just been installed, side by side, and wait until they answer."""
    with _locked(name, observer) as folder:
        lab = _present(name, folder)
        hosts = [lab.node(node) for node in nodes]
        backend = kind_of(lab).backend
        for host in hosts:
            backend.power_off(lab, host)
            backend.wipe(lab, host)
        _power_on(lab, hosts, observer)


def logs(name: str, node: str) -> str:
    """What a host's console said since it was last powered on."""
    lab = _present(name, _folder(name))
    return kind_of(lab).backend.console(lab, lab.node(node))


def ssh_command(name: str, node: str, command: str = "") -> list[str]:
    """What to type for a shell on a host, or to run a command there."""
    lab = _present(name, _folder(name))
    options = {
        "IdentityFile": f'"{lab.key_file}"',
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": f'"{lab.known_hosts}"',
        "StrictHostKeyChecking": "yes",
    }
    words = ["ssh", "-F", "none", "-p", str(lab.node(node).ssh_port)]
    words += [word for option, value in options.items() for word in ("-o", f"{option}={value}")]
    return [*words, "root@127.0.0.1", *([command] if command else [])]


def find_lab(name: str = DEFAULT_LAB) -> Lab | None:
    """The lab of this name, if one was made."""
    return read_lab(_folder(name))


def _power_on(lab: Lab, nodes: Sequence[Node], observer: Observer) -> None:
    kind = kind_of(lab)
    backend = kind.backend
    backend.connect(lab)
    with ThreadPoolExecutor(max_workers=max(1, len(nodes)) if kind.side_by_side else 1) as pool:
        list(pool.map(lambda node: backend.power_on(lab, node), nodes))
    wait_until_up(lab, nodes, backend, observer)


def _existing(folder: Path, hosts: int | None, managers: int | None, backend: str | None) -> Lab | None:
    lab = read_lab(folder)
    made = {"hosts": len(lab.nodes), "managers": sum(n.role == "manager" for n in lab.nodes)} if lab else {}
    asked = {"hosts": hosts, "managers": managers}
    other = [f"{count} {what}, not {asked[what]}" for what, count in made.items() if asked[what] not in (None, count)]
    if lab and backend not in (None, lab.backend):
        other.append(f"{lab.backend} for hosts, not {backend}")
    if lab is None:
        _clear(folder)
    elif other:
        raise LabError(
            f"lab {lab.name} has {' and '.join(other)}: remove it first with "
            f"`overlaykit lab down --name {lab.name}`, or make another with --name"
        )
    elif not lab.build.exists():
        raise LabError(
            f"what lab {lab.name} runs from is gone from {lab.build}: remove it with "
            f"`overlaykit lab down --name {lab.name}`, and `overlaykit lab up` builds anew"
        )
    return lab


def _require_sense(hosts: int, managers: int) -> None:
    if not 1 <= managers <= hosts <= MOST_HOSTS:
        raise LabInputError(f"a lab has 1 to {MOST_HOSTS} hosts and a manager among them, not {hosts} with {managers}")


def _make(
    name: str, folder: Path, backend: str | None, *, hosts: int, managers: int, observer: Observer
) -> Lab:  # fmt: skip
    _require_sense(hosts, managers)
    kind, why = choose(backend)
    observer(f"practice hosts: {kind.what} ({why})")
    kind.require(hosts, folder, 0)
    built = kind.build(observer)
    with held(_labs(), _quiet_wait):  # two labs that are made at once choose one after the other
        ports = choose_ports(hosts, _ports_of_labs())
        lab = plan_lab(
            name, folder, built.path, hosts=hosts, managers=managers, ports=ports, backend=kind.name,
            wire=kind.wire(_wires()),
        )  # fmt: skip
        kind.backend.remove(lab)  # what a lab has left whose folder was removed by hand
        make_files(lab)
        try:
            kind.backend.connect(lab)  # from now on others see that ports and wire are taken
        except LabError:
            _clear(folder)  # the next try chooses anew
            raise
    return lab


def _end(folder: Path, observer: Observer) -> None:
    """End what runs of a lab. Of one whose note cannot be read nobody knows the kind, so it is looked for in each."""
    try:
        lab = read_lab(folder)
        backend = kind_of(lab).backend if lab else None
    except LabError:
        lab = backend = None
    if lab and backend:
        try:
            backend.remove(lab)
        except NoDocker as reason:
            observer(f"its hosts were containers, and are gone with what ran them: {reason}")
        return
    processes.end(folder)
    try:
        remove_of(folder)
    except LabNotPossible as reason:
        observer(f"whether hosts of it are containers could not be seen: {reason}")


def _clear(folder: Path) -> None:
    """Whatever a lab that was not fully made has left."""
    processes.end(folder)
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _present(name: str, folder: Path) -> Lab:
    if lab := read_lab(folder):
        return lab
    raise LabError(f"there is no lab {name}: `overlaykit lab up{lab_option(name)}` makes one")


def _ports_of_labs() -> set[int]:
    """Of labs that are switched off, too."""
    return {port for lab in _all_labs() for node in lab.nodes for port in (node.ssh_port, node.web_port)}


def _wires() -> set[str]:
    return {lab.nodes[0].address.rpartition(".")[0] for lab in _all_labs()}


def _require_no_labs() -> None:
    if names := [lab.name for lab in _all_labs()]:
        raise LabError(f"the cache is what these labs run from: {', '.join(names)}; take them down first")


def _all_labs() -> list[Lab]:
    return [lab for folder in sorted(_labs().glob("*")) if (lab := read_lab(folder))]


@contextmanager
def _locked(name: str, observer: Observer = _quiet) -> Iterator[Path]:
    folder = _folder(name)
    with held(folder, lambda: observer(f"another command is at work on lab {name}, waiting for it")):
        try:
            yield folder
        finally:
            _leave_no_empty(folder)  # it is, where nothing of a lab came to be, or no lab is left


def _leave_no_empty(*held_by_us: Path) -> None:
    """A folder that is removed while somebody waits for it is made anew by them; one that they hold is not touched."""
    for place in (*held_by_us, _labs(), _labs().parent):
        with suppress(OSError):  # it holds something, or is gone
            place.rmdir()


def _folder(name: str) -> Path:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", name):
        raise LabInputError(f"{name!r} cannot name a lab: use small letters, digits and hyphens, at most 31")
    return _labs() / name


def _labs() -> Path:
    return user_state_path("overlaykit") / "labs"
