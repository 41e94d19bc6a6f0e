"""A question with three choices; what is true of a choice appears when it is made.

predict("03", "where")
"""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets

from overlaykit.lessons.marked import marked
from overlaykit.lessons.questions import Choice, Question, read_question

_TEXT = "line-height:1.5;white-space:normal"  # as a page has it, not as a widget's label


def predict(lesson: str, key: str) -> Prediction:
    """The question of a lesson with its three choices. Raises InputError where there is no such question."""
    return Prediction(read_question(lesson, key))


class Prediction(ipywidgets.VBox):
    """Nothing is chosen at first, and nothing has to be: the cells below run all the same."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.choice = ipywidgets.RadioButtons(
            options=[choice.text.replace("`", "") for choice in question.choices],  # a label knows no code
            index=None,
            layout=ipywidgets.Layout(width="auto", max_width="100%"),
        )
        self.answer = ipywidgets.HTML(_answer("Choose one; you may change your mind."))
        self.choice.observe(self._chosen, names="index")
        asked = ipywidgets.HTML(f'<div style="{_TEXT}"><b>Predict.</b> {marked(question.text)}</div>')
        super().__init__([asked, self.choice, self.answer])

    def _chosen(self, change: dict[str, Any]) -> None:
        chosen = change["new"]
        if chosen is not None:
            self.answer.value = _answer(*_said(self.question.choices[chosen]))

    def _repr_mimebundle_(self, **settings: Any) -> dict[str, Any]:
        """The question also for a notebook that is read without a kernel; what is true of the choices is not in it."""
        choices = "".join(f"<li>{marked(choice.text)}</li>" for choice in self.question.choices)
        read = f"<p><b>Predict.</b> {marked(self.question.text)}</p><ul>{choices}</ul>"
        return {**super()._repr_mimebundle_(**settings), "text/html": read, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"Prediction({self.question.lesson!r}, {self.question.key!r})"


def _said(choice: Choice) -> tuple[str, str, str]:
    if choice.right:
        return choice.answer, "Right.", "--jp-success-color1"
    return choice.answer, f"Not so: “{choice.misconception}” is what many think.", "--jp-warn-color1"


def _answer(text: str, word: str = "", colour: str = "--jp-border-color1") -> str:
    bold = f"<b>{escape(word)}</b> " if word else ""
    style = f"border-left:4px solid var({colour}, currentColor);padding:.2em .8em;{_TEXT}"
    return f'<div role="status" style="{style}">{bold}{marked(text)}</div>'
