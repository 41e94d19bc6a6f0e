"""Every lesson in a browser from its first cell to its last: in order, then backwards, on the same hosts.

Forward in JupyterLab as it is at home; back as on a JupyterHub, in the dark theme. How each page looks at its end is
kept in test-logs/screenshots. In the workbench's JupyterLab: tests/workbench.
"""

from __future__ import annotations

import pytest
from lab_server import Server
from lessons import LESSONS, Lesson
from playwright.sync_api import Browser
from whole_lesson import run

pytest_plugins = ["browsing"]
pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_in_order(browser: Browser, server: Server, lesson: Lesson) -> None:
    run(browser, server, lesson, keep=f"{lesson.name}-{server.theme}")


@pytest.mark.parametrize("lesson", LESSONS[::-1], ids=lambda lesson: lesson.name)
def test_backwards(browser: Browser, hub: Server, lesson: Lesson) -> None:
    run(browser, hub, lesson, keep=f"{lesson.name}-{hub.theme}")
