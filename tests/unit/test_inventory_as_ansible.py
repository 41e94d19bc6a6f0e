"""Our reading of an inventory beside Ansible's own. A case is a file in inventories/read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from overlaykit.reading.groups import ALL, Groups
from overlaykit.reading.inventory_ini import read_ini
from overlaykit.reading.inventory_json import read_json

CASES = Path(__file__).with_name("inventories")
ANSIBLE_INVENTORY = Path(sys.executable).with_name("ansible-inventory")


def ansible_inventory(file: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """What `ansible-inventory --list` says of a file; it fails where Ansible cannot read the file."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
    }
    command = [str(ANSIBLE_INVENTORY), "-i", str(file), "--list"]
    return subprocess.run(command, capture_output=True, text=True, cwd=home, env=env, timeout=60, check=False)


def variables(groups: Groups) -> dict[str, dict[str, Any]]:
    """What counts for each host that has any variable."""
    merged = {host: {key: found.value for key, found in groups.variables(host).items()} for host in groups.hosts}
    return {host: own for host, own in merged.items() if own}


def members(groups: Groups) -> dict[str, set[str]]:
    """The hosts of each group that has any."""
    return {name: set(groups.members(name)) for name in groups.groups if groups.members(name) and name != ALL}


@pytest.mark.parametrize("file", sorted(CASES.glob("read/*.ini")), ids=lambda file: file.stem)
def test_what_ansible_reads_we_read_the_same(file: Path, tmp_path: Path) -> None:
    listed = ansible_inventory(file, tmp_path)
    assert listed.returncode == 0, listed.stderr
    ours, problems = read_ini(file.read_text(), source=file.name)
    theirs, json_problems = read_json(listed.stdout, source="hosts.json")
    assert problems == json_problems == []
    expected = json.loads(listed.stdout)["_meta"]["hostvars"]
    assert variables(ours) == _without_marks(expected)
    assert members(ours) == members(theirs)


@pytest.mark.parametrize("name", ["lines", "circles", "six_mistakes"])
def test_what_ansible_refuses_we_refuse(name: str, tmp_path: Path) -> None:
    file = CASES / "refused" / f"{name}.ini"
    assert ansible_inventory(file, tmp_path).returncode != 0
    assert read_ini(file.read_text(), source=file.name)[1]


def _without_marks(value: Any) -> Any:
    """Ansible marks text that came from bytes; the text is what counts."""
    if isinstance(value, dict):
        unmarked = {key: _without_marks(inner) for key, inner in value.items()}
        return unmarked.get("__ansible_unsafe", unmarked)
    return value
