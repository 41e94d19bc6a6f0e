"""The recipes under images/: one folder, one image, named by what the folder holds.

>>> recipe = read_recipes()["backend"]
>>> recipe.name, recipe.grounds
('backend', ('base',))
>>> recipe.tag
'localhost/overlaykit/backend:1f0c…'
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from overlaykit.words.errors import LabNotPossible

IMAGES = Path(__file__).parents[1] / "images"  # a link to the folder at the top; a wheel holds the files

#: It holds a build, so no build waits for it or is named by it; bundle/make_workbench.py makes it.
WORKBENCH = "workbench"

_OURS = re.compile(r"localhost/overlaykit/([a-z]+)")


@dataclass(frozen=True)
class Recipe:
    """A folder with a Dockerfile. `key` changes when it, or a recipe that it stands on, changes."""

    name: str
    folder: Path
    grounds: tuple[str, ...]
    key: str

    @property
    def repository(self) -> str:
        """The name under which other recipes build on it."""
        return f"localhost/overlaykit/{self.name}"

    @property
    def well_known(self) -> str:
        """The image that takes its place where Docker Hub answers; empty for most."""
        file = self.folder / "well-known"
        return file.read_text().strip() if file.exists() else ""

    @property
    def tag(self) -> str:
        """The name of exactly this content."""
        return f"{self.repository}:{self.key}"


def read_recipes(folder: Path = IMAGES) -> dict[str, Recipe]:
    """The recipes of practice hosts and tiers by name; each after those that it stands on."""
    folders = {path.parent.name: path.parent for path in sorted(folder.glob("*/Dockerfile"))}
    folders.pop(WORKBENCH, None)
    if not folders:
        raise LabNotPossible(f"{folder} holds no recipes to build from: run overlaykit from a clone of its repository")
    recipes: dict[str, Recipe] = {}
    for name in folders:
        _add(name, folders, recipes)
    return recipes


def combined_key(recipes: list[Recipe], *more: str) -> str:
    """One name for what several recipes make together."""
    return _digest([*(recipe.key for recipe in recipes), *more])


def _add(name: str, folders: dict[str, Path], recipes: dict[str, Recipe]) -> None:
    if name in recipes:
        return
    if name not in folders:
        raise LabNotPossible(f"a Dockerfile stands on localhost/overlaykit/{name}, but there is no images/{name}")
    grounds = tuple(sorted(set(_OURS.findall((folders[name] / "Dockerfile").read_text())) - {name}))
    for ground in grounds:
        _add(ground, folders, recipes)
    key = _digest([*_contents(folders[name]), *(recipes[ground].key for ground in grounds)])
    recipes[name] = Recipe(name, folders[name], grounds, key)


def _contents(folder: Path) -> list[str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return [f"{path.relative_to(folder)} {path.stat().st_mode & 0o100:o} {_file_digest(path)}" for path in files]


def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
