"""A lesson in a browser, from its first cell to its last, as a learner goes through it.

run(browser, server, lesson, keep="03_overlay_network-dark")    # test-logs/screenshots/03_overlay_network-dark.png
"""

from __future__ import annotations

import re

from lab_server import Server
from lessons import Lesson
from notebook import Notebook
from playwright.sync_api import Browser, Locator, expect

#: Nothing of it may stand in what a lesson shows.
WRONG = ("Loading widget", "Error displaying widget", "Traceback", "FAILED")
CHOICES = 3


def run(browser: Browser, server: Server, lesson: Lesson, keep: str) -> None:
    """To its end; then all that it shows is there, nothing of it went wrong, and each choice gets an answer."""
    with Notebook.open(browser, server, lesson.name) as notebook:
        notebook.run_all()
        notebook.show_all()
        notebook.keep(keep, notebook.page.locator(".jp-Notebook"))
        shown = notebook.page.locator(".jp-OutputArea-output")
        for wrong in WRONG:
            expect(shown.filter(has_text=re.compile(wrong))).to_have_count(0)
        choices = notebook.page.get_by_role("radio").all()
        assert len(choices) == CHOICES * sum('predict("' in cell.source for cell in lesson.code)
        for choice in choices:
            is_answered(choice)
        assert notebook.faults == []


def is_answered(choice: Locator) -> None:
    """Choose it, in a prediction where nothing or another is chosen: what stood beneath makes room for its answer."""
    answer = choice.locator("xpath=ancestor::*[contains(@class, 'jp-OutputArea-output')][1]").get_by_role("status")
    before = answer.inner_text()
    choice.check()
    expect(answer).not_to_have_text(before)
    expect(answer).to_have_text(re.compile("^(Right|Not so)"))
