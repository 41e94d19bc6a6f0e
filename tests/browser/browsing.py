"""One Chromium, one lab, and two JupyterLabs over it: as at home, and as on a JupyterHub."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import chromium
from lab_server import Server, jupyter
from own_lab import own_lab
from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def _lab() -> Iterator[None]:
    with own_lab(lambda _: None):
        yield


@pytest.fixture(scope="module")
def server(_lab: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with jupyter(tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture(scope="module")
def hub(_lab: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As on a JupyterHub, where everything of a learner lies beneath an address of theirs; in the dark theme."""
    with jupyter(tmp_path_factory.mktemp("hub"), base_url="/user/learner/", theme="dark") as running:
        yield running
