"""The check of each lesson's *Your turn*: it judges the state of the hosts, not the way there.

    >>> turn("03", hosts, stack)
    NOT YET: …
    Hint: …

One module per lesson, each with `check(hosts, stack) -> Verdict`.
"""

from __future__ import annotations

from importlib import import_module

from overlaykit.kit import Hosts
from overlaykit.lessons.verdict import Verdict
from overlaykit.words.errors import InputError
from overlaykit.words.stack import Stack

#: The module beside this one that checks a lesson's exercise.
TURNS = {
    "00": "start",
    "01": "one_host",
    "02": "swarm",
    "03": "overlay",
    "04": "services",
    "05": "names",
    "06": "wire",
    "07": "door",
    "08": "change",
    "09": "outage",
    "10": "runbook",
    "11": "own",
    "99": "clean_up",
}


def turn(lesson: str, hosts: Hosts, stack: Stack | None = None) -> Verdict:
    """Look at the hosts and judge: PASS, or NOT YET with a hint that follows from what was seen."""
    if lesson not in TURNS:
        raise InputError(f"lesson {lesson!r} has no exercise; these have one: {', '.join(sorted(TURNS))}")
    module = import_module(f"{__name__}.{TURNS[lesson]}")
    verdict: Verdict = module.check(hosts, stack or Stack())
    return verdict
