"""The wheels that a bundle carries, for every Python that it serves, and proof that none is missing.

fetch(Path("overlaykit-0.1.0-py3-none-any.whl"), folder)
missing(folder, "3.12")     # []

pip downloads for another Python, but asks the markers of its own (`; python_version < "3.12"`): so what each Python
needs is worked out here from what the wheels say, and fetched where pip did not.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

PYTHONS = ("3.11", "3.12", "3.13")
WANTED = Requirement("overlaykit[notebooks]")
PINS = Path(__file__).parents[1] / "requirements.txt"

# The glibc of Debian 12, Ubuntu 22.04 and RHEL 9, which has all wheels, and older ones; pip takes each only when named.
_PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in range(34, 4, -1)]
_PLATFORMS += ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"]


@dataclass(frozen=True)
class Wheel:
    """One wheel, as it describes itself."""

    path: Path
    said: Message

    @property
    def requirements(self) -> list[Requirement]:
        return [Requirement(line) for line in self.said.get_all("Requires-Dist") or []]

    @property
    def licence(self) -> str:
        """By whichever of the ways in which wheels have said it over the years."""
        classified = [line for line in self.said.get_all("Classifier") or [] if line.startswith("License :: ")]
        written = (self.said["License"] or "").strip()
        named = self.said["License-Expression"] or ", ".join(line.split(" :: ")[-1] for line in classified)
        return str(named or (written.splitlines() or ["not said"])[0])


def fetch(kit: Path, folder: Path, pythons: Sequence[str] = PYTHONS, more: Path | None = None) -> None:
    """All wheels into `folder`, for each Python, and those that `more` (a requirements file) names.

    Raises CalledProcessError, or LookupError where there is none.
    """
    others = required(more) if more else []
    for python in pythons:
        _download(folder, python, f"{kit}[{','.join(WANTED.extras)}]", *map(str, others))
        if lacking := missing(folder, python, others):
            _download(folder, python, *map(str, lacking))
        if lacking := missing(folder, python, others):
            raise LookupError(f"no wheel for Python {python}: {', '.join(map(str, lacking))}")


def required(file: Path) -> list[Requirement]:
    """What a requirements file names."""
    return [Requirement(line) for line in file.read_text().splitlines() if line and not line.startswith("#")]


def missing(folder: Path, python: str, others: Sequence[Requirement] = ()) -> list[Requirement]:
    """What is needed on a Python, for the kit and for `others`, and no wheel in the folder gives."""
    wheels = _for_python(folder, python)
    seen: set[str] = set()
    lacking, asked = [], [WANTED, *others]
    while asked:
        need = asked.pop()
        if str(need) in seen:
            continue
        seen.add(str(need))
        if wheel := wheels.get(canonicalize_name(need.name)):
            asked += _needs(wheel, need.extras, python)
        else:
            lacking.append(Requirement(str(need).partition(";")[0]))
    return lacking


def read(folder: Path) -> list[Wheel]:
    """The wheels of a folder."""
    return [Wheel(path, _metadata(path)) for path in sorted(folder.glob("*.whl"))]


def table(folder: Path) -> str:
    """What the wheels are, for people: WHEELS.md."""
    rows = [f"| {wheel.said['Name']} | {wheel.said['Version']} | {wheel.licence} |" for wheel in read(folder)]
    head = "# The Python packages\n\nTheir licences' texts are in the wheels. Source: "
    head += "`pip download --no-binary :all: NAME==VERSION`.\n\n| name | version | licence |\n|---|---|---|\n"
    return head + "\n".join(dict.fromkeys(rows)) + "\n"


def _needs(wheel: Wheel, extras: set[str], python: str) -> Iterator[Requirement]:
    here = {"python_version": python, "python_full_version": f"{python}.0"}
    for need in wheel.requirements:
        if need.marker is None or any(need.marker.evaluate(here | {"extra": extra}) for extra in ("", *extras)):
            yield need


def _for_python(folder: Path, python: str) -> dict[str, Wheel]:
    fitting = _tags(python)
    return {canonicalize_name(parse_wheel_filename(wheel.path.name)[0]): wheel
            for wheel in read(folder) if parse_wheel_filename(wheel.path.name)[3] & fitting}  # fmt: skip


def _tags(python: str) -> frozenset[Tag]:
    major, minor = (int(number) for number in python.split("."))
    return frozenset(
        [
            *cpython_tags((major, minor), platforms=_PLATFORMS),
            *compatible_tags((major, minor), f"cp{major}{minor}", _PLATFORMS),
        ]
    )


def _metadata(path: Path) -> Message:
    with ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return HeaderParser().parsestr(archive.read(name).decode())


def _download(folder: Path, python: str, *what: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--dest", str(folder)]
    command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    command += [f"--platform={platform}" for platform in _PLATFORMS]
    subprocess.run([*command, f"--constraint={PINS}", f"--find-links={folder}", *what], check=True)
