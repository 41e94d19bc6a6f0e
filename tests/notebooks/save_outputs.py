"""Runs the lessons on a lab of their own and saves what they show.

make outputs                     # all
make outputs LESSONS="03 10"     # some
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
import nbformat
from lessons import FOLDER, LESSONS, Lesson
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from own_lab import own_lab

LONGEST_CELL = 120
WIDGET = "application/vnd.jupyter.widget-view+json"


def main(numbers: Sequence[str]) -> int:
    """How many lessons could not be saved; those are as they were."""
    chosen = [lesson for lesson in LESSONS if not numbers or lesson.number in numbers]
    with own_lab(click.echo):
        return [save(lesson) for lesson in chosen].count(False)


def save(lesson: Lesson) -> bool:
    """Was the lesson run to its end, and what it showed saved?"""
    try:
        runner(lesson).execute()
    except CellExecutionError as error:
        click.echo(f"{lesson.name}: not saved\n{error}", err=True)
        return False
    strip(lesson)
    nbformat.write(lesson.notebook, lesson.path)  # type: ignore[no-untyped-call]
    click.echo(f"{lesson.name}: saved")
    return True


def runner(lesson: Lesson) -> NotebookClient:
    """What runs a lesson's cells in a kernel of this Python, as Jupyter would."""
    place = {"metadata": {"path": str(FOLDER)}}
    return NotebookClient(lesson.notebook, timeout=LONGEST_CELL, kernel_name="python3", resources=place)


def strip(lesson: Lesson) -> None:
    """Drop when each cell ran, and the widgets: they live in a kernel, and without one Jupyter shows only an error
    where it would show their picture or their name."""
    notebook = lesson.notebook
    notebook.metadata = {"kernelspec": notebook.metadata.kernelspec, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    for output in (output for cell in lesson.code for output in cell.outputs):
        output.get("data", {}).pop(WIDGET, None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) and 1)
