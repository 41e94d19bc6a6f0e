"""The instructor's page names every misconception that a prediction answers, and the minutes of the class's lessons."""

from __future__ import annotations

import re
from pathlib import Path

from overlaykit.lessons.questions import Question, all_questions

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8")
CORE = ("00", "01", "03", "04", "05", "06", "07")


def listed(question: Question) -> list[str]:
    """The lines that the page holds for a question."""
    wrong = [f"- **{choice.misconception}.** {choice.answer}" for choice in question.choices if not choice.right]
    return [f"*{question.lesson}: {question.text}*", "", *wrong, ""]


def test_every_misconception_is_listed_with_its_answer() -> None:
    """What is missing may be pasted from here, in the order of the lessons."""
    wanted = "\n".join(line for question in all_questions() for line in listed(question)).strip()
    between = re.search(r"<!-- misconceptions.*?-->\n(.*?)<!-- end of misconceptions -->", PAGE, re.DOTALL)
    assert between
    assert between[1].strip() == wanted, f"docs/instructor.md is to hold:\n\n{wanted}"


def test_no_misconception_has_the_name_of_another() -> None:
    names = [c.misconception for question in all_questions() for c in question.choices if not c.right]
    assert len(names) == len(set(names))


def test_the_plan_of_the_class_adds_up() -> None:
    rows = [(int(begin), int(length)) for begin, length in re.findall(r"^\| (\d+) \| (\d+) \|", PAGE, re.MULTILINE)]
    ends = [begin + length for begin, length in rows]
    assert [begin for begin, _ in rows] == [0, *ends[:-1]]
    assert ends[-1] == 90


def test_the_plan_of_the_class_gives_each_lesson_its_minutes() -> None:
    for number in CORE:
        (notebook,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
        declared = re.search(r"Time: (\d+) minutes", notebook.read_text(encoding="utf-8"))
        assert declared
        row = rf"^\| \d+ \| {declared[1]} \| \[{number} · .*\(\.\./notebooks/{notebook.name}\)"
        assert re.search(row, PAGE, re.MULTILINE), f"{notebook.name}: {declared[1]} minutes"
