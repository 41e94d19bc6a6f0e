"""make bundle: one folder that installs the whole kit without internet, and what it is made of.

python bundle/make_bundle.py [FOLDER]       # dist/overlaykit-0.1.0-bundle where not said
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import wheels

from overlaykit.lab.carry import export_build
from overlaykit.making.place import placed
from overlaykit.making.recipes import read_recipes
from overlaykit.words.errors import OverlaykitError

ROOT = Path(__file__).parents[1]
LAB = "lab.tar.zst"
_SUMS = "SHA256SUMS"
_EXAMPLES = ("hosts.example.ini", "stack.example.toml")
_COPIED = (*_EXAMPLES, "LICENSE", "bundle/install.sh", "bundle/README.md")
_SOURCES = ("overlaykit", "images", *_EXAMPLES, "pyproject.toml", "README.md", "LICENSE")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "*.pyc")


def main() -> int:
    """Make it, or say in a sentence why not."""
    name = f"overlaykit-{version('overlaykit')}-bundle"
    place = (Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / name).resolve()
    if place.exists() and not (place / _SUMS).is_file():
        print(f"{place} is there and is no bundle: name a folder that does not exist", file=sys.stderr)
        return 1
    return exit_status(lambda: _make(place))


def exit_status(make: Callable[[], None]) -> int:
    """0 where it was made, else 1 and a sentence that says why not."""
    try:
        make()
    except (OverlaykitError, LookupError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"pip could not get the wheels (status {error.returncode}); what it said is above", file=sys.stderr)
        return 1
    return 0


def _make(place: Path) -> None:
    with placed(place) as draft:
        fill(draft)
        draft.chmod(0o755)
    print("\n".join(sizes(place)))


def fill(folder: Path) -> None:
    """Everything into the folder, the list of checksums last."""
    for name in _COPIED:
        copy(ROOT / name, folder / Path(name).name)
    copy_lessons(folder)
    print("== Wheels", flush=True)
    (folder / "wheels").mkdir()
    wheels.fetch(kit_wheel(folder / "wheels"), folder / "wheels")
    (folder / "WHEELS.md").write_text(wheels.table(folder / "wheels"))
    print("== What practice hosts run from", flush=True)
    built = export_build(folder / LAB, lambda text: print(text, flush=True))
    copy(built.contents, folder / built.contents.name)
    (folder / _SUMS).write_text(sums(folder))


def kit_wheel(folder: Path) -> Path:
    """The kit's own wheel, made from a copy of its sources: setuptools leaves its traces where it builds."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in _SOURCES:
            copy(ROOT / name, Path(scratch, name))
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*command, "--wheel-dir", str(folder), scratch], check=True)
    wheel = next(folder.glob("overlaykit-*.whl"))
    require_same_recipes(wheel)
    return wheel


def require_same_recipes(wheel: Path) -> None:
    """What is installed from the wheel must ask for the very build that the bundle carries."""
    with tempfile.TemporaryDirectory() as scratch, ZipFile(wheel) as archive:
        for member in archive.infolist():
            if member.filename.startswith("overlaykit/images/"):
                Path(archive.extract(member, scratch)).chmod(member.external_attr >> 16)
        inside = read_recipes(Path(scratch, "overlaykit", "images"))
        lacking = {f"overlaykit/examples/{name}" for name in _EXAMPLES} - set(archive.namelist())
    if lacking:
        raise LookupError(f"{wheel.name} lacks {', '.join(sorted(lacking))}")
    if {name: recipe.key for name, recipe in inside.items()} != {n: r.key for n, r in read_recipes().items()}:
        raise LookupError(f"{wheel.name} holds other recipes than images/: is there something that git does not know?")


def sums(folder: Path) -> str:
    """As `sha256sum --check` reads it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return "".join(f"{_digest(path)}  {path.relative_to(folder)}\n" for path in paths)


def sizes(folder: Path) -> list[str]:
    """How large it is, and what makes it."""
    parts = {path.name: _size(path) for path in folder.iterdir()}
    rows = [f"{size / 1e6:8.1f} MB  {name}" for name, size in sorted(parts.items(), key=lambda part: -part[1])]
    return [f"{folder}", *rows, f"{sum(parts.values()) / 1e6:8.1f} MB  together", f"Next: sh {folder}/install.sh"]


def copy_lessons(folder: Path) -> None:
    """Notebooks, without what stands on tests/ and works in a clone alone, and the pages that they name."""
    copy(ROOT / "notebooks", folder / "notebooks")
    copy(ROOT / "docs", folder / "docs")
    (folder / "notebooks" / "conftest.py").unlink()


def copy(source: Path, target: Path) -> None:
    """A file or a folder, without what programs have left in it; a link stays one."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=_LEFT_OUT)
    else:
        shutil.copy2(source, target)


def _size(path: Path) -> int:
    return sum(one.stat().st_size for one in (path.rglob("*") if path.is_dir() else [path]) if one.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
