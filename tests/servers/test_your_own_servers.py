"""docs/your-own-servers.md, typed as it stands there, on three plain Debian hosts that are somebody else's.

Whoever types has an account in the group docker, a key with a passphrase, and nothing else; the servers have firewalls
with the page's own rules, and things of their owner's on them. Nothing of those may be different afterwards.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import Desk, Terminal, Typed
from disk import SUDO_PASSWORD, disk
from page import steps
from servers import ADDRESSES, Servers

from overlaykit.lab.build import build
from overlaykit.lessons.patience import until
from overlaykit.making.tier_images import cache_folder

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

PASSPHRASE = "correct horse"
ANSWERS = {
    r"Enter passphrase for .*:": PASSPHRASE,
    r"continue connecting \(yes/no/\[fingerprint\]\)\?": "yes",
    r"sudo password of the hosts:": SUDO_PASSWORD,
    r"Apply these steps of .*\[y/N\]:": "y",
    r"No lab made .*\[y/N\]:": "y",
}
#: Their kernels have no nftables for IPv4: those rules are tried in test_nftables.py.
FIREWALLS = {"node1": "iptables", "node2": "ufw", "node3": "ufw"}
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
STEPS = steps()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    editor = tmp_path_factory.mktemp("editor") / "editor"  # "puts in what the page shows"
    editor.write_text('#!/bin/sh\nexec cp "$0.wanted" "$1"\n')
    editor.chmod(0o755)
    editor.with_suffix(".wanted").write_text(STEPS["hosts.ini"])
    cache = {"XDG_CACHE_HOME": str(cache_folder().parent), "EDITOR": str(editor)}
    with Desk(tmp_path_factory.mktemp("desk"), tuple(ADDRESSES.values()), cache) as desk:
        key = desk.home / ".ssh" / "id_ed25519"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", PASSPHRASE, "-f", str(key)], check=True)
        (desk.work / "notebooks").symlink_to(NOTEBOOKS)
        yield desk


@pytest.fixture(scope="module")
def servers(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    built = build(print)
    key = (desk.home / ".ssh" / "id_ed25519.pub").read_text().strip()
    folder = tmp_path_factory.mktemp("servers") / "three"
    with Servers(folder, desk, built, disk(built, print), key) as servers:
        for name, tool in FIREWALLS.items():
            servers[name].owner(f"{STEPS[tool]}\ntouch /run/looked-at")
        yield servers


@pytest.fixture(scope="module")
def terminal(desk: Desk, servers: Servers) -> Iterator[Terminal]:
    with desk.terminal(ANSWERS) as terminal:
        yield terminal


@pytest.fixture(autouse=True)
def theirs(servers: Servers) -> Iterator[None]:
    """What is the owner's is the same after each test as before it."""
    before = state(servers)
    yield
    is_again(servers, before)


def state(servers: Servers) -> dict[str, list[str]]:
    return {name: server.state() for name, server in servers.items()}


def is_again(servers: Servers, before: dict[str, list[str]]) -> None:
    """An engine clears away what a task leaves a moment after the task."""
    assert until(lambda now: now == before, lambda: state(servers), 30.0) == before


def typed(terminal: Terminal, step: str, *, fails: tuple[str, ...] = ()) -> Typed:
    """Type a block of the page; all of it succeeds, but for the commands that are expected to end otherwise."""
    done = terminal.type(STEPS[step])
    assert done.failed == fails, f"{step}: {done.failed}\n{done.seen}"
    return done


def edit(desk: Desk, step: str) -> None:
    """Make hosts.ini what the page shows there."""
    (desk.work / "hosts.ini").write_text(STEPS[step])


def test_from_nothing_to_a_proven_stack_and_back(terminal: Terminal) -> None:
    typed(terminal, "init")
    typed(terminal, "agent")
    refused = terminal.type("overlaykit hosts")
    assert refused.failed == ("1 overlaykit hosts",), refused.seen
    for line in STEPS["vouch"].splitlines():
        assert f"accept it: {line}\n" in refused.seen
    typed(terminal, "vouch")

    looked = typed(terminal, "look", fails=("3 overlaykit plan",))
    assert "20.10" in looked.seen
    typed(terminal, "up")
    again = terminal.type("overlaykit plan")
    assert (again.failed, again.seen.count("nothing to do")) == ((), 3), again.seen
    encrypted = typed(terminal, "encrypted")
    heard = encrypted.seen.rpartition("the word: ")[2]
    assert re.search(r"guestbook\b.*\bencrypted\b", heard), encrypted.seen
    typed(terminal, "down")


def test_by_sudo(terminal: Terminal, desk: Desk) -> None:
    edit(desk, "sudo.ini")
    done = typed(terminal, "sudo")
    assert "admin" in done.seen
    assert SUDO_PASSWORD not in done.seen
    without = terminal.type("overlaykit hosts")
    assert without.failed == ("1 overlaykit hosts",)
    assert "Traceback" not in without.seen


def test_through_a_jump_host(terminal: Terminal, desk: Desk) -> None:
    edit(desk, "jump.ini")
    behind = ADDRESSES["node2"], ADDRESSES["node3"]
    with desk.without(*behind):
        assert desk.run("ssh", "-o", "BatchMode=yes", f"ops@{behind[0]}", "true").returncode == 255
        typed(terminal, "jump")


def test_an_inventory_with_other_groups(terminal: Terminal, desk: Desk) -> None:
    edit(desk, "groups.ini")
    plan = STEPS["groups"].splitlines()[-1]
    done = typed(terminal, "groups", fails=(f"3 {plan}",))
    assert "web-1" in done.seen
    assert "db-1" not in done.seen


def test_lessons_look_and_then_run(terminal: Terminal, desk: Desk, servers: Servers) -> None:
    edit(desk, "hosts.ini")
    before = state(servers)
    looks = terminal.type(STEPS["lesson looks"])
    assert len(looks.failed) == 1, looks.seen
    assert "ALLOW_CHANGES = True allows it" in looks.seen
    assert "docker swarm init" in (desk.work / "done.ipynb").read_text()
    is_again(servers, before)
    typed(terminal, "lessons")


@pytest.fixture
def their_swarm(servers: Servers) -> Iterator[None]:
    """A swarm of the owner's, with a service, a network and a label in it."""
    first, *others = servers.values()
    token = first.owner(
        f"docker swarm init --advertise-addr {first.address} >/dev/null; docker swarm join-token -q worker"
    ).strip()
    for other in others:
        other.owner(f"docker swarm join --token {token} {first.address}:2377")
    first.owner(
        "docker node update --label-add rack=7 node2\n"
        "docker network create --driver overlay their-overlay\n"
        "docker service create --detach=false --quiet --no-resolve-image --name their-service --network their-overlay"
        " --constraint node.hostname==node2 theirs:1 /busybox sleep 86400"
    )
    yield
    first.owner("docker service rm their-service")
    for server in (*others, first):
        server.owner("docker swarm leave --force")


def test_a_swarm_that_is_there(terminal: Terminal, desk: Desk, servers: Servers, their_swarm: None) -> None:
    edit(desk, "hosts.ini")
    before = state(servers)
    for refused in (terminal.type("overlaykit plan"), terminal.type("overlaykit up")):
        assert len(refused.failed) == 1
        assert "--adopt" in refused.seen
    typed(terminal, "adopt", fails=("3 overlaykit plan --adopt",))
    is_again(servers, before)
