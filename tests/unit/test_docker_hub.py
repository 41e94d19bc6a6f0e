"""The database's image: the well-known one where Docker Hub answers, the kit's own recipe elsewhere."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from overlaykit.making import builder as building
from overlaykit.making import hub
from overlaykit.making.builder import Builder
from overlaykit.making.recipes import read_recipes


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    """Something that listens where Docker Hub would."""
    server = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr(hub, "_REGISTRY", server.getsockname())
    return server


def test_a_registry_that_listens_answers(registry: socket.socket) -> None:
    with registry:
        assert hub.docker_hub_answers()


def test_a_registry_that_refuses_does_not(registry: socket.socket) -> None:
    registry.close()
    assert not hub.docker_hub_answers()


def test_whoever_says_no_has_it_never_asked(registry: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hub.VARIABLE, "no")
    with registry:
        assert not hub.docker_hub_answers()


@pytest.mark.parametrize(("answers", "done"), [(True, ["pull docker.io/library/mongo:7"]), (False, ["build database"])])
def test_the_database_is_mongo_where_it_can_be(
    answers: bool, done: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(building, "docker_hub_answers", lambda: answers)
    with Builder(tmp_path, read_recipes(), lambda _: None) as builder:
        monkeypatch.setattr(builder.buildah, "pull", lambda recipe, *_: asked.append(f"pull {recipe.well_known}"))
        monkeypatch.setattr(builder.buildah, "build", lambda recipe, *_: asked.append(f"build {recipe.name}"))
        builder._make(builder.recipes["database"])
    assert asked == done
