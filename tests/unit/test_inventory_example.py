"""hosts.example.ini documents everything that is honoured, and `init` hands it out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from overlaykit.examples import STARTS_AS, example, init_files
from overlaykit.reading.host_variables import honoured
from overlaykit.reading.inventory import read_inventory
from overlaykit.words.errors import InputError
from overlaykit.words.host import Host, Inventory

TOP = Path(__file__).parents[2]
TEXT = (TOP / "hosts.example.ini").read_text()


def read(text: str) -> Inventory:
    return read_inventory(text, source="hosts.ini", env={"HOME": "/home/ops"})


def test_the_example_is_three_hosts_and_says_nothing_else_of_them() -> None:
    assert read(TEXT).hosts == (
        Host("node1", "192.0.2.11", "manager", groups=("managers",)),
        Host("node2", "192.0.2.12", "worker", groups=("workers",)),
        Host("node3", "192.0.2.13", "worker", groups=("workers",)),
    )


@pytest.mark.parametrize("name", honoured())
def test_every_variable_that_is_honoured_is_explained(name: str) -> None:
    assert re.search(rf"\b{name}\b", TEXT)


def test_the_example_can_be_switched_on_as_it_stands() -> None:
    opened = re.sub(r"^#(?=\S)", "", TEXT, flags=re.MULTILINE)
    host = read(opened)["node1"]
    assert (host.login, host.key_file) == ("ops@192.0.2.11:22", "/home/ops/.ssh/id_ed25519")
    assert (host.proxy_jump, host.known_hosts) == ("ops@bastion.example.com:22", "known_hosts")
    assert host.become is not None and host.password is not None
    assert host.groups == ("managers", "swarm")


@pytest.mark.parametrize("line", re.findall(r"^#   (node1 .*)$", TEXT, flags=re.MULTILINE))
def test_lines_shown_for_one_host_can_be_copied(line: str) -> None:
    assert len(read(f"[managers]\n{line}\n")) == 1


def test_init_writes_both_files(tmp_path: Path) -> None:
    assert [path.name for path in init_files(tmp_path)] == ["hosts.ini", "stack.toml"]
    for written, start in STARTS_AS.items():
        assert (tmp_path / written).read_text() == (TOP / start).read_text() == example(start)


def test_init_overwrites_nothing_and_then_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "stack.toml").write_text("mine")
    with pytest.raises(InputError, match=r"stack\.toml: is there already and is not overwritten"):
        init_files(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["stack.toml"]
    assert (tmp_path / "stack.toml").read_text() == "mine"


def test_init_says_where_it_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        init_files(tmp_path / "missing")
