"""Three managers: formed, one of them lost, one made a worker, and taken down again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from overlaykit import Stack
from overlaykit.kit import Hosts
from overlaykit.lab import lab as practice
from overlaykit.lessons.tasks import wait_until
from overlaykit.remote.fleet import Fleet
from overlaykit.words.host import Inventory

STACK = Stack()


@contextmanager
def with_managers(hosts: Hosts, *managers: str) -> Iterator[Hosts]:
    """The same hosts, by an inventory that gives these the role."""
    of_role = (replace(h, role="manager" if h.name in managers else "worker") for h in hosts.inventory)
    inventory: Inventory = replace(hosts.inventory, hosts=tuple(of_role))
    with Fleet.open(inventory) as fleet:
        yield Hosts(inventory, fleet, allow_changes=True, adopt=False)


def test_a_swarm_outlives_one_of_three_managers(lab_hosts: Hosts, lab_name: str) -> None:
    with with_managers(lab_hosts, "node1", "node2", "node3") as three:
        three.swarm(STACK).apply()
        assert three.swarm(STACK).prove().ok
        assert len(three.swarm(STACK).plan()) == 0
        practice.power(lab_name, "node1", on=False)
        try:
            swarm = three.look().swarm
            assert swarm is not None
            assert swarm.host in ("node2", "node3")
            assert any(node.leader and node.host != "node1" for node in swarm.nodes)
        finally:
            practice.power(lab_name, "node1", on=True)
        wait_until(lambda: three.swarm(STACK).prove().ok, "every node is ready again")


def test_down_frees_a_manager_that_has_lost_the_others(lab_hosts: Hosts) -> None:
    """Without a leader its engine answers next to no question; it can leave all the same."""
    with with_managers(lab_hosts, "node1", "node2", "node3") as three:
        three.swarm(STACK).apply()
        for name in ("node2", "node3"):
            three[name].run("docker swarm leave --force", check=True)
        three.down(STACK).apply()
        assert three.down(STACK).prove().ok
        assert {host.swarm_state for host in three.look()} == {"inactive"}


def test_roles_follow_the_inventory(lab_hosts: Hosts) -> None:
    with with_managers(lab_hosts, "node1", "node2", "node3") as three:
        three.swarm(STACK).apply()
        assert three.swarm(STACK).prove().ok
    with with_managers(lab_hosts, "node1") as one:
        plan = one.swarm(STACK).plan()
        assert [step.title for step in plan] == ["make node2 a worker", "make node3 a worker"]
        one.swarm(STACK).apply(plan=plan)
        assert one.swarm(STACK).prove().ok
        roles = {name: node.role for name, node in one.look().members.items()}
        assert roles == {"node1": "manager", "node2": "worker", "node3": "worker"}


def test_down_ends_a_swarm_of_several_managers(lab_hosts: Hosts) -> None:
    with with_managers(lab_hosts, "node1", "node2", "node3") as three:
        three.swarm(STACK).apply()
        assert three.swarm(STACK).prove().ok
        down = three.down(STACK)
        down.apply()
        assert down.prove().ok
        assert {host.swarm_state for host in three.look()} == {"inactive"}
