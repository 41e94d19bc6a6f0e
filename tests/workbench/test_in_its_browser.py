"""Every lesson of the workbench as a learner meets it: through its one published port, in a browser, in order.

How each page looks at its end is kept in test-logs/screenshots.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from containers import HOME, LIMITS, load, running, volume
from lab_server import Server
from lessons import LESSONS, Lesson
from playwright.sync_api import Browser
from whole_lesson import run

pytest_plugins = ["browsing"]
pytestmark = pytest.mark.timeout(900)

#: As its image starts it, but that a page can be told what to do, which is for tests alone.
JUPYTER = ("jupyter", "lab", "--LabApp.expose_app_in_browser=True")


@pytest.fixture(scope="module")
def workbench() -> Iterator[Server]:
    load()
    with (
        volume() as home,
        running(*LIMITS, "--publish", "127.0.0.1:0:8888", "--volume", f"{home}:{HOME}", command=JUPYTER) as container,
    ):
        yield Server(container.door(), "/", container.token(), below="notebooks/")


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_each_lesson_to_its_end(browser: Browser, workbench: Server, lesson: Lesson) -> None:
    run(browser, workbench, lesson, keep=f"{lesson.name}-workbench")
