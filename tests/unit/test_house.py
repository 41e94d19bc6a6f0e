"""The house keeps its shape: who may import whom, what an import costs, what is written down and what is there."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement

import overlaykit
from overlaykit.ui.cli import main

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "overlaykit"
MODULES = sorted(LIBRARY.rglob("*.py"))

THINKING = ("overlaykit.phases", "overlaykit.reading")
HANDS = ("overlaykit.remote", "overlaykit.making", "overlaykit.lab")
#: Each band, and what of the kit it may import.
ARROWS = {
    "words": ("overlaykit.words",),
    "examples": ("overlaykit.words",),
    "phases": ("overlaykit.words", *THINKING),
    "reading": ("overlaykit.words", *THINKING),
    "remote": ("overlaykit.words", *HANDS),
    "making": ("overlaykit.words", *HANDS),
    "lab": ("overlaykit.words", *HANDS),
}
#: Bands that stand on the standard library alone.
STANDARD = ("words", "phases", "reading")
#: But for one module, which reads what no standard library can: packets.
BUT = {LIBRARY / "reading" / "packets.py": {"dpkt"}}
#: Small programs that run on the hosts, where printing is how they answer.
PROGRAMS = LIBRARY / "remote" / "probes" / "programs"
DISPLAYS = {"click", "rich", "ipywidgets", "IPython"}
PIN = re.compile(r"^([\w.-]+)==(\S+)$")


def band(module: Path) -> str:
    """The folder of the library in which a module lives; empty for those at its top."""
    inside = module.relative_to(LIBRARY)
    return inside.parts[0] if len(inside.parts) > 1 else ""


def named(module: Path) -> str:
    """How a module is called in a test's name."""
    return str(module.relative_to(ROOT))


def imports(module: Path) -> Iterator[str]:
    """Everything that a module imports, wherever it does: at its top, in a function, for its types."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(module)} imports by dots: write the module's whole name"
            yield node.module or ""


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_every_folder_is_in_a_band() -> None:
    folders = {band(module) for module in MODULES} - {""}
    assert folders == {*ARROWS, "ui", "lessons"}


def test_every_module_at_the_top_is_a_face_that_the_house_rules_name() -> None:
    """Only faces may import everything, so none joins them unseen."""
    table = next(line for line in (ROOT / "CONTRIBUTING.md").read_text().splitlines() if line.startswith("| faces"))
    top = {module.name for module in MODULES if not band(module)} - {"__init__.py", "__main__.py"}
    assert top == set(re.findall(r"`(\w+\.py)`", table))


@pytest.mark.parametrize("module", [m for m in MODULES if band(m) in ARROWS], ids=named)
def test_imports_follow_the_arrows(module: Path) -> None:
    own = [name for name in imports(module) if within(name, ("overlaykit",))]
    assert [name for name in own if not within(name, ARROWS[band(module)])] == []


@pytest.mark.parametrize("module", [m for m in MODULES if band(m) in STANDARD], ids=named)
def test_words_and_thinking_stand_on_the_standard_library(module: Path) -> None:
    roots = {name.partition(".")[0] for name in imports(module)} - {"overlaykit"} - BUT.get(module, set())
    assert roots - sys.stdlib_module_names == set()
    assert roots & {"socket", "subprocess", "urllib", "http"} == set()


@pytest.mark.parametrize("module", [m for m in MODULES if band(m) != "ui" and PROGRAMS not in m.parents], ids=named)
def test_only_faces_speak(module: Path) -> None:
    assert {name.partition(".")[0] for name in imports(module)} & DISPLAYS == set()
    calls = [node.func for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call)]
    assert [call.id for call in calls if isinstance(call, ast.Name) and call.id in ("print", "input")] == []


@pytest.mark.parametrize("module", [m for m in MODULES if m.read_text()], ids=named)
def test_every_module_says_what_it_is(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text()))


def in_new_python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.strip()


def test_importing_the_kit_is_quick() -> None:
    timed = "import time; began = time.perf_counter(); import overlaykit; print(time.perf_counter() - began)"
    assert min(float(in_new_python(timed)) for _ in range(5)) < 0.3


def test_importing_the_kit_brings_no_heavy_library() -> None:
    loaded = in_new_python("import overlaykit, sys; print(*sys.modules)").split()
    assert set(loaded) & {"docker", "paramiko", "requests", *DISPLAYS} == set()


def test_only_one_module_knows_the_packet_library() -> None:
    assert [named(module) for module in MODULES if any(within(name, ("dpkt",)) for name in imports(module))] == [
        named(module) for module in BUT
    ]


def test_connecting_brings_no_display() -> None:
    loaded = in_new_python("from overlaykit import connect; import sys; print(*sys.modules)").split()
    assert "paramiko" in loaded
    assert set(loaded) & {*DISPLAYS, "dpkt"} == set()


def test_public_names_are_there_and_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    for name in overlaykit.__all__:
        assert getattr(overlaykit, name)
        assert re.search(rf"`{name}\b", text), f"README.md does not name {name}"


def pins() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    matches = [PIN.match(line) for line in wanted]
    assert all(matches), "requirements.txt holds exact versions only"
    return {match[1]: match[2] for match in matches if match}


def ranges() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return [Requirement(line) for line in [*project["dependencies"], *(one for extra in extras for one in extra)]]


def test_what_is_pinned_is_what_the_project_needs() -> None:
    assert sorted(pins()) == sorted(need.name for need in ranges())


@pytest.mark.parametrize("need", ranges(), ids=str)
def test_pins_are_within_their_ranges(need: Requirement) -> None:
    assert need.specifier.contains(pins()[need.name])


def typed_commands() -> list[tuple[str, str]]:
    """(document, command) for every line that a person would type to the kit; the brackets of options are gone."""
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    line = re.compile(r"^(?:\$ )?overlaykit (\S.*?)(?: {2}| #|$)|`overlaykit ([^`]+)`", re.MULTILINE)
    found = [(doc.name, a or b) for doc in documents for a, b in line.findall(doc.read_text())]
    return [(name, command.translate(str.maketrans("", "", "[]"))) for name, command in found]


@pytest.mark.parametrize(("document", "line"), typed_commands())
def test_commands_in_the_documents_exist(document: str, line: str) -> None:
    words = shlex.split(line)
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"{document}: overlaykit {line}: there is no command {words[0]}"
        command = command.commands[words.pop(0)]
    known = {"--help", "--version", *(option for parameter in command.params for option in parameter.opts)}
    assert {word for word in words if word.startswith("-")} <= known, f"{document}: overlaykit {line}"


def test_the_documents_show_every_command() -> None:
    shown = {tuple(line.split()[:2]) for name, line in typed_commands() if name == "README.md"}
    assert {name for name in main.commands if name != "lab"} <= {words[0] for words in shown}
    lab = main.commands["lab"]
    assert isinstance(lab, click.Group)
    assert {("lab", name) for name in lab.commands} <= shown


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("path", ["README.md", "CONTRIBUTING.md", ".ci/run", ".github/workflows/test.yml"])
def test_make_targets_that_are_named_exist(path: str) -> None:
    named_targets = set(re.findall(r"(?:`|run: |\t|\$ |m )make ([a-z-]+)", (ROOT / path).read_text()))
    assert named_targets - make_targets() == set()
