"""Can this machine run the lessons? Found out by doing, the day before a class.

>>> try_this_machine(print)
'6.12.57'
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec

from platformdirs import user_state_path

from overlaykit.kit import connect
from overlaykit.lab import lab as practice
from overlaykit.lab.kinds import choose
from overlaykit.materials import present_images
from overlaykit.words.errors import LabNotPossible
from overlaykit.words.host import DEFAULT_LAB

#: Hosts that the lessons use.
HOSTS = 3
#: What notebooks stand on, as Python imports it.
NOTEBOOKS = ("jupyterlab", "ipykernel", "ipywidgets", "anywidget", "jupyter_server_proxy")


def try_this_machine(observer: Callable[[str], None]) -> str:
    """The kernel that a container on a practice host saw; the host is gone again. Raises LabNotPossible, LabError."""
    _require_notebooks()
    _require_room()
    name = f"ready-{os.getpid()}"
    try:
        practice.up(name, hosts=1, observer=observer)
        observer("running a container on it")
        return _run_a_container(name)
    finally:
        practice.down(name)


def _require_notebooks() -> None:
    if missing := [name for name in NOTEBOOKS if find_spec(name) is None]:
        raise LabNotPossible(
            f"the lessons need {', '.join(missing)}, which this Python lacks: pip install -r requirements.txt"
        )


def _require_room() -> None:
    """For the whole lab of the lessons, as far as it does not run already."""
    running = sum(host.running for host in practice.status())
    if running < HOSTS:
        kind, _ = choose(None)
        kind.require(HOSTS - running, user_state_path("overlaykit") / "labs" / DEFAULT_LAB, running)


def _run_a_container(lab: str) -> str:
    image = present_images(lab)["frontend"].reference
    with connect(f"lab:{lab}") as hosts:
        typed = f"docker run --rm --network none --entrypoint uname {image} -r"
        return hosts["node1"].run(typed, check=True).stdout.strip()
