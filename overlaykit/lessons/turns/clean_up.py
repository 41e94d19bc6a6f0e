"""Lesson 99: what was forgotten by hand is removed by hand, both things of it."""

from __future__ import annotations

from overlaykit.kit import Hosts
from overlaykit.lessons.verdict import Verdict
from overlaykit.words.stack import Stack

#: What the lesson leaves on a host: a volume and a network of this name.
FORGOTTEN = "forgotten"
GOAL = f"nothing called {FORGOTTEN} is on any host"


def check(hosts: Hosts, stack: Stack) -> Verdict:
    """No volume and no network of that name."""
    facts = hosts.look()
    silent = [host.name for host in facts if host.error]
    if silent:
        return Verdict(GOAL, passed=False, hint=f"{', '.join(silent)} does not answer, so nobody can tell")
    there = {
        "volume": any(FORGOTTEN in host.volumes for host in facts),
        "network": any(FORGOTTEN in host.networks for host in facts),
    }
    left = [kind for kind, seen in there.items() if seen]
    if not left:
        return Verdict(GOAL, passed=True)
    hint = f"a {' and a '.join(left)} of that name: `docker {left[0]} ls`, typed on each host, shows where"
    return Verdict(GOAL, passed=False, hint=hint)
