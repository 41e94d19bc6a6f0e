"""From a name, or none, to the inventory: with files, and a state folder of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from overlaykit.inventories import find_inventory
from overlaykit.words.errors import InventoryError

TEXT = "[managers]\nnode1 ansible_ssh_private_key_file=key\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in; no lab is up, nothing is named."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("OVERLAYKIT_INVENTORY", raising=False)
    return tmp_path / "here"


def lab_is_up(folder: Path, name: str) -> Path:
    lab = folder.parent / "state" / "overlaykit" / "labs" / name
    lab.mkdir(parents=True)
    (lab / "hosts.ini").write_text(TEXT)
    return lab


def test_nothing_at_all(folder: Path) -> None:
    with pytest.raises(InventoryError, match="there are no hosts"):
        find_inventory()


def test_the_lab_is_the_last_resort_and_known_as_a_lab(folder: Path) -> None:
    lab = lab_is_up(folder, "default")
    found = find_inventory()
    assert (found.lab, found["node1"].key_file) == ("default", str(lab / "key"))


def test_a_file_in_this_folder_is_nobodys_lab(folder: Path) -> None:
    lab_is_up(folder, "default")
    (folder / "hosts.ini").write_text("\ufeff" + TEXT)
    found = find_inventory()
    assert (found.lab, found["node1"].key_file, found.source) == (None, str(folder / "key"), str(folder / "hosts.ini"))


def test_other_groups(folder: Path) -> None:
    (folder / "t.ini").write_text("[a]\nx\n[b]\ny\n")
    assert [host.role for host in find_inventory("t.ini", "b", "a")] == ["worker", "manager"]


def test_group_vars_beside_the_file(folder: Path) -> None:
    (folder / "hosts.ini").write_text(TEXT)
    (folder / "group_vars").mkdir()
    with pytest.raises(InventoryError, match="group_vars beside it holds variables that are not read here"):
        find_inventory()


def test_a_file_that_is_not_text(folder: Path) -> None:
    (folder / "hosts.ini").write_bytes(b"[managers]\n\xff\n")
    with pytest.raises(InventoryError, match=r"hosts\.ini: is not text in UTF-8"):
        find_inventory(Path("hosts.ini"))
