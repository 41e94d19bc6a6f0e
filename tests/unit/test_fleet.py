"""Many hosts, one result per host: nothing hides anything."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from sshd import SshServer

from overlaykit.kit import Hosts
from overlaykit.remote.fake import Answer, FakeConnection
from overlaykit.remote.fleet import Fleet, FleetHost
from overlaykit.remote.ssh.connect import SshConnection
from overlaykit.words.errors import ConnectionRefused, EngineRefused, HostError, InputError, NoEngine
from overlaykit.words.host import Become, Host, Inventory

HOSTS = tuple(Host(f"node{number}", f"192.0.2.{number}", "manager") for number in (1, 2, 3))
INVENTORY = Inventory(HOSTS, "hosts.ini")
DOWN = ConnectionRefused("node2", "nothing listens")
ANSWERS: dict[str, Answer] = {"hostname": "a-host\n"}


def connect(host: Host) -> FakeConnection:
    return FakeConnection(host, ANSWERS, down=DOWN if host.name == "node2" else None)


def test_a_dead_host_hides_no_other() -> None:
    with Fleet.open(INVENTORY, connect=connect) as fleet:
        assert fleet.unreachable == {"node2": DOWN}
        assert list(fleet) == ["node1", "node2", "node3"]
        answers = fleet.each(lambda host: host.run("hostname").stdout)
        assert answers == {"node1": "a-host\n", "node2": DOWN, "node3": "a-host\n"}


def test_some_hosts_can_be_chosen_and_are_told_in_order() -> None:
    fleet = Fleet.open(INVENTORY, connect=connect)
    assert list(fleet.each(lambda host: host.name, ["node3", "node1"])) == ["node3", "node1"]
    assert fleet.each(lambda host: host.name, []) == {}
    with pytest.raises(KeyError, match="no host 'node9'; there are: node1, node2, node3"):
        fleet["node9"]


def test_a_part_has_the_same_connections_and_is_hung_up_with_the_whole() -> None:
    fleet = Fleet.open(INVENTORY, connect=connect)
    part = fleet.only("node2", "node1")
    assert (list(part), part.unreachable) == (["node1", "node2"], {"node2": DOWN})
    assert part["node1"] is fleet["node1"]
    assert not part.closed
    part.close()
    assert fleet.closed
    assert not fleet["node3"].connection.alive


def test_a_part_of_the_hosts_looks_at_these_alone() -> None:
    inventory = Inventory((HOSTS[0], replace(HOSTS[1], role="worker"), HOSTS[2]), "hosts.ini", lab="default")
    hosts = Hosts(inventory, Fleet.open(inventory, connect=connect), allow_changes=True, adopt=True)
    part = hosts.only("node3", "node2")
    assert repr(part) == "node2: worker\nnode3: manager"
    assert (part.where, part.allow_changes, part.adopt) == (hosts.where, True, True)
    facts = part.look()
    assert [host.name for host in facts] == ["node2", "node3"]
    assert facts["node2"].error == "nothing listens"


@pytest.mark.parametrize(("names", "sentence"), [
    (("node1", "node9"), "there is no host 'node9' in hosts.ini; there are: node1, node2, node3"),
    (("node2",), "no manager takes part, and a swarm is formed by one: choose at least one of node1, node3"),
    ((), "no manager takes part, and a swarm is formed by one: choose at least one of node1, node3"),
])  # fmt: skip
def test_a_part_that_cannot_be_is_refused(names: tuple[str, ...], sentence: str) -> None:
    inventory = Inventory((HOSTS[0], replace(HOSTS[1], role="worker"), HOSTS[2]), "hosts.ini")
    with pytest.raises(InputError, match=f"^{re.escape(sentence)}$"):
        inventory.only(*names)


def test_hosts_are_worked_side_by_side() -> None:
    together = threading.Barrier(3, timeout=5)
    fleet = Fleet.open(INVENTORY, connect=connect)
    assert sorted(fleet.each(lambda _: together.wait()).values()) == [0, 1, 2]  # type: ignore[type-var]


def test_a_host_that_came_back_is_used_again() -> None:
    fleet = Fleet.open(INVENTORY, connect=connect)
    assert isinstance(fleet.each(lambda host: host.run("hostname"))["node2"], HostError)
    back = fleet["node2"].connection
    assert isinstance(back, FakeConnection)
    back.down = None
    assert fleet["node2"].run("hostname").stdout == "a-host\n"


def test_a_mistake_in_what_is_done_is_no_fault_of_a_host() -> None:
    fleet = Fleet.open(INVENTORY, connect=connect)
    with pytest.raises(ZeroDivisionError):
        fleet.each(lambda host: 1 / 0)


def test_no_engine_is_said_by_whoever_asks_for_it() -> None:
    fleet = Fleet.open(INVENTORY, connect=connect)
    assert isinstance(fleet.each(lambda host: host.docker.version())["node1"], NoEngine)


def test_commands_go_by_sudo_where_the_inventory_says_so() -> None:
    by_sudo = FakeConnection(replace(HOSTS[0], become=Become()), ANSWERS)
    host = FleetHost(by_sudo.host, by_sudo)
    host.run("hostname")
    host.run("hostname", sudo=False)
    plain = FakeConnection(HOSTS[0], ANSWERS)
    FleetHost(plain.host, plain).run("hostname")
    assert (by_sudo.asked, plain.asked) == (["sudo hostname", "hostname"], ["hostname"])


def test_hanging_up_is_not_the_end() -> None:
    fleet = Fleet.open(INVENTORY, connect=connect)
    fleet.close()
    assert not fleet["node1"].connection.alive
    assert fleet["node1"].run("hostname").status == 0


def test_engines_are_reached_over_the_same_connection_as_commands(tmp_path: Path) -> None:
    seen: list[tuple[str, str, str]] = []
    with SshServer(tmp_path) as server:
        inventory = Inventory((server.host(),), "hosts.ini")
        with Fleet.open(inventory, on_request=lambda *request: seen.append(request)) as fleet:
            assert isinstance(fleet["node1"].connection, SshConnection)
            assert fleet["node1"].run(["echo", "hi"]).stdout == "hi\n"
            assert fleet["node1"].docker is fleet["node1"].docker
            assert fleet.each(lambda host: host.docker.info()["Name"]) == {"node1": "node1"}
            refused = fleet.each(lambda host: host.docker.containers.get("nowhere"))["node1"]
            assert isinstance(refused, EngineRefused)
        assert server.logins == 1
    assert ("node1", "GET", "/v1.45/info") in seen


def test_a_host_shows_its_place_and_no_secret() -> None:
    assert repr(FleetHost(HOSTS[0], connect(HOSTS[0]))) == "<node1: manager at 192.0.2.1:22>"
