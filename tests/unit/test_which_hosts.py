"""Which hosts are meant: the rule, without a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from overlaykit.reading.which_hosts import Where, which_hosts
from overlaykit.words.errors import InventoryError

LABS = Path("/state/labs")
HOME = Path("/home/ops/lessons")


def find(
    named: str | Path | None = None, *, files: tuple[str, ...] = (), up: tuple[str, ...] = (), variable: str = ""
) -> Where:
    env = {"HOME": "/home/ops", "OVERLAYKIT_INVENTORY": variable}
    there = [Path(file) for file in files]
    return which_hosts(named, env=env, cwd=HOME, labs=LABS, up=up, is_file=there.__contains__)


@pytest.mark.parametrize(
    ("named", "variable", "files", "up", "expected"),
    [
        ("lab", "", ["/home/ops/lessons/hosts.ini"], ["default"], Where(LABS / "default/hosts.ini", "default")),
        ("lab:two", "lab", [], ["default", "two"], Where(LABS / "two/hosts.ini", "two")),
        ("team.ini", "lab", ["/home/ops/lessons/team.ini"], ["default"], Where(HOME / "team.ini")),
        ("../team.ini", "", ["/home/ops/team.ini"], [], Where(Path("/home/ops/team.ini"))),
        (None, "~/t.ini", ["/home/ops/t.ini", "/home/ops/hosts.ini"], [], Where(Path("/home/ops/t.ini"))),
        (None, "lab", ["/home/ops/hosts.ini"], ["default"], Where(LABS / "default/hosts.ini", "default")),
        (None, "", ["/home/ops/lessons/hosts.ini", "/home/ops/hosts.ini"], [], Where(HOME / "hosts.ini")),
        (None, "", ["/home/ops/hosts.ini"], ["default"], Where(Path("/home/ops/hosts.ini"))),
        (None, "", ["/home/hosts.ini"], ["default", "two"], Where(LABS / "default/hosts.ini", "default")),
        (None, "", [], ["two"], Where(LABS / "two/hosts.ini", "two")),
        ("/state/labs/two/hosts.ini", "", ["/state/labs/two/hosts.ini"], [], Where(LABS / "two/hosts.ini", "two")),
    ],
)
def test_the_rule(named: str | None, variable: str, files: list[str], up: list[str], expected: Where) -> None:
    assert find(named, files=tuple(files), up=tuple(up), variable=variable) == expected


@pytest.mark.parametrize(
    ("named", "variable", "up", "sentence"),
    [
        (
            None,
            "",
            [],
            "there are no hosts: start practice hosts with overlaykit lab up, "
            "or name your own in hosts.ini (overlaykit init writes one)",
        ),
        (None, "", ["b", "a"], "several labs are up (a, b): name one, like --inventory lab:a"),
        ("lab", "", [], "there is no lab 'default': start it with overlaykit lab up"),
        ("lab:x", "", ["default"], "there is no lab 'x' (there is: default): start it with overlaykit lab up --name x"),
        (
            "/tmp",
            "",
            [],
            "/tmp: it is a folder: name a file in it, or what `ansible-inventory -i /tmp --list` writes into one",
        ),
        ("no.ini", "", ["default"], "no.ini: there is no such file: overlaykit init writes a hosts.ini to start from"),
        (
            None,
            "no.ini",
            ["default"],
            "no.ini: OVERLAYKIT_INVENTORY names it, and there is no such file: "
            "overlaykit init writes a hosts.ini to start from",
        ),
    ],
)
def test_what_cannot_be_found_is_said_in_one_sentence(
    named: str | None, variable: str, up: list[str], sentence: str
) -> None:
    with pytest.raises(InventoryError) as caught:
        find(named, up=tuple(up), variable=variable)
    assert str(caught.value) == sentence
