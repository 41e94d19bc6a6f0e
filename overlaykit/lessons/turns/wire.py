"""Lesson 06: guests are served, and nothing that they send can be read between the hosts, on no network.

docker service update --publish-rm 80 frontend                                          # on the manager
docker service update --publish-add published=80,target=80,mode=host frontend
"""

from __future__ import annotations

from collections.abc import Sequence

from overlaykit.kit import Hosts
from overlaykit.lessons.turns.settled import settled
from overlaykit.lessons.verdict import Verdict
from overlaykit.lessons.visits import visit
from overlaykit.words.facts import Facts, SwarmFacts
from overlaykit.words.stack import Stack
from overlaykit.words.wire import Hop

GOAL = "guests are served, and what they send cannot be read between the hosts"


def check(hosts: Hosts, stack: Stack) -> Verdict:
    """What the manager has, what a guest gets at a frontend's host, and what is on the wire then."""
    facts = settled(hosts, "frontend")
    hint = _missing(facts.swarm, stack) or _turned_away(hosts, facts.swarm, stack) or _read(hosts, facts, stack)
    return Verdict(GOAL, not hint, hint)


def _missing(swarm: SwarmFacts | None, stack: Stack) -> str:
    network = swarm.network(stack.network.name) if swarm else None
    if swarm is None or network is None:
        return f"there is no network {stack.network.name}: run the cell that makes it"
    if not network.encrypted:
        return f"{network.name} is in plaintext again: run the cell that makes it encrypted"
    if not swarm.running("frontend"):
        return "no frontend runs: `docker service ps --no-trunc frontend` tells why"
    return ""


def _turned_away(hosts: Hosts, swarm: SwarmFacts | None, stack: Stack) -> str:
    served = sorted({task.host for task in swarm.running("frontend")} if swarm else ())
    for host in served:
        seen = visit(hosts, stack, host, wait_for=200)
        if not seen.ok:
            return f"a guest of {host}, where a frontend runs, gets {seen!r}: a port has to stay open there"
    return ""


def _read(hosts: Hosts, facts: Facts, stack: Stack) -> str:
    """A word of our own, sent to every host's port."""
    seen = hosts.wire(stack).listen(facts)
    if read := [hop for hop in seen.hops if hop.seen in ("readable", "in the clear")]:
        where = " and ".join(sorted({hop.network for hop in read}))
        return f"the word that the check sent was read between two hosts, on {where}{_doors(read)}"
    own = seen[stack.network.name]
    return "" if own.verdict == "encrypted" else f"it could not be told what is on the wire: {own.why}"


def _doors(read: Sequence[Hop]) -> str:
    """How many led there."""
    doors = sum(hop.source == "door" for hop in read)
    return f": {doors} hosts take guests in and send them on to the frontend's host" if doors else ""
