"""The command line before a person: a real terminal, where it asks, moves and can be interrupted."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent

PROGRAM = """
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from fake_kit import FakeKit, FakePhase
from overlaykit.ui import cli
from overlaykit.words.steps import InitSwarm, CreateNetwork

def stuck():
    # a step whose host never answers, as overlaykit/remote/apply.py runs it
    pool = ThreadPoolExecutor(1)
    try:
        pool.submit(threading.Event().wait).result()
    finally:
        pool.shutdown(wait=False)

FOREVER = -1
steps = [InitSwarm("node1"), InitSwarm("node2")]
kit = FakeKit(
    lab=LAB,
    swarm=FakePhase("swarm", steps, while_applying=stuck if SECONDS == FOREVER else lambda: time.sleep(SECONDS)),
    network=FakePhase("network", [CreateNetwork("node1", name="guestbook", subnet="10.20.0.0/24")]),
)
cli.connect = kit.connect
cli.main(WORDS, "overlaykit")
"""


class Terminal:
    """A program on a pseudo-terminal, as a person sees it and types at it."""

    def __init__(self, control: int, process: subprocess.Popen[bytes]) -> None:
        self._control = control
        self.process = process
        self.seen = ""

    def wait_for(self, text: str, seconds: float = 10) -> None:
        while text not in self.seen:
            assert self._read(seconds), f"it ended without {text!r}:\n{self.seen}"

    def type(self, text: str) -> None:
        os.write(self._control, text.encode())

    def interrupt(self) -> None:
        """Ctrl-C, and again while nothing comes of it: one just before the program begins to read is lost."""
        for _ in range(10):
            self.process.send_signal(signal.SIGINT)
            if self._readable(1):
                return

    def end(self, seconds: float = 10) -> int:
        while self._read(seconds):
            pass
        return self.process.wait(10)

    def _read(self, seconds: float) -> bool:
        assert self._readable(seconds), f"silent for {seconds} s after:\n{self.seen}"
        try:
            chunk = os.read(self._control, 65536)
        except OSError:  # Linux says EIO when the last program has left a terminal
            return False
        self.seen += chunk.decode(errors="replace")
        return bool(chunk)

    def _readable(self, seconds: float) -> bool:
        return bool(select.select([self._control], [], [], seconds)[0])


@contextmanager
def terminal(words: list[str], lab: str | None, seconds: float = 0) -> Iterator[Terminal]:
    """The command line with a fake kit, on a terminal."""
    program = PROGRAM.replace("LAB", repr(lab)).replace("SECONDS", str(seconds)).replace("WORDS", repr(words))
    control, side = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(HERE), "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=side, stdout=side, stderr=side, env=environment, start_new_session=True
    )
    os.close(side)
    try:
        yield Terminal(control, process)
    finally:
        process.kill()
        process.wait()
        os.close(control)


def test_it_shows_the_plan_then_asks_for_each_phase() -> None:
    with terminal(["up"], lab=None) as screen:
        screen.wait_for("Apply these steps of swarm to node1, node2? [y/N]")
        assert "docker swarm init" in screen.seen
        screen.type("y\n")
        screen.wait_for("Apply these steps of network to node1? [y/N]")
        assert "docker network create" in screen.seen
        screen.type("n\n")
        assert screen.end() == 1
    assert "Nothing of network was changed" in screen.seen


def test_a_lab_is_not_asked_about() -> None:
    with terminal(["up"], lab="default") as screen:
        assert screen.end() == 0
    assert "[y/N]" not in screen.seen


def test_what_runs_moves_and_what_has_ended_stays() -> None:
    with terminal(["up"], lab="default", seconds=0.3) as screen:
        assert screen.end() == 0
    assert "2 of 3 tasks run 50%" in screen.seen
    assert "node2: form the swarm: done" in screen.seen


def test_interrupted_it_stops_at_a_steps_end_and_says_how_to_go_on() -> None:
    with terminal(["up"], lab="default", seconds=0.5) as screen:
        screen.wait_for("2 of 3 tasks run")
        screen.process.send_signal(signal.SIGINT)
        assert screen.end() == 130
    assert "node1: form the swarm: done" in screen.seen
    assert "node2: form the swarm" not in screen.seen
    assert "the same command again goes on from here" in screen.seen
    assert "Traceback" not in screen.seen


def test_a_second_interrupt_waits_for_no_host() -> None:
    with terminal(["up"], lab="default", seconds=-1) as screen:
        screen.wait_for("2 of 3 tasks run")
        screen.process.send_signal(signal.SIGINT)
        screen.wait_for("stopping when the running steps have ended")
        screen.process.send_signal(signal.SIGINT)
        assert screen.end() == 130
    assert "the same command again goes on from here" in screen.seen
    assert "Traceback" not in screen.seen


def test_interrupted_at_a_question_it_changes_nothing() -> None:
    with terminal(["up"], lab=None) as screen:
        screen.wait_for("[y/N]")
        screen.interrupt()
        assert screen.end() == 130
    assert "done" not in screen.seen
