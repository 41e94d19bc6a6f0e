"""Lessons in a kernel, as in Jupyter: each notices what is not so, and takes parameters from papermill.

A check cell fails when the thing is not so: the lesson is run up to it, its state is spoiled on the hosts, behind its
back, and the cell is run again until that is so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import papermill
import pytest
from lessons import LESSONS, Cell, Lesson
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from own_lab import own_lab
from save_outputs import runner

from overlaykit import connect

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]


#: By lesson: where something is typed that makes its check untrue, and what.
SPOILED = {
    "00": ("node1", "docker service rm frontend"),
    "01": ("node1", "docker rm --force web"),
    "02": ("node2", "docker swarm leave"),
    "03": ("node2", "iptables -I INPUT -p udp --dport 4789 -j DROP"),
    "04": ("node1", "docker service rm backend"),
    "05": ("node1", "docker service rm database"),
    "06": ("node2", "ip xfrm policy flush"),
    "07": ("node1", "docker service update --quiet --force --publish-add 8000:8000 backend"),
    "08": ("node1", "docker service update --quiet --detach --env-rm RELEASE backend"),
    "09": ("node1", "docker service rm frontend"),
    "10": ("node1", "docker service scale --detach frontend=1"),
    "11": ("node1", "docker swarm init"),
    "99": ("node3", "docker volume create --label overlaykit.stack=guestbook left"),
}
#: Seconds in which what is typed has come true.
SPOILED_WITHIN = 30
#: What a check may end with: it says what is not so. Anything else is a fault of the check.
NOT_SO = {"AssertionError", "ConnectionError", "ReadTimeout", "HTTPError"}


@pytest.fixture(scope="module")
def _lab() -> Iterator[None]:
    with own_lab(lambda _: None):
        yield


def test_every_lesson_is_spoiled() -> None:
    assert sorted(SPOILED) == [lesson.number for lesson in LESSONS]


@pytest.mark.parametrize("number", SPOILED)
@pytest.mark.usefixtures("_lab")
def test_the_check_fails_when_it_is_not_so(number: str) -> None:
    lesson = next(Lesson(one.path) for one in LESSONS if one.number == number)
    (check,) = lesson.tagged("check")
    client = runner(lesson)
    with client.setup_kernel():
        run_through(client, lesson, check)
        host, command = SPOILED[number]
        with connect("lab") as hosts:
            hosts[host].run(command, check=True)
        error = first_failure(client, check, lesson.index(check))
    assert error.ename in NOT_SO, error


def first_failure(client: NotebookClient, cell: Cell, index: int) -> CellExecutionError:
    """What the cell ends with. A task that is removed serves for some seconds; a node that left is listed for some."""
    deadline = time.monotonic() + SPOILED_WITHIN
    while time.monotonic() < deadline:
        try:
            client.execute_cell(cell, index)
        except CellExecutionError as error:
            return error
    pytest.fail(f"the check still passes after {SPOILED_WITHIN} seconds")


def run_through(client: NotebookClient, lesson: Lesson, last: Cell) -> None:
    """From the first cell to `last`, which passes as long as nothing is spoiled."""
    cells = lesson.notebook.cells
    for index, cell in enumerate(cells[: lesson.index(last) + 1]):
        client.execute_cell(cell, index)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
@pytest.mark.usefixtures("_lab")
def test_every_cell_may_be_run_twice(lesson: Lesson) -> None:
    """So a solution is also run by somebody who has solved it: both verdicts behind it are PASS."""
    again = Lesson(lesson.path)
    client = runner(again)
    with client.setup_kernel():
        for index, cell in enumerate(again.notebook.cells):
            client.execute_cell(cell, index)
            if cell.cell_type == "code":
                client.execute_cell(cell, index)


@pytest.mark.usefixtures("_lab")
def test_papermill_sets_the_parameters(tmp_path: Path) -> None:
    """Of the runbook, which is there to be run by a program."""
    (runbook,) = [lesson.path for lesson in LESSONS if lesson.number == "10"]
    wanted = {"NETWORK_NAME": "night", "SUBNET": "10.40.0.0/24", "ENCRYPTED": True, "FRONTEND_REPLICAS": 1}
    done = tmp_path / "done.ipynb"
    papermill.execute_notebook(
        runbook, done, parameters=wanted, kernel_name="python3", cwd=runbook.parent, progress_bar=False
    )
    shown = json.dumps([cell.outputs for cell in Lesson(done).code])
    for said in ("docker network create", "--opt encrypted", "--subnet 10.40.0.0/24", "night"):
        assert said in shown
