"""A lab of a run's own, called `default` as the lessons know it, whatever labs its user has.

with own_lab(print):
    subprocess.run(["pytest", "--nbval", "notebooks"])      # "lab" is the run's own, here and in what it starts
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from overlaykit.lab import lab as practice

STATE = "XDG_STATE_HOME"
#: Where such labs live; whoever sets it can look there for one that was not ended.
STATES = "OVERLAYKIT_TEST_STATES"


@contextmanager
def own_lab(observer: Callable[[str], None]) -> Iterator[None]:
    """Three practice hosts, their state in a folder of its own; both are gone afterwards."""
    with _own_state():
        try:
            practice.up(observer=observer)
            yield
        finally:
            practice.down()


@contextmanager
def _own_state() -> Iterator[None]:
    before = os.environ.get(STATE)
    folder = tempfile.mkdtemp(prefix="overlaykit-", dir=os.environ.get(STATES))
    os.environ[STATE] = folder
    try:
        yield
    finally:
        os.environ.pop(STATE)
        if before is not None:
            os.environ[STATE] = before
        shutil.rmtree(folder)
