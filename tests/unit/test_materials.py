"""What the tiers are made from on this machine: a password that is kept once, whole, and for its own place."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from overlaykit import materials
from overlaykit.making import recipes
from overlaykit.materials import (
    PASSWORD_VARIABLE,
    database_password,
    forget_database_password,
    forget_lab,
    frontend_config,
    keep_database_password,
)
from overlaykit.words.errors import LabNotPossible, PlanRefused
from overlaykit.words.secret import Secret

INVENTORY = "/home/ann/hosts.ini"


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where this test's passwords are kept."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    return tmp_path / "overlaykit" / "passwords"


def test_looking_writes_nothing(state: Path) -> None:
    assert len(database_password("guestbook").reveal()) >= 24
    assert not state.exists()


def test_a_password_is_kept_for_its_place_until_it_is_forgotten(state: Path) -> None:
    for where in ("", "default", "attic", INVENTORY):
        keep_database_password("guestbook", where, Secret(f"of {where}"))
    assert len(list(state.iterdir())) == 4
    for where in ("", "default", "attic", INVENTORY):
        assert database_password("guestbook", where) == Secret(f"of {where}")
    forget_database_password("guestbook", "attic")
    forget_database_password("guestbook", "attic")
    assert database_password("guestbook", "attic") != Secret("of attic")
    assert database_password("guestbook", "default") == Secret("of default")


def test_a_lab_that_goes_takes_its_passwords_and_no_others(state: Path) -> None:
    for where in ("default", "attic"):
        keep_database_password("guestbook", where, Secret(f"of {where}"))
    forget_lab("default")
    assert [path.name for path in state.iterdir()] == ["guestbook@lab-attic"]
    forget_lab("attic")
    forget_lab("attic")
    assert not state.parent.exists()


def test_nobody_else_reads_it(state: Path) -> None:
    keep_database_password("guestbook", "default", Secret("hunter2"))
    assert {path.stat().st_mode & 0o777 for path in (state, *state.iterdir())} == {0o700, 0o600}


def test_keeping_it_again_changes_nothing_and_another_is_refused() -> None:
    keep_database_password("guestbook", "default", Secret("first"))
    keep_database_password("guestbook", "default", Secret("first"))
    with pytest.raises(PlanRefused, match="another run has just chosen the database password of guestbook"):
        keep_database_password("guestbook", "default", Secret("second"))
    assert database_password("guestbook", "default") == Secret("first")


def test_of_many_at_once_one_wins_and_nothing_else_is_left(state: Path) -> None:
    together = Barrier(8, timeout=10)

    def keep(text: str) -> bool:
        together.wait()
        try:
            keep_database_password("guestbook", "default", Secret(text))
        except PlanRefused:
            return False
        return True

    texts = [f"password {number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        won = [text for text, kept in zip(texts, pool.map(keep, texts), strict=True) if kept]
    assert won == [database_password("guestbook", "default").reveal()]
    assert [path.name for path in state.iterdir()] == ["guestbook@lab-default"]


def test_a_full_disk_leaves_no_empty_file(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        PlanRefused, match=r"cannot be used \(No space left on device\): .*OVERLAYKIT_DATABASE_PASSWORD"
    ):
        keep_database_password("guestbook", "default", Secret("hunter2"))
    assert list(state.iterdir()) == []


def test_one_from_the_environment_goes_first_and_is_not_kept(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "given")
    assert database_password("guestbook", "default") == Secret("given")
    keep_database_password("guestbook", "default", Secret("given"))
    assert not state.exists()


def test_the_frontends_site_comes_from_its_recipe() -> None:
    assert "backend" in frontend_config()


def test_without_recipes_it_is_said_where_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in a wheel, which holds the library alone."""
    monkeypatch.setattr(materials, "read_recipes", lambda: recipes.read_recipes(tmp_path))
    with pytest.raises(LabNotPossible, match="run overlaykit from a clone of its repository"):
        frontend_config()
