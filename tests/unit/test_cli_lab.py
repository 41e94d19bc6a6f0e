"""The lab's commands where there is no lab: what they say, and what a program reads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from overlaykit.lab.kinds import kind_named
from overlaykit.ui.cli import main
from overlaykit.words.errors import LabNotPossible


@pytest.fixture(autouse=True)
def no_labs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A state folder and a cache of the test's own: no lab of the machine is seen, let alone touched."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("OVERLAYKIT_DEBUG", raising=False)
    monkeypatch.delenv("OVERLAYKIT_INVENTORY", raising=False)
    monkeypatch.chdir(tmp_path)


def typed(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@pytest.mark.parametrize(
    "words", ["status", "ssh node2", "ssh node2 docker ps", "logs node2", "power node2 off", "reset node2"]
)
def test_a_lab_that_is_not_there_is_one_sentence(words: str) -> None:
    command, *rest = words.split()
    result = typed("lab", command, "--name", "attic", *rest)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("there is no lab attic")
    assert "overlaykit lab up --name attic" in result.stderr
    assert result.stderr.count("\n") == 1


def test_status_for_machines_holds_the_error() -> None:
    result = typed("lab", "status", "--json")
    read = json.loads(result.stdout)
    assert (read["command"], read["ok"], read["hosts"]) == ("lab status", False, [])
    assert "there is no lab default" in read["error"]


def test_down_may_be_said_twice() -> None:
    assert typed("lab", "down").exit_code == 0


def test_what_follows_the_host_belongs_to_the_command_there() -> None:
    """`--json` and `-h` are then words for the host, not for us."""
    result = typed("lab", "ssh", "node2", "docker", "info", "--json", "-h")
    assert result.stdout == ""
    assert result.stderr.startswith("there is no lab default")


def test_ready_names_what_the_lessons_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("overlaykit.ui.ready.NOTEBOOKS", ("jupyterlab", "no_such_widgets"))
    result = typed("lab", "ready")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("the lessons need no_such_widgets") and "requirements.txt" in result.stderr
    assert result.stderr.count("\n") == 1


def test_ready_needs_room_for_every_host_of_the_lessons(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def no_room(hosts: int, _: Path, running: int) -> None:
        asked.append(hosts + running)
        raise LabNotPossible("3 practice hosts need 2.3 GB of memory")

    kernels = replace(kind_named("kernels"), require=no_room)
    monkeypatch.setattr("overlaykit.ui.ready.choose", lambda _: (kernels, ""))
    result = typed("lab", "ready")
    assert (result.exit_code, result.stderr) == (1, "3 practice hosts need 2.3 GB of memory\n")
    assert asked == [3]


def test_the_running_lab_is_looked_for_when_nothing_is_named() -> None:
    result = typed("hosts")
    assert result.exit_code == 2
    assert "overlaykit lab up" in result.stderr and "overlaykit init" in result.stderr


def test_init_writes_both_files_once(tmp_path: Path) -> None:
    assert typed("init").exit_code == 0
    assert {path.name for path in tmp_path.glob("*.*")} == {"hosts.ini", "stack.toml"}
    again = typed("init", "--json")
    assert again.exit_code == 2
    assert "hosts.ini" in again.stderr and "stack.toml" in again.stderr
    assert json.loads(again.stdout)["error"] == again.stderr.strip()


def test_the_six_mistakes_of_a_real_file_are_told_with_their_lines() -> None:
    """Nothing is faked here: the file is read as a person's would be."""
    file = Path(__file__).parent / "inventories" / "refused" / "six_mistakes.ini"
    result = typed("hosts", "--inventory", str(file))
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert len(lines) >= 6
    assert all("six_mistakes.ini" in line for line in lines)
