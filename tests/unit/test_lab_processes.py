"""A lab's processes are found by their mark and by nothing else; ports and locks keep labs apart."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
from tenacity import Retrying, retry_if_not_result, stop_after_delay, wait_fixed

from overlaykit.lab import processes
from overlaykit.lab.ports import choose_ports, is_free
from overlaykit.making.lock import held

T = TypeVar("T")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    processes.end(tmp_path)


def _start(folder: Path, part: str) -> None:
    processes.start(folder, part, ["sleep", "60"], log=folder / f"{part}.log")


def test_what_is_started_is_found_and_ended(folder: Path) -> None:
    _start(folder, "node1")
    assert processes.parts(folder) == {"node1"}
    processes.end(folder, "node1")
    assert processes.parts(folder) == set()


def test_one_part_is_not_taken_for_another(folder: Path) -> None:
    _start(folder, "node1")
    _start(folder, "node10")
    processes.end(folder, "node1")
    assert processes.parts(folder) == {"node10"}


def test_one_lab_is_not_taken_for_another(folder: Path) -> None:
    twin = folder.with_name(f"{folder.name}2")
    twin.mkdir()
    _start(twin, "node1")
    try:
        assert processes.find(folder) == []
    finally:
        processes.end(twin)


def test_what_a_program_starts_bears_its_mark(folder: Path) -> None:
    processes.start(folder, "node1", ["sh", "-c", "sleep 60 & sleep 60"], log=folder / "log")
    names = {process.name() for process in _until(lambda: processes.find(folder), lambda found: len(found) == 3)}
    assert names == {"sh", "sleep"}
    processes.end(folder)
    assert processes.find(folder) == []


def test_what_a_program_starts_while_it_is_looked_for_ends_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes.start(folder, "node1", ["sh", "-c", "sleep 60 & sleep 60"], log=folder / "log")
    _until(lambda: processes.find(folder), lambda found: len(found) == 3)
    find, looks = processes.find, []

    def late(where: Path, part: str | None = None) -> list[psutil.Process]:
        looks.append(find(where, part))
        return looks[-1][:1] if len(looks) == 1 else looks[-1]

    monkeypatch.setattr(processes, "find", late)
    processes.end(folder, "node1")
    assert (len(looks[0]), find(folder)) == (3, [])


def _until(look: Callable[[], T], enough: Callable[[T], bool]) -> T:
    retrying = Retrying(retry=retry_if_not_result(enough), stop=stop_after_delay(5), wait=wait_fixed(0.02))
    return retrying(look)


def test_a_stranger_with_a_used_id_is_left_alone(folder: Path) -> None:
    _start(folder, "node1")
    remembered = processes.find(folder)
    processes.kill(remembered, time.monotonic() + 10)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        remembered[0]._pid = stranger.pid  # type: ignore[attr-defined]  # as if the system had used the id again
        processes.kill(remembered, time.monotonic() + 10)
        assert stranger.poll() is None
        stranger.kill()


def test_it_outlives_us_and_says_where_it_fails(folder: Path) -> None:
    log = folder / "log"
    processes.start(folder, "node1", ["./nothing-here"], log=log)
    said = _until(lambda: log.read_text() if log.exists() else "", lambda text: "nothing-here" in text)
    assert "nothing-here" in said


def test_ports_speak_where_they_are_free() -> None:
    ports = choose_ports(2, taken=set())
    assert len(set(ports)) == 4
    assert all(is_free(port) for port in ports)


def test_ports_of_other_labs_and_of_strangers_are_not_chosen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = set(range(2201, 2203)) | set(range(8081, 8083))
        assert not is_free(stranger.getsockname()[1])
        assert taken & set(choose_ports(2, taken)) == set()


def test_the_second_waits_and_is_told(tmp_path: Path) -> None:
    told = threading.Event()
    done = threading.Event()

    def second() -> None:
        with held(tmp_path, told.set):
            done.set()

    with held(tmp_path, told.clear):
        thread = threading.Thread(target=second)
        thread.start()
        assert told.wait(5)
        assert not done.is_set()
    assert done.wait(5)
    thread.join()


def test_a_lock_on_what_was_removed_guards_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    got = threading.Event()
    waiting = threading.Event()

    def second() -> None:
        with held(folder, waiting.set):
            got.set()

    with held(folder, waiting.clear):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(5)
        shutil.rmtree(folder)
    assert got.wait(5)
    thread.join()
    assert folder.is_dir()
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)
