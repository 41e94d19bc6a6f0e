"""An exercise on real hosts: what a learner types, and what the check says of it.

type_on(hosts, "node2", "docker network create pair")
assert "node1" in hint("03", hosts)
"""

from __future__ import annotations

from overlaykit.kit import Hosts
from overlaykit.lessons.turns import turn


def type_on(hosts: Hosts, name: str, *commands: str) -> None:
    """What a learner types there."""
    for command in commands:
        hosts[name].run(command, check=True)


def hint(lesson: str, hosts: Hosts) -> str:
    """What the check says is missing."""
    verdict = turn(lesson, hosts)
    assert not verdict.passed, verdict
    return verdict.hint
