"""What the cells of the lessons say that they need: where they say it, what stands on it, and how nbval compares them.

No host is needed. `pytest tests/notebooks/test_needs.py -k 05` is one lesson.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from types import SimpleNamespace
from typing import Any

import pytest
from lessons import FOLDER, LESSONS, Lesson
from nbformat.v4 import new_output

from overlaykit.lessons.needs import needs_of, run_up_to

SENTENCE = "not available here: a virtual IP. The kernel of node1 has no IPVS."

every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


@every_lesson
def test_what_a_cell_needs_is_said_where_it_counts(lesson: Lesson) -> None:
    """One that hosts cannot run says so in place of what follows its line; a script for a host is one piece."""
    for cell in lesson.code:
        said = [line for line in cell.source.splitlines() if line.lstrip().startswith("# needs")]
        assert len(said) == len(needs_of(cell.source)), f"cell {cell.id}: `# needs IPVS: …`, a line of its own"
        if said and cell.source.startswith("%%"):
            assert cell.source.splitlines()[1] == said[0], f"cell {cell.id}: right under the magic"


@every_lesson
@pytest.mark.parametrize("missing", [("IPVS",), ("ESP",), ("IPVS", "ESP", "kernels")], ids=" ".join)
def test_nothing_stands_on_a_cell_that_may_be_left_out(lesson: Lesson, missing: tuple[str, ...]) -> None:
    known, unknown = set[str](), set[str]()
    for cell in lesson.code:
        cut = run_up_to(cell.source, missing)
        run = cut[0] if cut else cell.source
        here = set(names(run, ast.Store))
        found = set(names(run, ast.Load)) & unknown - here
        assert not found, f"cell {cell.id} needs {', '.join(found)}, which a cell above may not have made"
        known |= here
        unknown = (unknown | set(names(cell.source, ast.Store))) - known


def names(source: str, use: type[ast.expr_context]) -> Iterator[str]:
    """Those that a cell of Python reads, or binds."""
    for node in ast.walk(ast.parse("" if source.startswith("%%") else source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, use):
            yield node.id
        elif isinstance(node, ast.FunctionDef) and use is ast.Store:
            yield node.name
        elif isinstance(node, ast.alias) and use is ast.Store:
            yield node.asname or node.name


def test_what_is_not_available_everywhere_is_listed() -> None:
    """By docs/anywhere.md: lesson, what it takes, what is left out without it, and in how many cells."""
    said = Counter(
        (lesson.number, need.kind, need.what)
        for lesson in LESSONS for cell in lesson.code for need in needs_of(cell.source)
    )  # fmt: skip
    page = (FOLDER.parent / "docs" / "anywhere.md").read_text()
    listed = re.findall(r"^\| (\d\d) \| (\w+) \| (.+?) \| (\d+) \|$", page, re.MULTILINE)
    assert listed == [(*what, str(count)) for what, count in sorted(said.items())]


@pytest.fixture(scope="module")
def comparing() -> Any:
    """notebooks/conftest.py, which no test can import by its name: each folder has one."""
    spec = spec_from_file_location("conftest_of_the_lessons", FOLDER / "conftest.py")
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text(said: str) -> Any:
    return new_output("stream", name="stdout", text=said)  # type: ignore[no-untyped-call]


def shown(said: str) -> Any:
    return new_output("execute_result", data={"text/plain": said})  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("run", "before", "is_right"),
    [
        ("wide = 2\n", [], True),
        ("wide = 2\n", [text("2\n")], False),
        ("print(2)\n", [text("2\n")], True),
        ("print(2)\n", [text("3\n")], False),
        ("print(2)\n", [], False),
        ("print(2)\n", [text("2\n"), shown("2")], False),
    ],
)
def test_what_is_run_before_the_sentence_is_compared(
    comparing: Any, run: str, before: list[Any], is_right: bool
) -> None:
    saved = [text("2\n3\n")]
    assert comparing.compare_up_to(SimpleNamespace(), run, SENTENCE, [*before, shown(SENTENCE)], saved) is is_right


def test_the_sentence_must_be_there(comparing: Any) -> None:
    saved = [text("2\n3\n")]
    assert not comparing.compare_up_to(SimpleNamespace(), "print(2)\n", SENTENCE, [text("2\n")], saved)
    assert not comparing.compare_up_to(SimpleNamespace(), "", SENTENCE, [], saved)
