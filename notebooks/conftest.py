"""`pytest --nbval notebooks/` runs every lesson and compares what it shows with what is saved, strictly.

On hosts that lack something, such as IPVS, a cell that says `# needs IPVS: …` must show that sentence in place of what
follows it; all others are compared as everywhere.

pytest --nbval notebooks/                           # on the running lab, or one that is started and taken down again
pytest --nbval notebooks/03_overlay_network.ipynb   # one lesson
pytest --nbval --own-lab notebooks/                 # on a lab of this run alone, whatever runs
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from own_lab import own_lab
from practice_hosts import LOGS, keep_logs

from overlaykit import connect
from overlaykit.lab import lab as practice
from overlaykit.lab.kinds import VARIABLE
from overlaykit.lessons.needs import lacking, run_up_to

#: The lab that the lessons call "lab".
LAB = "default"
LONGEST_CELL = 120
#: A picture shows how things are at this moment, and nbval would compare it as text.
NOT_COMPARED = ("image/svg+xml",)

measured: dict[str, list[float]] = defaultdict(list)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--own-lab", action="store_true", help="Run the lessons on a lab of this run alone.")


def pytest_configure(config: pytest.Config) -> None:
    """The lessons run on the Python that runs the tests, whatever kernels this user has; no cell may hang."""
    config.option.nbval_current_env = True
    config.option.nbval_cell_timeout = LONGEST_CELL


def pytest_collectstart(collector: pytest.Collector) -> None:
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += NOT_COMPARED


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Cells are no test functions, so no fixture reaches them: the lab is there around all of them."""
    if session.config.option.collectonly or not any(item.path.suffix == ".ipynb" for item in session.items):
        return (yield)
    with lab_of_the_lessons(session):
        expect_what_hosts_have(session)
        try:
            return (yield)
        finally:
            if session.testsfailed:
                keep_logs(LAB)


@contextmanager
def lab_of_the_lessons(session: pytest.Session) -> Iterator[None]:
    """Its own where it was asked for; else the one that is there, which stays; else one for as long as this takes."""
    say = speaker(session.config)
    if session.config.getoption("own_lab", default=False):
        with own_lab(say):
            yield
        return
    borrowed = practice.find_lab(LAB) is not None
    try:
        practice.up(LAB, observer=say)
        yield
    finally:
        if not borrowed:
            practice.down(LAB)


def expect_what_hosts_have(session: pytest.Session) -> None:
    """Have cells that need what these hosts lack compared with the sentence that is to stand there."""
    with connect("lab") as hosts:
        reasons = lacking(hosts)
    for reason in reasons.values():
        speaker(session.config)(reason)
    item: Any  # nbval's own kind
    for item in session.items:
        cut = run_up_to(item.cell.source, reasons) if hasattr(item, "cell") else None
        if cut:
            run, need = cut
            item.compare_outputs = partial(compare_up_to, item, run, need.sentence(reasons[need.kind]))


def compare_up_to(item: Any, run: str, sentence: str, shown: list[Any], saved: list[Any]) -> bool:
    """Does the cell begin as it is saved, by what of it is run, and end with the sentence?"""
    before, last = shown[:-1], "".join(shown[-1].get("data", {}).get("text/plain", "")) if shown else ""
    item.comparison_traceback = [f"to be shown at the end: {sentence}", f"what was shown: {shown}"]
    begins = printed(saved).startswith(printed(before)) and bool(printed(before)) == ("print(" in run)
    return bool(last == sentence and begins and is_text(before))


def printed(outputs: list[Any]) -> str:
    """What a cell has printed."""
    return "".join(output["text"] for output in outputs if output["output_type"] == "stream")


def is_text(outputs: list[Any]) -> bool:
    """Is there nothing but what was printed?"""
    return all(output.get("name") == "stdout" for output in outputs)


def speaker(config: pytest.Config) -> Callable[[str], None]:
    """Lines for the person who waits: what a test prints is kept from the screen."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    return terminal.write_line if terminal else lambda _: None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """How long each cell takes; the first one's set-up is its kernel's start."""
    notebook, found, _ = report.nodeid.rpartition("::Cell ")
    if not found:
        return
    seconds = measured[Path(notebook).stem]
    if report.when == "setup":
        seconds.append(0.0)
    seconds[-1] += report.duration


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Where the time goes: a lesson may take a minute of the hosts."""
    for name, seconds in measured.items():
        slowest = max(range(len(seconds)), key=seconds.__getitem__)
        terminalreporter.write_line(f"{name}: {sum(seconds):.0f} s, cell {slowest} {seconds[slowest]:.0f} s of them")


def pytest_sessionfinish() -> None:
    """What was measured is kept, by lesson, for the test of the times that the lessons declare.

    Those are of hosts with a kernel of their own: containers, where somebody asks for them, have a file of theirs.
    """
    if measured:
        kind = os.environ.get(VARIABLE, "kernels")
        file = LOGS / ("lessons.json" if kind == "kernels" else f"lessons-{kind}.json")
        file.parent.mkdir(exist_ok=True)
        before = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps(before | measured, indent=1) + "\n")
