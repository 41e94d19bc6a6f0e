"""The catalogue of findings: each code has one meaning and one chapter."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter
from pathlib import Path

import overlaykit.phases
from overlaykit.phases.proofs.check import Check

ROOT = Path(__file__).parents[2]
CODE = re.compile(r'"(OK\d{3})"')
EXAMPLE = "OK999"


def used() -> set[str]:
    """Every code that the library can give."""
    texts = (path.read_text() for path in (ROOT / "overlaykit").rglob("*.py"))
    return {code for text in texts for code in CODE.findall(text)} - {EXAMPLE}


def chapters() -> list[str]:
    """Every code that docs/findings.md explains."""
    return re.findall(r"^### (OK\d{3})$", (ROOT / "docs" / "findings.md").read_text(), re.MULTILINE)


def checks() -> list[Check]:
    """Every check that is data, wherever in phases/ it stands."""
    names = [m.name for m in pkgutil.walk_packages(overlaykit.phases.__path__, "overlaykit.phases.")]
    modules = [importlib.import_module(name) for name in names]
    return list(
        {id(one): one for module in modules for one in vars(module).values() if isinstance(one, Check)}.values()
    )


def test_every_code_has_its_chapter_and_every_chapter_its_code() -> None:
    assert used() == set(chapters())


def test_chapters_are_in_order_and_stand_once() -> None:
    assert chapters() == sorted(set(chapters()))


def test_a_code_has_one_meaning() -> None:
    assert [code for code, count in Counter(check.code for check in checks()).items() if count > 1] == []


def test_a_check_that_can_fail_says_what_to_do() -> None:
    assert [check.code for check in checks() if not check.fix] == []
