"""How fast: between which hosts it is measured, and what the figures come to.

    asked = wanted_speed(facts, stack)
    read_speeds(asked, measure_speed(fleet, asked))

A round goes over each way, and then comes the next round: whatever else the hosts do meanwhile falls on all ways alike.
The median of the rounds is taken, since a single one may have been disturbed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from overlaykit.phases.discovery import probe_image, strangers
from overlaykit.phases.network import need_swarm
from overlaykit.words.errors import PlanRefused
from overlaykit.words.facts import Facts, SwarmFacts, TaskFacts
from overlaykit.words.speed import Kind, MeasureSpeed, Speed, Speeds, Way
from overlaykit.words.stack import Stack

Json = Mapping[str, Any]


def wanted_speed(facts: Facts, stack: Stack) -> MeasureSpeed:
    """From the backend's host to the database's, past the overlay and through it.

    Raises PlanRefused where the two do not run on two hosts that answer.
    """
    swarm = need_swarm(facts)
    network = swarm.network(stack.network.name)
    pairs = [
        (client, server)
        for server in _tasks(facts, swarm, stack, "database")
        for client in _tasks(facts, swarm, stack, "backend")
        if client.host != server.host
    ]
    if network is None or not pairs:
        raise PlanRefused(
            f"a speed is one between two hosts, and no backend and database of {stack.name} run on two that answer: "
            "nothing was measured. `overlaykit up` starts them; backend.placement says on which host the backend runs."
        )
    client, server = pairs[0]
    kind: Kind = "encrypted overlay" if network.encrypted else "overlay"
    inside = dict(server.addresses)[network.name]
    return MeasureSpeed(
        server.host,
        client.host,
        ways={
            "host network": Way("host", "host", facts[server.host].node_addr),
            kind: Way(f"container:{server.container}", f"container:{client.container}", inside),
        },
        images={host: probe_image(facts[host]) for host in (server.host, client.host)},
        labels=stack.labels,
    )


def read_speeds(asked: MeasureSpeed, rounds: Sequence[Mapping[Kind, Json]]) -> Speeds:
    """The middle of the rounds, kind by kind."""
    return Speeds(tuple(_middle(asked, kind, [one[kind] for one in rounds]) for kind in asked.ways))


def _middle(asked: MeasureSpeed, kind: Kind, seen: Sequence[Json]) -> Speed:
    megabits = median(one["bytes"] * 8 / 1e6 / one["seconds"] for one in seen)
    return Speed(kind, asked.server, asked.client, megabits, median(trip for one in seen for trip in one["trips"]))


def _tasks(facts: Facts, swarm: SwarmFacts, stack: Stack, tier: str) -> list[TaskFacts]:
    """Those of ours that a probe can stand beside, on a host whose own address is known."""
    if tier in strangers(swarm, stack):
        return []
    answering = {host.name for host in facts.reachable if host.node_addr}
    on_it = stack.network.name
    return [t for t in swarm.running(tier) if t.host in answering and t.container and on_it in dict(t.addresses)]
