"""The browser that is installed, driven without a window; Playwright downloads none.

with chromium() as browser:
    browser.new_page()
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "These tests drive Chromium, and none is on PATH: type this, then run them again: "
    "sudo apt-get install --no-install-recommends chromium"
)


def find_chromium() -> str:
    """Its path. Raises FileNotFoundError with the command that helps."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise FileNotFoundError(MISSING)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Running, and ended afterwards."""
    options = ["--disable-gpu", "--disable-dev-shm-usage"]
    if os.geteuid() == 0:
        options.append("--no-sandbox")  # its sandbox refuses root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=options)
        yield browser
        browser.close()
