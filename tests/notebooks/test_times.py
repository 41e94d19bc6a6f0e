"""What `pytest --nbval notebooks` has measured, against what the lessons declare and what a class can bear."""

from __future__ import annotations

import json
from math import ceil
from pathlib import Path

import pytest
from lessons import LESSONS, Lesson

MEASURED = Path(__file__).parents[2] / "test-logs" / "lessons.json"
LONGEST_CELL = 60
LONGEST_OF_ALL = 12 * 60

pytestmark = pytest.mark.lab


def seconds(lesson: Lesson) -> list[float]:
    """Of each cell, when nbval last ran it."""
    assert MEASURED.exists(), "nothing was measured yet: run pytest --nbval notebooks"
    measured: dict[str, list[float]] = json.loads(MEASURED.read_text())
    assert lesson.name in measured, f"{lesson.name} was not measured: run pytest --nbval notebooks"
    return measured[lesson.name]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_hosts_take_no_longer_than_a_lesson_declares(lesson: Lesson) -> None:
    took = seconds(lesson)
    assert len(took) == len(lesson.code), "the lesson has changed since: run pytest --nbval notebooks"
    assert max(took) <= LONGEST_CELL
    assert ceil(sum(took) / 60) <= lesson.time.hosts, f"it took {sum(took):.0f} s"


def test_all_lessons_together() -> None:
    assert sum(sum(seconds(lesson)) for lesson in LESSONS) <= LONGEST_OF_ALL
