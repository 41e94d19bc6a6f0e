"""What `overlaykit wire` finds and takes, run after run, and how fast two hosts are on each kind of network.

    python benchmarks/wire.py [--rounds 20] [--speeds 5]

On three practice hosts: the network in plaintext first, then made anew with encryption. A hit is a packet of the
stack's network, or of nobody's, in which the word could be read. Speeds are those of practice hosts: what can be
concluded is how the three compare. Ends with 1 where a run in plaintext had no hit or one that was encrypted had any,
where a run failed, or where `overlaykit wire` takes more than 20 s.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from overlaykit import Stack, connect
from overlaykit.kit import Hosts
from overlaykit.lab import lab
from overlaykit.lessons.speeds import measure
from overlaykit.words.speed import KINDS, Speeds

PLAIN = Stack()
ENCRYPTED = PLAIN.set("network.encrypted", True)
LONGEST = 20.0


@dataclass(frozen=True)
class Run:
    """One `overlaykit wire`, as whoever typed it saw it."""

    status: int
    seconds: float
    verdict: str
    hits: int
    esp: int


def main() -> int:
    """Measure, print both tables, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--speeds", type=int, default=5)
    options = parser.parse_args()
    name = f"bench-{os.getpid()}"
    lab.up(name, 3, observer=lambda text: print(f"# {text}", file=sys.stderr))
    try:
        with connect(f"lab:{name}") as hosts:
            return on_the_wire(hosts, f"lab:{name}", options.rounds, options.speeds)
    finally:
        lab.down(name)


def on_the_wire(hosts: Hosts, inventory: str, rounds: int, speeds: int) -> int:
    """Both networks, one after the other; the number of what was out of bounds."""
    print(f"{platform.node()}, {os.cpu_count()} cores, {rounds} rounds; median (range)")
    print(f"  {'network':12}{'exit 0':>8}{'verdict as wanted':>20}{'hits':>14}{'packets in ESP':>18}{'seconds':>20}")
    wrong, measured = 0, []
    for stack in (PLAIN, ENCRYPTED):
        for phase in hosts.phases(stack):
            phase.apply(recreate=True)
        found = hosts.discovery(stack).prove()
        assert found.ok, found.details()
        wrong += judged(stack, [one_run(inventory, stack) for _ in range(rounds)])
        measured.append([measure(hosts, stack) for _ in range(speeds)])
    table(measured)
    return min(wrong, 1)


def one_run(inventory: str, stack: Stack) -> Run:
    """The command, with a new word; and how long it takes from Enter to the prompt."""
    wanted = f"network.encrypted={str(stack.network.encrypted).lower()}"
    command = [sys.executable, "-m", "overlaykit", "wire", "--json", "--inventory", inventory, "--set", wanted]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        print(f"# {done.stderr or done.stdout}", file=sys.stderr)
    told = json.loads(done.stdout).get("wire") or {"networks": []}
    for one in told["networks"]:
        if one["name"] == stack.network.name:
            return Run(done.returncode, seconds, one["verdict"], one["hits"], one["esp"])
    return Run(done.returncode, seconds, "none", 0, 0)


def judged(stack: Stack, runs: Sequence[Run]) -> int:
    """A row; how much of it is out of bounds."""
    wanted = "encrypted" if stack.network.encrypted else "plaintext"
    as_wanted = [run for run in runs if run.verdict == wanted and (run.hits == 0) == stack.network.encrypted]
    fine = [run for run in runs if run.status == 0]
    hits, esp = (spread([getattr(run, name) for run in runs], "g") for name in ("hits", "esp"))
    seconds = spread([run.seconds for run in runs], ".2f")
    print(f"  {wanted:12}{len(fine):8}{len(as_wanted):20}{hits:>14}{esp:>18}{seconds:>20}", flush=True)
    late = median(run.seconds for run in runs) > LONGEST
    return 2 * len(runs) - len(fine) - len(as_wanted) + late


def table(measured: Sequence[Sequence[Speeds]]) -> None:
    """Host network, overlay and encrypted overlay beside each other."""
    print(f"  {'between two hosts':20}{'Mbit/s one way':>24}{'ms there and back':>24}{'of':>4}")
    each = [one for speeds in measured for speed in speeds for one in speed.each]
    for kind in KINDS:
        if seen := [one for one in each if one.kind == kind]:
            rate = spread([one.megabits for one in seen], ".0f")
            trip = spread([one.trip * 1000 for one in seen], ".2f")
            print(f"  {kind:20}{rate:>24}{trip:>24}{len(seen):4}", flush=True)


def spread(values: Sequence[float], form: str) -> str:
    """Median and range."""
    return f"{median(values):{form}} ({min(values):{form}}-{max(values):{form}})"


if __name__ == "__main__":
    sys.exit(main())
