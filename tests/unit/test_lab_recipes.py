"""Recipes are named by what they hold: the same content the same name, anything else another."""

from __future__ import annotations

from pathlib import Path

import pytest

from overlaykit.making.recipes import IMAGES, Recipe, read_recipes
from overlaykit.words.errors import LabNotPossible
from overlaykit.words.stack import TIERS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "base": "FROM scratch\nADD base.tar /\n",
        "host": "ARG BASE=localhost/overlaykit/base\nFROM ${BASE}\nCOPY init /\n",
        "other": "FROM scratch\n",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(text)
    (tmp_path / "host" / "init").write_text("#!/bin/sh\n")
    return tmp_path


def keys(folder: Path) -> dict[str, str]:
    return {name: recipe.key for name, recipe in read_recipes(folder).items()}


def changed(folder: Path, before: dict[str, str]) -> set[str]:
    return {name for name, key in keys(folder).items() if key != before[name]}


def test_a_recipe_knows_what_it_stands_on(folder: Path) -> None:
    recipes = read_recipes(folder)
    assert recipes["host"].grounds == ("base",)
    assert recipes["base"].grounds == ()
    assert list(recipes).index("base") < list(recipes).index("host")


def test_nothing_changed_nothing_renamed(folder: Path) -> None:
    assert changed(folder, keys(folder)) == set()


def test_a_changed_ground_renames_what_stands_on_it(folder: Path) -> None:
    before = keys(folder)
    (folder / "base" / "Dockerfile").write_text("FROM scratch\nADD base.tar /opt\n")
    assert changed(folder, before) == {"base", "host"}


def test_a_changed_file_renames_its_recipe_alone(folder: Path) -> None:
    before = keys(folder)
    (folder / "host" / "init").write_text("#!/bin/bash\n")
    assert changed(folder, before) == {"host"}


def test_what_may_be_run_counts(folder: Path) -> None:
    before = keys(folder)
    (folder / "host" / "init").chmod(0o755)
    assert changed(folder, before) == {"host"}


def test_what_python_leaves_behind_does_not_count(folder: Path) -> None:
    before = keys(folder)
    (folder / "other" / "__pycache__").mkdir()
    (folder / "other" / "__pycache__" / "app.pyc").write_bytes(b"\0")
    assert changed(folder, before) == set()


def test_a_ground_that_is_not_there_is_named(folder: Path) -> None:
    (folder / "other" / "Dockerfile").write_text("FROM localhost/overlaykit/nothing\n")
    with pytest.raises(LabNotPossible, match="stands on localhost/overlaykit/nothing"):
        read_recipes(folder)


def test_no_recipes_is_said(tmp_path: Path) -> None:
    with pytest.raises(LabNotPossible, match="from a clone of its repository"):
        read_recipes(tmp_path)


def test_our_own_recipes_all_stand_on_base() -> None:
    recipes = read_recipes(IMAGES)
    assert set(recipes) == {"base", "kernel", "host", *TIERS}
    assert {name for name in recipes if "base" not in recipes[name].grounds} == {"base"}
    assert recipes["host"].grounds == ("base", "kernel")


def test_the_workbench_holds_a_build_and_so_names_none(folder: Path) -> None:
    before = keys(folder)
    (folder / "workbench").mkdir()
    (folder / "workbench" / "Dockerfile").write_text("ARG BASE=localhost/overlaykit/base\n")
    assert keys(folder) == before
    assert (IMAGES / "workbench" / "Dockerfile").exists()


def test_the_tag_holds_the_key() -> None:
    assert Recipe("base", Path("x"), (), "0123").tag == "localhost/overlaykit/base:0123"
