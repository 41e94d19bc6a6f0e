"""How fast: between which hosts it is measured, and what the figures come to.

    asked = wanted_speed(facts, stack)
    read_speeds(asked, measure_speed(fleet, asked))

A round goes over every kind of network, and then comes the next round: whatever else the hosts do meanwhile falls on
all kinds alike. The median of the rounds is taken, since a single one may have been disturbed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from overlaykit.phases.discovery import probe_image
from overlaykit.phases.network import need_swarm, wanted_network
from overlaykit.words.errors import PlanRefused
from overlaykit.words.facts import Facts
from overlaykit.words.speed import KINDS, Kind, MeasureSpeed, Speed, Speeds
from overlaykit.words.stack import Stack

Json = Mapping[str, Any]


def wanted_speed(facts: Facts, stack: Stack) -> MeasureSpeed:
    """From the last host to the one before. Raises PlanRefused where there are no two."""
    swarm = need_swarm(facts)
    active = {node.host for node in swarm.nodes if node.state == "ready" and node.availability == "active"}
    hosts = [host for host in facts.reachable if host.name in active and host.node_addr]
    if len(hosts) < 2:
        raise PlanRefused("a speed is one between two hosts, and no two are ready: nothing was measured.")
    server, client = hosts[-2:]
    return MeasureSpeed(
        swarm.host,
        server.name,
        client.name,
        server.node_addr,
        images={host.name: probe_image(host) for host in (server, client)},
        labels=stack.labels,
        mtu=wanted_network(facts, stack).mtu,
    )


def read_speeds(asked: MeasureSpeed, rounds: Sequence[Mapping[Kind, Json]]) -> Speeds:
    """The middle of the rounds, kind by kind."""
    return Speeds(asked.server, asked.client, tuple(_middle(kind, [one[kind] for one in rounds]) for kind in KINDS))


def _middle(kind: Kind, seen: Sequence[Json]) -> Speed:
    megabits = median(one["bytes"] * 8 / 1e6 / one["seconds"] for one in seen)
    return Speed(kind, megabits, median(trip for one in seen for trip in one["trips"]))
