"""Labs of several learners on one machine at once: until hosts answer, until every stack is proven, what it takes.

    python benchmarks/classroom.py [--labs 1 4 8]

Each learner is a process of their own, as they would be on a class's server, with three practice hosts: `lab up`,
then `up`, which ends with the proof. All begin together. Memory is what the hosts hold when all stacks stand, what
they share counted once. Nothing here has a bound: the table says what a server of this size bears.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psutil

from overlaykit.lab import lab


def main() -> int:
    """One row for each number of learners."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labs", type=int, nargs="+", default=[1, 4, 8])
    options = parser.parse_args()
    lab.build(lambda text: print(f"# {text}", file=sys.stderr))
    print(f"{platform.node()}, {os.cpu_count()} cores; seconds until the last learner has it")
    print("  labs   hosts answer   stacks proven   memory taken")
    for count in options.labs:
        answer, proven, memory = one_class(count)
        print(f"  {count:4}   {answer:10.0f} s   {proven:11.0f} s   {memory / 2**30:9.1f} GB")
    return 0


def one_class(count: int) -> tuple[float, float, int]:
    """Seconds until all hosts of all labs answer, until all stacks are proven; bytes of memory then."""
    names = [f"class-{os.getpid()}-{number}" for number in range(count)]
    before = psutil.virtual_memory().available
    began = time.perf_counter()
    with ExitStack() as stack, ThreadPoolExecutor(count) as learners:
        for name in names:
            stack.callback(lab.down, name)
        list(learners.map(lambda name: type_in("lab", "up", "--name", name), names))
        answer = time.perf_counter() - began
        list(learners.map(lambda name: type_in("up", "--inventory", f"lab:{name}"), names))
        return answer, time.perf_counter() - began, before - psutil.virtual_memory().available


def type_in(*words: str) -> None:
    """A command as a learner would type it."""
    subprocess.run([sys.executable, "-m", "overlaykit", *words], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
