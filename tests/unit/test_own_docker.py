"""The engine of a test run's own, as far as none starts: what is said where none can, and how a run clears up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import own_docker
import pytest

REFUSED = """time="2026-01-02T03:04:05Z" level=info msg="Starting up"
failed to start daemon: Error initializing network controller: no iptables
"""
OURS = """unknown flag: --cofig-file
See 'dockerd --help'.
"""


@pytest.mark.parametrize(("words", "status"), [([], 0), (["--required"], 1)], ids=["in the gate", "asked for"])
def test_where_it_cannot_be_run_the_reason_is_said(tmp_path: Path, words: list[str], status: int) -> None:
    command = [sys.executable, own_docker.__file__, *words, "touch", str(tmp_path / "run")]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, "")
    assert done.stdout.startswith("NOT RUN: ") and done.stdout.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (REFUSED, "failed to start daemon: Error initializing network controller: no iptables"),
        (REFUSED.splitlines()[0], None),
        (OURS, None),
        ("", None),
    ],
)
def test_only_what_an_engine_found_wrong_with_the_machine_is_a_refusal(said: str, why: str | None) -> None:
    assert own_docker._refusal(said) == why


def test_what_is_busy_is_removed_a_little_later() -> None:
    busy = ["busy", "busy"]

    def remove(what: str) -> None:
        if busy:
            raise OSError(16, busy.pop(), what)

    own_docker._insist(remove, "group")
    assert busy == []


def test_what_stays_is_said_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(own_docker, "_ENDING", 0.0)
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "file").touch()
    own_docker._insist(lambda place: Path(place).rmdir(), str(tmp_path / "held"))
    assert capsys.readouterr().err.startswith(f"{tmp_path}/held is left behind, remove it yourself: ")
