"""Small programs that run elsewhere: sent as `python3 -c`, they ask where the kit itself cannot be.

Each is one file of the standard library (`passwords` also uses PyMongo, which is in the backend's image), takes
its questions as JSON in the first argument, and prints its answers as JSON.
"""

from __future__ import annotations

from importlib.resources import files


def source(name: str) -> str:
    """The text of a program, to hand to `python3 -c`."""
    return (files(__name__) / f"{name}.py").read_text(encoding="utf-8")
