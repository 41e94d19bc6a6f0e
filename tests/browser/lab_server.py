"""JupyterLab as a learner starts it, with nobody's settings but its own, over a copy of the lessons.

with jupyter(tmp_path, base_url="/user/learner/") as server:
    page.goto(server.lesson("03_overlay_network"))
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import requests
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

LESSONS = Path(__file__).parents[2] / "notebooks"
Theme = Literal["light", "dark"]
THEMES: dict[Theme, str] = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


@dataclass(frozen=True)
class Server:
    """A running JupyterLab. The lessons are `below` the folder that it shows."""

    port: int
    base_url: str
    token: str
    theme: Theme = "light"
    below: str = ""

    def address(self, path: str) -> str:
        """Where a browser finds something of it. The workspace is a new one: no tab of an earlier visit is there."""
        return f"http://127.0.0.1:{self.port}{self.base_url}{path}?token={self.token}&reset"

    def lesson(self, name: str) -> str:
        """The same of a lesson."""
        return self.address(f"lab/tree/{self.below}{name}.ipynb")


@contextmanager
def jupyter(home: Path, base_url: str = "/", theme: Theme = "light") -> Iterator[Server]:
    """Running, answering, and ended afterwards with all its kernels."""
    folder = home / "notebooks"
    shutil.copytree(LESSONS, folder, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    server = Server(free_port(), base_url, secrets.token_hex(16), theme)
    write_settings(home / "settings", theme)
    trust(home, folder)
    with (home / "jupyter.log").open("w") as log:
        process = subprocess.Popen(
            command(server, folder), env=environment(home), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            wait_until_it_answers(server, process, home / "jupyter.log")
            yield server
        finally:
            process.terminate()
            process.wait(30)


def trust(home: Path, folder: Path) -> None:
    """As `make lab` does: else what was saved, and a panel with it, is shown as its name until it is run again."""
    words = [sys.executable, "-m", "nbformat.sign", *map(str, folder.glob("*.ipynb"))]
    subprocess.run(words, env=environment(home), check=True, stdout=subprocess.DEVNULL)


def command(server: Server, folder: Path) -> list[str]:
    """What starts it. That a page can be told what to do (`jupyterapp`) is for tests alone."""
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": server.port,
        "ServerApp.port_retries": 0,
        "ServerApp.base_url": server.base_url,
        "ServerApp.root_dir": folder,
        "IdentityProvider.token": server.token,
        "LabApp.expose_app_in_browser": True,
    }
    root = ["--allow-root"] if os.geteuid() == 0 else []
    named = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "jupyterlab", "--no-browser", *root, *named]


def environment(home: Path) -> dict[str, str]:
    """Nobody's settings, workspaces or kernels."""
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    return {**os.environ, **{name: str(home / folder) for name, folder in folders.items()}}


def write_settings(folder: Path, theme: Theme) -> None:
    """No question about news lies over the page."""
    settings = {
        "notification": {"fetchNews": "false", "checkForUpdates": False},
        "themes": {"theme": THEMES[theme]},
    }
    place = folder / "@jupyterlab" / "apputils-extension"
    place.mkdir(parents=True)
    for name, values in settings.items():
        (place / f"{name}.jupyterlab-settings").write_text(json.dumps(values))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@retry(
    retry=retry_if_exception_type(requests.RequestException),
    stop=stop_after_delay(60),
    wait=wait_fixed(0.2),
    reraise=True,
)
def wait_until_it_answers(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    if process.poll() is not None:
        raise RuntimeError(f"JupyterLab ended: {log} says why")
    requests.get(server.address("api"), timeout=5).raise_for_status()
