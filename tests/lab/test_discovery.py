"""Discovery on real hosts: what is well is proven, and what is broken on purpose is found and named."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest

from overlaykit import Stack
from overlaykit.kit import Hosts
from overlaykit.phases import discovery
from overlaykit.remote.fleet import Fleet
from overlaykit.remote.probes.ask import run_probes
from overlaykit.words.errors import Cancelled
from overlaykit.words.findings import Findings
from overlaykit.words.probes import AskNames, Probe, TryPasswords, WriteThrough

STACK = Stack()
VXLAN = "INPUT -p udp --dport 4789"
#: As on a wire that carries 1400 bytes: what is longer gets lost, and nobody tells the sender.
LONG = f"{VXLAN} -m u32 --u32 0&0xFFFF=1401:65535"


@pytest.fixture(scope="module")
def up(lab_hosts: Hosts) -> Hosts:
    """The hosts with the stack deployed."""
    for phase in lab_hosts.phases(STACK):
        phase.apply()
    return lab_hosts


@contextmanager
def dropped(hosts: Hosts, node: str, rule: str) -> Iterator[None]:
    """On one host, packets that a rule matches are lost."""
    words = rule.split()
    hosts[node].run(["iptables", "-I", *words, "-j", "DROP"], check=True)
    try:
        yield
    finally:
        hosts[node].run(["iptables", "-D", *words, "-j", "DROP"], check=True)


def place(hosts: Hosts, tier: str) -> str:
    """The host that runs a tier."""
    swarm = hosts.look().swarm
    assert swarm
    (task,) = swarm.running(tier)
    return task.host


def wrong(findings: Findings) -> dict[str, tuple[str, ...]]:
    """Codes of what is not so, each with the hosts it names."""
    return {finding.code: finding.hosts for finding in findings if finding.severity == "error"}


def left_behind(hosts: Hosts) -> list[str]:
    """What a probe made and did not remove: containers of no service, and services of none of the tiers."""
    manager = hosts.inventory.managers[0].name
    services = [one.name for one in hosts[manager].docker.services.list()]
    containers = [
        one.name
        for host in hosts
        for one in host.docker.containers.list(all=True, filters={"label": "overlaykit.stack"})
    ]
    return [*(name for name in services if name not in ("database", "backend", "frontend")), *containers]


def ask(hosts: Hosts, probes: Sequence[Probe], stack: Stack = STACK) -> Findings:
    """The findings from these probes alone."""
    return discovery.findings(hosts.look(), stack, run_probes(hosts.fleet, probes))


def wanted(hosts: Hosts, kind: type[Probe], stack: Stack = STACK) -> list[Probe]:
    """The probes of one kind."""
    return [probe for probe in discovery.wanted_probes(hosts.look(), stack) if isinstance(probe, kind)]


def test_everything_is_looked_at_and_nothing_is_wrong(up: Hosts) -> None:
    findings = up.discovery(STACK).prove()
    assert wrong(findings) == {}
    assert findings.count()["unknown"] == 0, findings.details()
    assert {"OK303", "OK306", "OK401", "OK402", "OK403", "OK404", "OK411", "OK412", "OK413", "OK421"} <= {
        finding.code for finding in findings
    }


def test_a_check_leaves_nothing_behind(up: Hosts) -> None:
    entries = [entry for probe in wanted(up, WriteThrough) for entry in written(up, probe)]
    up.discovery(STACK).prove()
    assert left_behind(up) == []
    assert [entry for probe in wanted(up, WriteThrough) for entry in written(up, probe)] == entries


def written(hosts: Hosts, probe: Probe) -> list[str]:
    """The ids of the entries that a host's port shows."""
    said = hosts[probe.host].run(["curl", "-s", "http://127.0.0.1/api/entries"], check=True).stdout
    return [part.partition('"')[0] for part in said.split('"id":"')[1:]]


def test_a_task_whose_image_has_no_tools_is_asked_from_beside_it(up: Hosts) -> None:
    image = next(p.image for p in wanted(up, AskNames) if isinstance(p, AskNames) and p.image)
    probes = [replace(probe, image=image) for probe in wanted(up, AskNames) if isinstance(probe, AskNames)]
    findings = ask(up, probes)
    assert [f.severity for f in findings if f.code in ("OK401", "OK402", "OK403")] == ["ok"] * 12
    assert left_behind(up) == []


def test_a_probe_that_cannot_start_is_unknown_and_says_why(up: Hosts) -> None:
    probes = [replace(p, image="overlaykit/backend:absent") for p in wanted(up, AskNames) if isinstance(p, AskNames)]
    findings = ask(up, probes)
    assert {f.severity for f in findings if f.code in ("OK401", "OK402", "OK403")} == {"unknown"}
    assert "overlaykit/backend:absent" in findings.details()


def test_each_pair_of_hosts_is_tried(up: Hosts) -> None:
    findings = up.network(STACK).prove()
    assert {f.code: f.severity for f in findings if f.code in ("OK203", "OK204", "OK207")} == {
        "OK203": "ok",
        "OK204": "ok",
        "OK207": "ok",
    }, findings.details()
    assert left_behind(up) == []


@pytest.mark.parametrize("after", [0.3, 1.5])
@pytest.mark.parametrize("phase", ["network", "discovery"])
def test_a_proof_that_is_cancelled_leaves_nothing(up: Hosts, phase: str, after: float) -> None:
    """On a wire where it would wait for long."""
    entries = [entry for probe in wanted(up, WriteThrough) for entry in written(up, probe)]
    cancel = threading.Event()
    pressed = threading.Timer(after, cancel.set)
    with dropped(up, "node2", VXLAN):
        pressed.start()
        with pytest.raises(Cancelled):
            getattr(up, phase)(STACK).prove(cancel=cancel)
        pressed.join()
    assert left_behind(up) == []
    assert [entry for probe in wanted(up, WriteThrough) for entry in written(up, probe)] == entries


def test_a_part_of_the_hosts_is_worked_on_alone(up: Hosts) -> None:
    """A host that is left out stays what it is; only the tiers' tasks would leave it."""
    part = up.only("node1", "node3")
    assert not part.swarm(STACK).plan()
    assert not part.network(STACK).plan()
    assert part.swarm(STACK).prove().ok
    pairs = part.network(STACK).prove()
    assert pairs.ok and "node2" not in pairs.details()
    leave = [command for command in part.tiers(STACK).plan().commands if "update" in command]
    assert len(leave) == 2 and all("node.id!=" in command for command in leave)
    assert not up.tiers(STACK).plan()
    assert left_behind(up) == []


def test_a_shut_data_path_is_found_between_hosts(up: Hosts) -> None:
    with dropped(up, "node2", VXLAN):
        findings = up.network(STACK).prove()
    assert wrong(findings) == {"OK204": ("node1", "node2", "node3")}, findings.details()
    (shut,) = (finding for finding in findings if finding.code == "OK204")
    assert "UDP 4789" in shut.fix[0]
    assert {pair.partition(":")[0] for pair in shut.evidence} == {
        "node1 → node2",
        "node2 → node1",
        "node2 → node3",
        "node3 → node2",
    }
    assert left_behind(up) == []


def test_a_narrow_wire_is_not_taken_for_a_shut_one(up: Hosts) -> None:
    with dropped(up, "node2", LONG):
        findings = up.network(STACK).prove()
    assert wrong(findings) == {"OK207": ("node1", "node2", "node3")}, findings.details()
    assert "network.mtu" in findings.details()


def test_a_shut_data_path_is_found_between_tiers(up: Hosts) -> None:
    backend = place(up, "backend")
    with dropped(up, backend, VXLAN):
        found = wrong(up.discovery(STACK).prove())
    assert {"OK402", "OK411"} <= set(found), found
    assert "OK401" not in found
    assert "OK404" not in found


def test_a_port_that_this_machine_cannot_reach_is_tried_from_the_host(up: Hosts) -> None:
    """Without the lab's word on where port 80 comes out, nothing is found there from here: as behind a firewall."""
    unsaid = replace(up.inventory, hosts=tuple(replace(host, published=None) for host in up.inventory))
    with Fleet.open(unsaid) as fleet:
        answers = run_probes(fleet, [*wanted(up, WriteThrough), *wanted(up, TryPasswords)])
    findings = discovery.findings(up.look(), STACK, answers)
    assert wrong(findings) == {}, findings.details()
    assert "from node3 itself, over SSH" in findings.details()


@pytest.mark.usefixtures("ipvs")
def test_a_published_database_is_found(up: Hosts) -> None:
    manager = up.inventory.managers[0].name
    publish = "docker service update --quiet --publish-{} database"
    up[manager].run(publish.format("add published=27017,target=27017"), check=True)
    try:
        findings = up.discovery(STACK).prove()
    finally:
        up[manager].run(publish.format("rm 27017"), check=True)
    assert wrong(findings) == {"OK421": ("node1", "node2", "node3")}, findings.details()


def test_a_write_survives_the_end_of_the_databases_task(up: Hosts) -> None:
    findings = up.discovery(STACK).prove_persistence()
    assert [(finding.code, finding.severity) for finding in findings] == [("OK304", "ok")], findings.details()


@pytest.mark.usefixtures("esp")
def test_encrypted_hosts_share_keys_and_count_packets(lab_hosts: Hosts) -> None:
    """Last: the network is made anew for it."""
    stack = STACK.set("network.encrypted", True)
    lab_hosts.down(STACK).apply()
    for phase in lab_hosts.phases(stack):
        phase.apply()
    for findings in (lab_hosts.network(stack).prove(), lab_hosts.discovery(stack).prove()):
        assert wrong(findings) == {}, findings.details()
        assert {f.code: f.severity for f in findings if f.code in ("OK205", "OK206")} == {"OK205": "ok", "OK206": "ok"}
    lab_hosts.down(stack).apply()
