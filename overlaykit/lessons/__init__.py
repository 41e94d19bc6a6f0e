"""What the notebooks stand on beside the kit: a start that can be reached from anywhere, predictions, exercises.

from overlaykit.lessons import begin, predict, turn

hosts = begin("03", "lab")          # three hosts in a swarm, whatever was there before
predict("03", "where")              # a question with three answers, before the cell that shows it
turn("03", hosts, stack)            # PASS, or NOT YET with a hint that follows from what was seen
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as typing's, without the cost of importing it
if TYPE_CHECKING:
    from overlaykit.lessons.power import power_off, power_on
    from overlaykit.lessons.session import begin
    from overlaykit.lessons.turns import turn
    from overlaykit.lessons.verdict import Verdict
    from overlaykit.ui.notebook.prediction import predict

__all__ = ["Verdict", "begin", "power_off", "power_on", "predict", "turn"]

_HOMES = {
    "Verdict": "overlaykit.lessons.verdict",
    "begin": "overlaykit.lessons.session",
    "power_off": "overlaykit.lessons.power",
    "power_on": "overlaykit.lessons.power",
    "predict": "overlaykit.ui.notebook.prediction",
    "turn": "overlaykit.lessons.turns",
}


def __getattr__(name: str) -> object:
    """Each brings a display or the hosts' libraries with it: only when it is asked for."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'overlaykit.lessons' has no attribute {name!r}")
