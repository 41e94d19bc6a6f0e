"""Every lesson three times in a row on the same hosts, by `make soak`; not part of `make test`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from lessons import FOLDER
from own_lab import own_lab


@pytest.fixture(scope="module")
def _one_lab() -> Iterator[None]:
    with own_lab(lambda _: None):
        yield


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.usefixtures("_one_lab")
def test_the_lessons_again(number: int) -> None:
    words = [sys.executable, "-m", "pytest", "--nbval", str(FOLDER)]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run {number}:\n{done.stdout}"
