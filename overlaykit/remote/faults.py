"""What is nobody's fault but the kit's, as a sentence: a step or a probe that meets it still has its outcome.

>>> own_fault("node1", KeyError("node9"))
"node1: KeyError: 'node9'. It is a fault of overlaykit: please report it with what was being done"
"""

from __future__ import annotations


def own_fault(host: str, error: Exception) -> str:
    """One line, however many the error has."""
    said = " ".join(str(error).split())
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return f"{host}: {what}. It is a fault of overlaykit: please report it with what was being done"
