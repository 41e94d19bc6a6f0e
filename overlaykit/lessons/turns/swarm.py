"""Lesson 02: a host that had left is back, in its role, and the list of nodes holds no trace of what it was.

docker swarm join --token … ADDRESS:2377      # on the host that had left, with the token of a worker
docker node rm ID                             # on the manager: the entry that is Down
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaykit.kit import Hosts
from overlaykit.lessons.verdict import Verdict
from overlaykit.words.facts import Facts
from overlaykit.words.host import Inventory
from overlaykit.words.stack import Stack

GOAL = "every host is a ready node in its role, and `docker node ls` lists no other"


def check(hosts: Hosts, stack: Stack) -> Verdict:
    """What the manager lists, held against the inventory."""
    hint = next(_missing(hosts.look(), hosts.inventory), "")
    return Verdict(GOAL, passed=not hint, hint=hint)


def _missing(facts: Facts, inventory: Inventory) -> Iterator[str]:
    yield from (f"{host.name} does not answer: {host.error}" for host in facts if host.error)
    if facts.swarm is None:
        yield "no host is a manager: `docker swarm init` on the first one forms a swarm"
        return
    manager, members = facts.swarm.host, facts.members
    for host in inventory:
        node = members.get(host.name)
        if node is None:
            yield f"{host.name} is not in the swarm: `docker swarm join` there, with the token of a {host.role}"
        elif node.role != host.role:
            cure = "demote" if host.role == "worker" else "promote"
            yield f"{host.name} is a {node.role}, not a {host.role}: docker node {cure} {host.name} on {manager}"
        elif node.state != "ready":
            yield f"{manager} lists {host.name} as {node.state}: give it a moment, then run this cell again"
    present = {node.id for node in members.values()}
    left = [node for node in facts.swarm.nodes if node.id not in present]
    if left:
        yield (
            f"{manager} still lists a {left[0].hostname} that is {left[0].state}: an entry stays until it is removed. "
            f"`docker node ls` on {manager} shows its ID, docker node rm takes it"
        )
