"""The questions that a learner answers before the cell that shows: three choices, each wrong one a misconception.

    >>> question = read_question("03", "where")
    >>> question.text
    'On which hosts does the new network exist now?'
    >>> question.choices[0].misconception
    'An overlay exists on every host at once'

They stand in `predictions/NN.toml`, one table for each question.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from overlaykit.words.errors import InputError

CHOICES = 3


@dataclass(frozen=True)
class Choice:
    """One answer to choose. `misconception` names what stands behind a wrong one; empty: this is the right one."""

    text: str
    answer: str
    misconception: str = ""

    @property
    def right(self) -> bool:
        """Is this the right one?"""
        return not self.misconception


@dataclass(frozen=True)
class Question:
    """A question of a lesson, by its key."""

    lesson: str
    key: str
    text: str
    choices: tuple[Choice, ...]


def read_question(lesson: str, key: str) -> Question:
    """One question. Raises InputError where there is none of that key."""
    found = {question.key: question for question in read_questions(lesson)}
    if key not in found:
        raise InputError(f"lesson {lesson} has no question {key!r}; it has: {', '.join(found) or 'none'}")
    return found[key]


def read_questions(lesson: str) -> tuple[Question, ...]:
    """All questions of a lesson, in the order of its file; none where it has no file."""
    file = files("overlaykit.lessons").joinpath("predictions", f"{lesson}.toml")
    if not file.is_file():
        return ()
    return tuple(_question(lesson, key, table) for key, table in tomllib.loads(file.read_text("utf-8")).items())


def all_questions() -> tuple[Question, ...]:
    """Those of every lesson, for the instructor's list and for tests."""
    folder = files("overlaykit.lessons").joinpath("predictions")
    lessons = sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))
    return tuple(question for lesson in lessons for question in read_questions(lesson))


def _question(lesson: str, key: str, table: Mapping[str, Any]) -> Question:
    try:
        question = Question(lesson, key, table["question"], tuple(Choice(**choice) for choice in table["choices"]))
    except (KeyError, TypeError) as fault:
        raise InputError(f"predictions/{lesson}.toml: [{key}] is not written as a question: {fault}") from None
    if len(question.choices) != CHOICES or sum(choice.right for choice in question.choices) != 1:
        raise InputError(
            f"predictions/{lesson}.toml: [{key}] needs three choices, of which two name a misconception "
            "and one, the right one, names none"
        )
    return question
