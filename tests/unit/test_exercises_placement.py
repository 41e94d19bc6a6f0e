"""Which hosts a service's constraints admit, as Swarm reads them; and where a guest of a drained host gets in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overlaykit.lessons.turns.outage import way_in
from overlaykit.lessons.turns.services import admitted
from overlaykit.words.facts import NodeFacts, ServiceFacts, SwarmFacts
from overlaykit.words.service import Port, ServiceSpec

SWARM = SwarmFacts(
    "s",
    "node1",
    nodes=(
        NodeFacts("1", "node1", "node1", "manager", "active", "ready", labels={"overlaykit.host": "node1"}),
        NodeFacts("2", "node2", "node2", "worker", "active", "ready", labels={"overlaykit.host": "node2"}),
        NodeFacts("3", "node3", "NODE3.example", "worker", "active", "ready", labels={"disk": "fast"}),
    ),
)


@pytest.mark.parametrize(
    ("rules", "hosts"),
    [
        ((), {"node1", "node2", "node3"}),
        (("node.role==manager",), {"node1"}),
        (("node.role == Manager",), {"node1"}),
        (("node.role!=manager",), {"node2", "node3"}),
        (("node.hostname==node3.EXAMPLE",), {"node3"}),
        (("node.labels.overlaykit.host==node2",), {"node2"}),
        (("node.labels.overlaykit.host==node2", "node.role==manager"), set()),
        (("node.labels.disk!=fast",), {"node1", "node2"}),
        (("node.platform.os==linux", "node.id==2"), {"node2"}),
        (("node.role==boss",), set()),
    ],
)
def test_constraints_hold_all_at_once(rules: tuple[str, ...], hosts: set[str]) -> None:
    assert admitted(rules, SWARM) == hosts


@pytest.mark.parametrize(("mode", "door"), [("ingress", "node2"), ("host", "node1")])
def test_a_guest_of_a_drained_host_gets_in_there_where_the_mesh_is(mode: str, door: str) -> None:
    first, second, third = SWARM.nodes
    frontend = ServiceFacts("f", 1, ServiceSpec("frontend", "image", ports=(Port(80, 80, mode),)))
    drained = (first, replace(second, availability="drain"), third)
    assert way_in(replace(SWARM, nodes=drained, services=(frontend,)), "node2") == door
    assert way_in(None, "node2") == "node2"
