"""What a host's shell is asked, run on this machine; what is read of it, for every kind of kernel."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from overlaykit.phases.facts import has_part
from overlaykit.remote import look


@pytest.mark.parametrize(
    ("said", "has"),
    [
        (["loaded"], True),
        (["module"], True),
        (["no module", "built in"], True),
        (["built in"], True),  # a kernel without modules, and no modprobe
        (["no module", "not built in"], False),
        (["not built in"], None),  # as a module it may be there: no modprobe tells
        (["no module"], None),  # built in it may be: the kernel shows no symbols
        ([], None),
    ],
)
def test_a_part_of_the_kernel_is_a_module_or_built_in(said: list[str], has: bool | None) -> None:
    assert has_part(said) is has


def asked(folder: Path, symbol: str, modprobe: str | None) -> list[str]:
    """The answer of this machine's kernel, with a modprobe that says so."""
    path = os.environ["PATH"]
    if modprobe is not None:
        (folder / "modprobe").write_text(f"#!/bin/sh\n{modprobe}\n")
        (folder / "modprobe").chmod(0o755)
        path = f"{folder}:{path}"
    script = f"{look._KERNEL_PART} kernel_part esp overlaykit_has_no_such_module {symbol}"
    done = subprocess.run(["sh", "-c", script], env={"PATH": path}, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    first, *lines = done.stdout.splitlines()
    assert first == "@esp"
    return lines


def test_a_module_that_could_be_loaded_is_told(tmp_path: Path) -> None:
    assert asked(tmp_path, "schedule", "exit 0") == ["module"]


@pytest.mark.skipif(not Path("/proc/kallsyms").exists(), reason="this machine's kernel shows no symbols")
def test_what_is_built_in_is_seen_without_any_module(tmp_path: Path) -> None:
    assert asked(tmp_path, "schedule", "exit 1") == ["no module", "built in"]
    assert asked(tmp_path, "overlaykit_has_no_such_symbol", "exit 1") == ["no module", "not built in"]
    assert has_part(asked(tmp_path, "schedule", "exit 1")) is True


def test_a_symbol_is_a_whole_name(tmp_path: Path) -> None:
    assert "built in" not in asked(tmp_path, "schedul", "exit 1")
