"""The commented examples, and the files that a person starts from.

>>> init_files(Path("."))
[PosixPath('hosts.ini'), PosixPath('stack.toml')]

The examples themselves are links to the top of the repository; packaging puts the files in their place.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from overlaykit.words.errors import InputError, Problem

#: What each file starts as.
STARTS_AS = {"hosts.ini": "hosts.example.ini", "stack.toml": "stack.example.toml"}


def init_files(folder: Path) -> list[Path]:
    """Write hosts.ini and stack.toml into a folder. Raises InputError, and writes nothing, where one is there."""
    taken = [name for name in STARTS_AS if (folder / name).exists() or (folder / name).is_symlink()]
    if taken:
        said = "is there already and is not overwritten: move it away, or run this in another folder"
        raise InputError([Problem(said, str(folder / name)) for name in taken])
    return [_write(folder / name, example(start)) for name, start in STARTS_AS.items()]


def example(name: str) -> str:
    """The text of an example: hosts.example.ini or stack.example.toml."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> Path:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as fault:
        raise InputError([Problem(f"cannot be written ({fault.strerror}): try another folder", str(path))]) from None
    return path
