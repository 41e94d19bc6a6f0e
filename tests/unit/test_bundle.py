"""The bundle: what it must hold for each Python, and what its installer says where it cannot go on."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import make_bundle
import pytest
import wheels
from make_bundle import ROOT
from make_workbench import REFERENCE

from overlaykit.making.recipes import IMAGES

INSTALLER = Path(make_bundle.__file__).with_name("install.sh")


def wheel(folder: Path, name: str, *needs: str, tags: str = "py3-none-any") -> Path:
    path = folder / f"{name}-1.0-{tags}.whl"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {need}" for need in needs)]
    with ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-1.0.dist-info/METADATA", "\n".join([*lines, "", "text"]))
    return path


def lacking(folder: Path) -> dict[str, list[str]]:
    return {python: [need.name for need in wheels.missing(folder, python)] for python in wheels.PYTHONS}


def test_each_python_is_asked_by_its_own_markers(tmp_path: Path) -> None:
    wheel(
        tmp_path, "overlaykit", "a", "old; python_version < '3.12'", "lab; extra == 'notebooks'", "x; extra == 'gate'"
    )
    wheel(tmp_path, "a")
    assert lacking(tmp_path) == {"3.11": ["lab", "old"], "3.12": ["lab"], "3.13": ["lab"]}
    wheel(tmp_path, "lab", "new; python_version >= '3.13'")
    assert lacking(tmp_path) == {"3.11": ["old"], "3.12": [], "3.13": ["new"]}


def test_what_the_workbench_adds_is_followed_too(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("# a hub's\nhub==1.0\n")
    others = wheels.required(tmp_path / "requirements.txt")
    wheel(tmp_path, "overlaykit")
    assert [need.name for need in wheels.missing(tmp_path, "3.13", others)] == ["hub"]
    wheel(tmp_path, "hub", "deep")
    assert [need.name for need in wheels.missing(tmp_path, "3.13", others)] == ["deep"]


def test_extras_are_followed_and_rings_end(tmp_path: Path) -> None:
    wheel(tmp_path, "overlaykit", "a[fast]")
    wheel(tmp_path, "a", "overlaykit", "deep; extra == 'fast'")
    assert lacking(tmp_path)["3.12"] == ["deep"]


@pytest.mark.parametrize(
    ("tags", "fits"),
    [
        ("cp312-cp312-manylinux_2_17_x86_64", ["3.12"]),
        ("cp311-abi3-manylinux_2_28_x86_64", ["3.11", "3.12", "3.13"]),
        ("cp312-cp312-manylinux_2_17_aarch64", []),
        ("cp312-cp312-musllinux_1_2_x86_64", []),
        ("cp312-cp312-manylinux_2_39_x86_64", []),
    ],
)
def test_a_wheel_serves_the_machines_that_it_was_made_for(tmp_path: Path, tags: str, fits: list[str]) -> None:
    wheel(tmp_path, "overlaykit", "a")
    wheel(tmp_path, "a", tags=tags)
    assert [python for python, names in lacking(tmp_path).items() if not names] == fits


def test_the_wheels_are_listed_with_their_licences(tmp_path: Path) -> None:
    wheel(tmp_path, "a")
    assert "| a | 1.0 | not said |" in wheels.table(tmp_path)


def test_a_wheel_with_other_recipes_is_not_bundled(tmp_path: Path) -> None:
    path = tmp_path / "overlaykit-1.0-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        for file in IMAGES.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, f"overlaykit/images/{file.relative_to(IMAGES)}")
    with pytest.raises(LookupError, match=r"lacks overlaykit/examples/hosts.example.ini, overlaykit/examples/stack"):
        make_bundle.require_same_recipes(path)
    with ZipFile(path, "a") as archive:
        archive.writestr("overlaykit/examples/hosts.example.ini", "")
        archive.writestr("overlaykit/examples/stack.example.toml", "")
    make_bundle.require_same_recipes(path)
    with ZipFile(path, "a") as archive:
        archive.writestr("overlaykit/images/host/added", "x")
    with pytest.raises(LookupError, match="holds other recipes than images/"):
        make_bundle.require_same_recipes(path)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "a bundle"
    (folder / "wheels").mkdir(parents=True)
    (folder / "notebooks").mkdir()
    shutil.copy2(INSTALLER, folder)
    for name in ("lab.tar.zst", "notebooks/00.ipynb", "docs", "hosts.example.ini", "stack.example.toml"):
        (folder / name).write_text(name)
    (folder / "SHA256SUMS").write_text(make_bundle.sums(folder))
    return folder


def installing(bundle: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    home = {"HOME": str(bundle.parent / "home"), "PATH": os.environ["PATH"]}
    command = ["sh", str(bundle / "install.sh"), *words]
    return subprocess.run(command, env={**home, **environment}, capture_output=True, text=True, check=False)


def test_a_dry_run_says_all_and_does_nothing(bundle: Path) -> None:
    done = installing(bundle, "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    steps = [line.removeprefix("would run: ") for line in done.stdout.splitlines() if line.startswith("would run")]
    home = bundle.parent / "home" / "overlaykit"
    assert steps[0] == f"mkdir -p {home}"
    assert any("pip install" in step and f"--no-index --find-links {bundle}/wheels" in step for step in steps)
    trusted = steps.index(f"{home}/.venv/bin/jupyter trust {home}/notebooks.part/*.ipynb")
    assert trusted < steps.index(
        f"mv {home}/notebooks.part {home}/notebooks"
    )  # there are only lessons that are trusted
    assert steps[-1] == f"{home}/.venv/bin/overlaykit lab import {bundle}/lab.tar.zst"
    assert not home.exists()


@pytest.mark.parametrize("mark", [".git", "Makefile"])
def test_a_clone_keeps_its_own_environment(bundle: Path, tmp_path: Path, mark: str) -> None:
    (tmp_path / "clone" / mark).mkdir(parents=True)
    done = installing(bundle, str(tmp_path / "clone"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path}/clone is a clone of overlaykit")
    assert not (tmp_path / "clone" / ".venv").exists()


def test_lessons_that_are_there_are_left_alone(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "mine" / "notebooks").mkdir(parents=True)
    done = installing(bundle, "--dry-run", str(tmp_path / "mine"))
    assert f"left as it is: {tmp_path}/mine/notebooks" in done.stdout
    assert "cp -R" in done.stdout and f"{bundle}/notebooks" not in done.stdout


@pytest.mark.parametrize("left", ["LAB.tar.zst", "l", None], ids=["changed", "cut short", "gone"])
def test_a_bundle_that_is_not_whole_installs_nothing(bundle: Path, left: str | None) -> None:
    (bundle / "lab.tar.zst").unlink()
    if left:
        (bundle / "lab.tar.zst").write_text(left)
    done = installing(bundle)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("is cut short or was changed: copy it again. Nothing was installed")
    assert not (bundle.parent / "home").exists()


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_another_machine_is_told(bundle: Path, tmp_path: Path) -> None:
    program(tmp_path / "bin", "uname", "echo Darwin arm64")
    done = installing(bundle, PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert (done.returncode, done.stderr) == (
        1, "this bundle is for Linux on x86_64, and this machine is Darwin arm64\n"
    )  # fmt: skip


def test_no_python_that_fits_is_told(bundle: Path, tmp_path: Path) -> None:
    program(tmp_path / "bin", "old", "exit 1")
    done = installing(bundle, PYTHON=str(tmp_path / "bin" / "old"))
    assert done.returncode == 1
    assert done.stderr.startswith("no Python 3.11, 3.12 or 3.13 is found (tried: ")


def python_that(bin_: Path, asked: str, answer: str) -> str:
    """This Python, but for one question."""
    program(bin_, "python3.12", f'case "$*" in *"{asked}"*) {answer};; *) exec {sys.executable} "$@";; esac')
    return str(bin_ / "python3.12")


@pytest.mark.parametrize(
    ("libc", "said"),
    [
        ("glibc 2.31", "need glibc 2.34 or newer (Debian 12, Ubuntu 22.04, RHEL 9), and this system has glibc 2.31:"),
        ("glibc 2.33", "and this system has glibc 2.33: take a newer one"),
        ("musl 1.2.5", "stands on another C library (musl 1.2.5)"),
        ("", "stands on another C library. Nothing was installed"),
        ("glibc 2.34", ""),
        ("glibc 2.36", ""),
        ("glibc 2.41", ""),
        ("glibc 3.0", ""),
    ],
)
def test_a_c_library_for_which_there_are_no_wheels_is_told(bundle: Path, tmp_path: Path, libc: str, said: str) -> None:
    python = python_that(tmp_path / "bin", "libc_ver", f"echo {libc}")
    done = installing(bundle, "--dry-run", PYTHON=python)
    assert (done.returncode, said in done.stderr, done.stderr.count("\n")) == ((1, True, 1) if said else (0, True, 0))


def test_a_python_that_makes_no_environments_is_told(bundle: Path, tmp_path: Path) -> None:
    done = installing(bundle, PYTHON=python_that(tmp_path / "bin", "ensurepip", "exit 1"))
    assert done.returncode == 1
    assert "lacks venv or pip (ensurepip)" in done.stderr
    assert "apt-get install python3-venv, or name a Python that has them" in done.stderr
    assert not (tmp_path / "home").exists()


DF = """for last; do :; done
case $last in *cache*) mount=/cache free={cache};; *) mount=/home free={home};; esac
echo "Filesystem 1048576-blocks Used Available Capacity Mounted on"
echo "/dev/x 9000 1 $free 1% {mount}" """


@pytest.mark.parametrize(
    ("free", "mount", "said"),
    [
        (
            (1400, 1400),
            "/",
            "the packages and what practice hosts run from take 1500 MB in {home}, and 1400 MB are free",
        ),
        ((1500, 1500), "/", ""),
        (
            (400, 9000),
            "$mount",
            "the packages take 500 MB in {home}, and 400 MB are free there: make room, or name another",
        ),
        ((600, 900), "$mount", "what practice hosts run from takes 1000 MB in {cache}/overlaykit, and 900 MB are free"),
        ((600, 1100), "$mount", ""),
    ],
)
def test_a_disk_that_is_too_full_is_told_first(
    bundle: Path, tmp_path: Path, free: tuple[int, int], mount: str, said: str
) -> None:
    program(tmp_path / "bin", "df", DF.format(home=free[0], cache=free[1], mount=mount))
    (tmp_path / "cache").mkdir()
    settings = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = installing(bundle, "--dry-run", str(tmp_path / "mine"), **settings)
    assert done.returncode == (1 if said else 0)
    assert done.stderr.startswith(said.format(home=tmp_path / "mine", cache=tmp_path / "cache"))
    assert done.stderr.count("\n") == (1 if said else 0)


def test_who_repeats_it_needs_no_room_anew(bundle: Path, tmp_path: Path) -> None:
    program(tmp_path / "bin", "df", DF.format(home=1, cache=1, mount="/"))
    programs = tmp_path / "mine" / ".venv" / "bin"
    programs.mkdir(parents=True)
    (tmp_path / "home" / ".cache" / "overlaykit" / "builds").mkdir(parents=True)

    def again() -> subprocess.CompletedProcess[str]:
        path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        return installing(bundle, "--dry-run", str(tmp_path / "mine"), PATH=path)

    half_made = again()
    assert half_made.returncode == 1
    assert half_made.stderr.startswith("the packages and what practice hosts run from take 500 MB")
    program(programs, "overlaykit", "exit 0")
    done = again()
    assert (done.returncode, done.stderr) == (0, "")


ENVIRONMENT = """[ "$1 $2" = "-m venv" ] || exec {python} "$@"
mkdir -p "$4/bin"
ln -s {true} "$4/bin/pip"
ln -s {true} "$4/bin/overlaykit"
ln -s {false} "$4/bin/jupyter" """


def test_lessons_that_cannot_be_trusted_do_not_end_it(bundle: Path, tmp_path: Path) -> None:
    settings = {"python": sys.executable, "true": shutil.which("true"), "false": shutil.which("false")}
    program(tmp_path / "bin", "python3.12", ENVIRONMENT.format(**settings))
    done = installing(bundle, str(tmp_path / "mine"), PYTHON=str(tmp_path / "bin" / "python3.12"))
    command = f"{tmp_path}/mine/.venv/bin/jupyter trust {tmp_path}/mine/notebooks/*.ipynb"
    assert done.stderr == f"not trusted: the lessons; type {command}\n"
    assert (done.returncode, "Installed. Next:" in done.stdout) == (0, True)
    assert (tmp_path / "mine" / "notebooks" / "00.ipynb").exists()


def test_an_option_that_is_not_known_shows_the_use(bundle: Path) -> None:
    done = installing(bundle, "--help")
    assert (done.returncode, "sh install.sh [--dry-run] [FOLDER]" in done.stdout) == (2, True)


def test_the_sums_are_those_of_the_files(bundle: Path) -> None:
    first = (bundle / "SHA256SUMS").read_text().splitlines()[0]
    digest, name = first.split("  ")
    assert digest == hashlib.sha256((bundle / name).read_bytes()).hexdigest()


def test_a_folder_that_is_no_bundle_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / "photos").write_text("mine")
    monkeypatch.setattr("sys.argv", ["make_bundle.py", str(tmp_path / "usb")])
    assert make_bundle.main() == 1
    assert "is there and is no bundle" in capsys.readouterr().err
    assert (tmp_path / "usb" / "photos").read_text() == "mine"


def test_a_hosted_workspace_takes_the_workbench_of_this_version() -> None:
    workspace = (ROOT / ".devcontainer" / "devcontainer.json").read_text()
    assert f'"image": "{REFERENCE}"' in workspace
