"""A run through the lessons under nbval: how long each takes, and the most memory that all of it took at once.

    python benchmarks/memory.py [NOTEBOOK …]       # all lessons where none is named

On a lab of its own, as `make test` does it. Memory is looked at each second: what hosts and notebooks hold, pages
that they share counted once (PSS). What hosts have touched they keep, so theirs only grows. Nothing here has a bound;
it ends with 1 where a cell shows something else than is saved.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from overlaykit.lab import processes

ROOT = Path(__file__).parents[1]
BETWEEN_LOOKS = 1.0


def main() -> int:
    """Run them, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", default=["notebooks"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as states:
        began = time.perf_counter()
        command = [sys.executable, "-m", "pytest", "-q", "--nbval", "--own-lab", *options.notebooks]
        environment = {**os.environ, "OVERLAYKIT_TEST_STATES": states}
        with subprocess.Popen(command, cwd=ROOT, env=environment) as run:
            most = watched(run, Path(states))
        seconds = time.perf_counter() - began
    print(f"{platform.node()}, {os.cpu_count()} cores; {seconds:.0f} s with the start and the end of the hosts")
    print(f"  most memory at once: {sum(most) / 2**30:.2f} GB, of it hosts {most[0] / 2**30:.2f} GB")
    return min(run.returncode, 1)


def watched(run: subprocess.Popen[bytes], states: Path) -> tuple[int, int]:
    """Bytes of the hosts, and of pytest and the notebooks, when both together were most."""
    most = (0, 0)
    while run.poll() is None:
        most = max(most, (hosts(states), held([psutil.Process(run.pid)])), key=sum)
        with suppress(subprocess.TimeoutExpired):
            run.wait(BETWEEN_LOOKS)
    return most


def hosts(states: Path) -> int:
    """What the hosts of every lab whose state lies there hold, their wire too."""
    return held(one for lab in states.glob("*/overlaykit/labs/*") for one in processes.find(lab))


def held(some: Iterable[psutil.Process]) -> int:
    """The memory of processes and of all that they have started."""
    family: set[psutil.Process] = set()
    for process in some:
        with suppress(psutil.Error):
            family |= {process, *process.children(recursive=True)}
    return sum(map(memory, family))


def memory(process: psutil.Process) -> int:
    """Of one process; nothing where it has ended meanwhile."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


if __name__ == "__main__":
    sys.exit(main())
