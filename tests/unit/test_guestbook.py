"""The guest book's own words, and what its three images promise each other. No host, no database."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

IMAGES = Path(__file__).parents[2] / "images"
HTML = IMAGES / "frontend" / "html"


@pytest.fixture(scope="module")
def words() -> Iterator[Any]:
    """images/backend/words.py, which is part of an image and not of a package."""
    spec = importlib.util.spec_from_file_location("guestbook_words", IMAGES / "backend" / "words.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_settings_come_from_the_environment(words: Any) -> None:
    settings = words.Settings.from_environment({"DATABASE_HOST": "store", "DATABASE_PORT": "27018", "PORT": ""})
    assert settings.database_address == "store:27018"
    assert (settings.port, settings.database_user) == (8000, "guestbook")


@pytest.mark.parametrize("value", ["80a", "0", "65536", "-1"])
def test_a_port_that_is_none_is_named(words: Any, value: str) -> None:
    with pytest.raises(words.SettingsError, match=f"DATABASE_PORT='{value}' is not a port"):
        words.Settings.from_environment({"DATABASE_PORT": value})


def test_the_password_is_the_file_without_its_line_break(words: Any, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(" with spaces \n")
    assert words.Settings(database_password_file=str(file)).password() == " with spaces "


def test_no_password_is_said_with_what_to_do(words: Any, tmp_path: Path) -> None:
    file = tmp_path / "password"
    settings = words.Settings(database_password_file=str(file))
    with pytest.raises(words.SettingsError, match=r"No such file.*attach the secret database_password"):
        settings.password()
    file.write_text("\n")
    with pytest.raises(words.SettingsError, match="is empty"):
        settings.password()


@pytest.mark.parametrize(
    ("hostname", "host", "container"),
    [
        ("backend-2.node3", "node3", "backend-2"),
        ("backend-1.ip-10-0-0-1.example.com", "ip-10-0-0-1.example.com", "backend-1"),
        ("3f2a9c1b7d20", None, "3f2a9c1b7d20"),
    ],
)
def test_a_hostname_tells_host_and_task(words: Any, hostname: str, host: str | None, container: str) -> None:
    assert words.Place.of(hostname) == words.Place(host, container)


def test_a_path_says_where_it_ended(words: Any) -> None:
    path = words.path("frontend-1.node1", "backend-1.node2", None)
    assert path["frontend"] == {"host": "node1", "container": "frontend-1"}
    assert path["database"] is None
    assert words.path(None, "backend-1.node2", "database-1.node3", "MongoDB 7.0.14") == {
        "frontend": None,
        "backend": {"host": "node2", "container": "backend-1"},
        "database": {"host": "node3", "container": "database-1", "product": "MongoDB 7.0.14"},
    }


def test_a_stand_in_is_called_one(words: Any) -> None:
    assert words.product({"version": "7.0.14"}) == "MongoDB 7.0.14"
    ferret = words.product({"version": "7.0.42", "ferretdbVersion": "v1.24.0"})
    assert ferret == "FerretDB 1.24.0 on SQLite, standing in for MongoDB"


@pytest.mark.parametrize(
    ("code", "resolves", "says"),
    [
        (18, True, "refuses the user guestbook"),
        (13, True, "refuses the user guestbook"),
        (26, True, "could not do it: ns not found"),
        (None, False, "The name database does not resolve"),
        (None, True, "at database:27017 does not answer"),
    ],
)
def test_each_failure_of_the_database_has_its_sentence(words: Any, code: int | None, resolves: bool, says: str) -> None:
    assert says in words.no_database(words.Settings(), code, resolves, "ns not found")


def test_a_wrong_entry_names_its_fields_once(words: Any) -> None:
    assert "here message and name is not right" in words.not_well_formed(["name", "message", "name"])
    assert "here the whole is not right" in words.not_well_formed([])


def test_the_page_asks_nobody_else() -> None:
    """A class behind a firewall, and a proxy's path: each address is relative, and there."""
    page = (HTML / "index.html").read_text()
    addresses = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert addresses
    assert all((HTML / address).is_file() for address in addresses)
    for file in HTML.iterdir():
        others = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", file.read_text())) - {"http://www.w3.org"}
        assert not others, f"{file.name} reaches out to {others}"
    assert re.findall(r'ask\("([^"]+)"', (HTML / "guestbook.js").read_text()) == ["api/entries", "api/entries"]


def test_the_form_allows_what_the_backend_allows(words: Any) -> None:
    page = (HTML / "index.html").read_text()
    lengths = {name: int(most) for name, most in re.findall(r'id="(\w+)".* maxlength="(\d+)"', page)}
    assert lengths == {"name": words.NAME_LENGTH, "message": words.MESSAGE_LENGTH}


def test_every_colour_of_the_picture_is_there() -> None:
    colours = re.search(r"COLOURS = (\d+)", (HTML / "picture.js").read_text())
    assert colours
    classes = re.findall(r"\.host-(\d) ", (HTML / "style.css").read_text())
    assert classes == [str(n) for n in range(int(colours[1]))]


def test_the_site_has_no_blank_that_stays_empty() -> None:
    """What the template leaves open and what the entry point fills in are the same names."""
    blanks = set(re.findall(r"\$\{(\w+)\}", (IMAGES / "frontend" / "default.conf.template").read_text()))
    filled = re.search(r"envsubst '([^']+)'", (IMAGES / "frontend" / "entrypoint").read_text())
    assert filled
    assert blanks == set(re.findall(r"\w+", filled[1])) == {"PORT", "BACKEND"}


def test_the_database_is_one_version_everywhere() -> None:
    pinned = re.search(r"github.com/FerretDB/FerretDB (v[\d.]+)", (IMAGES / "database" / "go.mod").read_text())
    assert pinned
    recipe = (IMAGES / "database" / "Dockerfile").read_text()
    assert f"printf {pinned[1]} >" in recipe
    short = pinned[1].removeprefix("v").rpartition(".")[0]
    assert f"FerretDB {short} on SQLite" in recipe
    assert f"FerretDB {short} on SQLite" in (IMAGES / "database" / "entrypoint").read_text()
