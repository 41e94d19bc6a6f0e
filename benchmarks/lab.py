"""How long practice hosts take: to answer, and from nothing but the build to the proven stack.

    python benchmarks/lab.py [--hosts 3 10] [--rounds 3]

Ends with 1 where three hosts take more than 12 s to answer, ten more than 35 s, or three hosts more than 30 s until
the stack is proven; with OVERLAYKIT_BACKEND=containers, where three take more than 5 s to answer.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from statistics import median

from overlaykit import Stack, connect
from overlaykit.lab import lab
from overlaykit.lab.kinds import choose

ANSWER = {"kernels": {3: 12.0, 10: 35.0}, "containers": {3: 5.0}}
PROVEN = {"kernels": {3: 30.0}, "containers": {}}


def main() -> int:
    """Measure, print the table, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, nargs="+", default=[3, 10])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    lab.build(lambda text: print(f"# {text}", file=sys.stderr))
    print(f"{platform.node()}, {os.cpu_count()} cores, {options.rounds} rounds; seconds: median (range)")
    return max(measure(count, options.rounds) for count in options.hosts)


def measure(count: int, rounds: int) -> int:
    """Two rows of the table, and whether either is out of its bound."""
    answers, proofs = zip(*(one_round(count) for _ in range(rounds)), strict=True)
    for title, values in ((f"{count} hosts answer", answers), (f"{count} hosts to the proven stack", proofs)):
        print(f"  {title:30}{median(values):7.2f}  ({min(values):.2f}-{max(values):.2f})")
    kind = choose(None)[0].name
    return int(median(answers) > ANSWER[kind].get(count, 1e9) or median(proofs) > PROVEN[kind].get(count, 1e9))


def one_round(count: int) -> tuple[float, float]:
    """Seconds from nothing but the build until all hosts answer, and until the stack on them is proven."""
    name, stack = f"bench-{os.getpid()}", Stack()
    began = time.perf_counter()
    lab.up(name, count)
    answer = time.perf_counter() - began
    try:
        with connect(f"lab:{name}") as hosts:
            facts = hosts.look()
            for phase in hosts.phases(stack):  # as `overlaykit up` does: what is known is not asked again
                phase.apply(plan=phase.plan(facts=facts))
                facts = phase.look(facts)
            found = hosts.discovery(stack).prove(facts=facts)
            assert found.ok, found.details()
        return answer, time.perf_counter() - began
    finally:
        lab.down(name)


if __name__ == "__main__":
    sys.exit(main())
