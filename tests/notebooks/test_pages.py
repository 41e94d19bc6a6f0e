"""Each lesson as it lies in the repository: saved outputs that hold on every run, its size, its eight parts, its links.

No host is needed. `pytest tests/notebooks -k 03` is one lesson.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator

import nbformat
import pytest
from lessons import CORE, CORE_PATH, FOLDER, LESSONS, Cell, Lesson, lines
from save_outputs import WIDGET

WORDS_A_MINUTE = 200
PARAMETERS = {"INVENTORY": "lab", "ALLOW_CHANGES": False}

#: What makes nbval pass over a cell, or compare it with what nobody saw.
PASSED_OVER = re.compile(r"nbval[-_](ignore|skip|check|raises)|raises-exception|PYTEST_VALIDATE", re.IGNORECASE)
#: What cannot be compared, and why.
NOT_IN_A_LESSON = {
    "clear_output(": "nbval keeps what was cleared",
    "display_id=": "nbval sees the first version, a reader the last",
    "update_display(": "nbval sees the first version, a reader the last",
    "Output(": "what it catches differs without a browser",
    "interact(": "it shows itself in an Output",
    "interactive(": "it shows itself in an Output",
    "subprocess.": "what a child prints is lost under nbval: use %%on",
    "datetime.now(": "it is another on each run",
    "time.sleep(": "wait for a condition, not for a time",
}
#: What is another on each run, or on each lab.
CHANGES = {
    "the address of an object": r"0x[0-9a-f]{6,}",
    "a time of day": r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d|\b\d\d:\d\d:\d\d\b",
    "a duration": r"(?i)\b\d+(\.\d+)? ?(ms|s|sec|seconds?|minutes?|it/s)\b( ago)?",
    "an id": r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,64}\b",
    "a swarm id": r"\b(?=[a-z]*\d)[0-9a-z]{25}\b",
    "a join token": r"SWMTKN",
    "a path of this machine": r"/tmp/|/home/|/root/|/Users/|site-packages",
    "an address that the engine chose": r"\b(?!10\.77\.0\.|127\.0\.0\.1\b|127\.0\.0\.11\b|0\.0\.0\.0\b)"
    r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b(?!/\d)",
    "a port of this lab": r"127\.0\.0\.1:\d+",
}

every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


def outputs(cell: Cell) -> Iterator[tuple[str, str]]:
    """(kind, text) of whatever a cell's saved outputs say in letters."""
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.name, output.text
        elif output.output_type == "error":
            yield "error", output.evalue
        else:
            yield from ((kind, text) for kind, text in output.data.items() if kind in ("text/plain", "text/html"))


def section(lesson: Lesson, heading: str) -> int:
    """Where a part begins, by its heading."""
    pattern = re.compile(rf"^## .*{heading}", re.MULTILINE | re.IGNORECASE)
    found = [index for index, cell in enumerate(lesson.notebook.cells) if is_text(cell) and pattern.search(cell.source)]
    assert found, f"no heading of the second level says {heading!r}"
    return found[0]


def is_text(cell: Cell) -> bool:
    return bool(cell.cell_type == "markdown")


def test_there_are_lessons() -> None:
    assert {lesson.number for lesson in LESSONS} >= {*CORE, "02", "08", "09", "10", "11", "99"}


def test_nbval_collects_every_cell_of_every_lesson() -> None:
    words = [sys.executable, "-m", "pytest", "--nbval", "--collect-only", "-q", str(FOLDER)]
    listed = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    cells = re.findall(r"^notebooks/(\w+)\.ipynb::Cell (\d+)$", listed, re.MULTILINE)
    assert cells == [(lesson.name, str(number)) for lesson in LESSONS for number in range(len(lesson.code))]


@every_lesson
def test_it_is_a_notebook_without_what_a_browser_left(lesson: Lesson) -> None:
    nbformat.validate(lesson.notebook)
    assert set(lesson.notebook.metadata) == {"kernelspec", "language_info"}
    assert lesson.notebook.metadata.kernelspec.name == "python3"
    extra = {key for cell in lesson.notebook.cells for key in cell.metadata} - {"tags", "jupyter"}
    assert extra == set(), "metadata that nobody wrote: run `make outputs`"


@every_lesson
def test_every_cell_was_run_in_order(lesson: Lesson) -> None:
    """nbval compares nothing where a cell was never run, and says that it passed."""
    counts = [cell.execution_count for cell in lesson.code]
    assert counts == list(range(1, len(counts) + 1)), "run `make outputs`"


@every_lesson
def test_no_magic_is_a_comment(lesson: Lesson) -> None:
    """As some converters write it; then the script of the cell is read as Python."""
    assert [cell.id for cell in lesson.code if re.match(r"#\s*%%?\w", cell.source)] == []


@every_lesson
def test_nothing_is_passed_over(lesson: Lesson) -> None:
    for cell in lesson.code:
        found = PASSED_OVER.search(f"{cell.source} {cell.metadata.get('tags', [])}")
        assert not found, f"cell {cell.id}: {found}"


@every_lesson
def test_no_call_whose_output_cannot_be_compared(lesson: Lesson) -> None:
    found = [f"cell {cell.id}: {call} {why}" for cell in lesson.code for call, why in NOT_IN_A_LESSON.items()
             if re.search(rf"(?<!\w){re.escape(call)}", cell.source)]  # fmt: skip
    assert found == []


@every_lesson
def test_saved_outputs_hold_on_every_run(lesson: Lesson) -> None:
    found = [f"cell {cell.id}: {what}: {match[0]!r}" for cell in lesson.code for kind, text in outputs(cell)
             for what, pattern in CHANGES.items() if (match := re.search(pattern, text))]  # fmt: skip
    assert found == []


@every_lesson
def test_nothing_went_wrong_when_it_was_saved(lesson: Lesson) -> None:
    assert [
        (cell.id, text) for cell in lesson.code for kind, text in outputs(cell) if kind in ("stderr", "error")
    ] == []


@every_lesson
def test_no_widget_is_saved(lesson: Lesson) -> None:
    """Without its kernel it is an error on the page; its picture or its name is there."""
    assert [cell.id for cell in lesson.code for one in cell.outputs if WIDGET in one.get("data", {})] == []


@pytest.mark.parametrize(("number", "words"), [("05", "came in through node1"), ("09", "the longest time without an")])
def test_a_saved_picture_is_of_the_lesson_as_it_is(number: str, words: str) -> None:
    """nbval compares no picture, so that one of long ago would stay."""
    (lesson,) = (one for one in LESSONS if one.number == number)
    drawn = [
        one.data["image/svg+xml"]
        for cell in lesson.code
        for one in cell.outputs
        if "image/svg+xml" in one.get("data", {})
    ]
    assert any(words in picture for picture in drawn), "run `make outputs`"


@every_lesson
def test_it_is_short(lesson: Lesson) -> None:
    assert len(lesson.code) <= 20, "code cells"
    assert lesson.lines_of_code <= 120, "lines of code"
    assert lesson.words <= 900, "words"
    long = {cell.id: count for cell in lesson.code if (count := to_read(cell)) > longest(cell)}
    assert long == {}, "lines of a cell"


def to_read(cell: Cell) -> int:
    """The lines of a cell that do something; imports are skipped by every reader, and what it needs is no step."""
    return sum(not line.startswith(("import ", "from ", "# needs ")) for line in lines(cell))


def longest(cell: Cell) -> int:
    """A step is read at a glance; parameters and solutions are looked up."""
    return 14 if {"parameters", "solution"} & set(cell.metadata.get("tags", [])) else 8


@every_lesson
def test_it_brings_three_new_terms_at_most(lesson: Lesson) -> None:
    assert len(lesson.terms) == len(set(lesson.terms)) <= 3, lesson.terms


@every_lesson
def test_it_begins_with_what_will_be_true(lesson: Lesson) -> None:
    first = lesson.notebook.cells[0]
    assert is_text(first) and re.match(r"# \S", first.source)
    assert lesson.time


@every_lesson
def test_its_parameters_are_scalars_one_to_a_line(lesson: Lesson) -> None:
    """So that papermill can set each."""
    (cell,) = lesson.tagged("parameters")
    assert lesson.code[0] is cell
    statements = ast.parse(cell.source).body
    assert len({statement.lineno for statement in statements}) == len(statements)
    values = {}
    for statement in statements:
        assert isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name), ast.unparse(statement)
        values[statement.targets[0].id] = ast.literal_eval(statement.value)
    assert all(isinstance(value, (str, int, float, bool)) for value in values.values())
    assert values.items() >= PARAMETERS.items()


@every_lesson
def test_then_it_sets_up(lesson: Lesson) -> None:
    setup = "\n".join(cell.source for cell in lesson.code[1:3])
    assert f'begin("{lesson.number}", INVENTORY, allow_changes=ALLOW_CHANGES)' in setup


@every_lesson
def test_one_cell_checks_the_goal_before_the_exercise(lesson: Lesson) -> None:
    (cell,) = lesson.tagged("check")
    assert re.search(r"\bassert\b|\.require\(", cell.source)
    assert lesson.index(cell) < section(lesson, "your turn")


@every_lesson
def test_your_turn_is_judged_before_and_after_a_folded_solution(lesson: Lesson) -> None:
    solutions = lesson.tagged("solution")
    assert solutions
    assert [cell.id for cell in solutions if not cell.metadata.get("jupyter", {}).get("source_hidden")] == []
    judged = [lesson.index(cell) for cell in lesson.code if f'turn("{lesson.number}", ' in cell.source]
    assert len(judged) == 2
    assert section(lesson, "your turn") < judged[0] < min(map(lesson.index, solutions))
    assert max(map(lesson.index, solutions)) < judged[1] < section(lesson, "recap")
    assert ".require()" not in lesson.notebook.cells[judged[0]].source
    assert ".require()" in lesson.notebook.cells[judged[1]].source


@every_lesson
def test_a_prediction_comes_before_its_answer(lesson: Lesson) -> None:
    asked = [lesson.index(cell) for cell in lesson.code if f'predict("{lesson.number}", ' in cell.source]
    assert asked and max(asked) < section(lesson, "recap")


@every_lesson
def test_the_recap_names_the_commands_of_both(lesson: Lesson) -> None:
    recap = lesson.notebook.cells[section(lesson, "recap")].source
    assert re.search(r"`?docker \w", recap) and re.search(r"`?overlaykit \w", recap)


@every_lesson
def test_its_links_lead_somewhere(lesson: Lesson) -> None:
    broken = [link for link in lesson.links() if "://" not in link and not link.startswith("#")
              and not (FOLDER / link.partition("#")[0]).exists()]  # fmt: skip
    assert broken == []


@pytest.mark.parametrize(
    ("lesson", "following"), list(zip(LESSONS, [*LESSONS[1:], *LESSONS[:1]], strict=True)), ids=str
)
def test_it_ends_with_the_link_to_the_next(lesson: Lesson, following: Lesson) -> None:
    last = [cell.source for cell in lesson.notebook.cells if is_text(cell)][-1]
    assert f"]({following.path.name})" in last


@every_lesson
def test_the_minutes_that_it_declares(lesson: Lesson) -> None:
    time = lesson.time
    assert time.all == time.reading + time.hosts + time.exercise
    assert time.reading >= lesson.words / WORDS_A_MINUTE, f"{lesson.words} words"
    assert time.all <= 15


@pytest.mark.parametrize(("numbers", "longest"), [(CORE_PATH, 65), (CORE, 76)], ids=["without 06", "all"])
def test_the_core_path_fits_a_class(numbers: tuple[str, ...], longest: int) -> None:
    """Of 90 minutes, with a welcome, a break and questions."""
    assert sum(lesson.time.all for lesson in LESSONS if lesson.number in numbers) <= longest


def test_the_folders_page_lists_every_lesson_with_its_minutes() -> None:
    page = (FOLDER / "README.md").read_text()
    missing = [
        lesson.name for lesson in LESSONS if not re.search(rf"\({lesson.path.name}\).*\b{lesson.time.all}\b", page)
    ]
    assert missing == []
