"""The wire between real hosts: a word that is read in plaintext is nowhere once the network is encrypted."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from practice_hosts import NODES, Typed
from scapy.utils import rdpcap
from tenacity import retry, retry_if_not_result, stop_after_delay, wait_fixed

from overlaykit import Stack
from overlaykit.kit import Hosts
from overlaykit.lab import lab as practice
from overlaykit.phases.wire import judge, wanted_capture
from overlaykit.remote.fleet import Fleet
from overlaykit.remote.probes.ask import run_probes
from overlaykit.words.wire import Wire

PLAIN = Stack()
ENCRYPTED = PLAIN.set("network.encrypted", True)
WORD = "open-sesame"


@pytest.fixture(scope="module")
def plain(lab_hosts: Hosts) -> Hosts:
    """The hosts with the stack deployed, on a network in plaintext."""
    for phase in lab_hosts.phases(PLAIN):
        phase.apply()
    assert lab_hosts.discovery(PLAIN).prove().ok
    return lab_hosts


@pytest.fixture(scope="module")
def encrypted(plain: Hosts, esp: None) -> Iterator[Hosts]:
    """The same hosts, the network made anew with IPsec."""
    for phase in plain.phases(ENCRYPTED):
        phase.apply(recreate=True)
    assert plain.discovery(ENCRYPTED).prove().ok
    yield plain
    plain.down(ENCRYPTED).apply()


def severities(seen: Wire) -> dict[str, str]:
    return {finding.code: finding.severity for finding in seen.findings}


def left_behind(hosts: Hosts, but: str = "") -> list[str]:
    """Containers that are of no service, on every host but one that is off."""
    found = [one for host in hosts if host.name != but for one in host.docker.containers.list(all=True)]
    return [str(one.name) for one in found if "com.docker.swarm.service.name" not in one.labels]


@retry(retry=retry_if_not_result(bool), stop=stop_after_delay(30), wait=wait_fixed(0.02))
def captures_on(hosts: Hosts, host: str) -> list[str]:
    """Wait until a capture listens there."""
    return [str(one.name) for one in hosts[host].docker.containers.list(filters={"label": "overlaykit.stack"})
            if "com.docker.swarm.service.name" not in one.labels]  # fmt: skip


def entries(hosts: Hosts) -> str:
    """The guest book, as a host's port shows it."""
    said = hosts[NODES[0]].run(["curl", "-s", "http://127.0.0.1/api/entries"], check=True).stdout
    return str(json.loads(said)["entries"])


def container_mtu(hosts: Hosts) -> int:
    """What the backend's own interface says."""
    swarm = hosts.look().swarm
    assert swarm
    (task,) = swarm.running("backend")
    return int(
        hosts[task.host].run(["docker", "exec", task.container, "cat", "/sys/class/net/eth0/mtu"], check=True).stdout
    )


@pytest.mark.usefixtures("ipvs")
def test_in_plaintext_the_word_is_read(plain: Hosts) -> None:
    seen = plain.wire(PLAIN, WORD).listen()
    assert repr(seen) == "guestbook: plaintext\ningress: plaintext", seen.details()
    assert severities(seen) == {"OK501": "ok", "OK502": "ok", "OK503": "ok", "OK505": "ok"}, seen.details()
    own = seen["guestbook"]
    assert own.hits > 0
    assert own.esp == 0
    assert (own.overhead, own.mtu) == (50, container_mtu(plain))
    assert [hop.seen for hop in seen.hops if hop.network == "guestbook"] == ["readable", "readable"]
    assert {hop.seen for hop in seen.hops if hop.network == "ingress"} == {"readable", "inside one host"}
    assert seen.packet is not None
    assert repr(seen.packet) == "Ethernet > IP > UDP > VXLAN > Ethernet > IP > TCP > HTTP"
    assert WORD in seen.packet.layers[-1].values["first line"]


def test_nothing_is_left_behind(plain: Hosts) -> None:
    before = entries(plain)
    plain.wire(PLAIN).listen()
    assert left_behind(plain) == []
    assert entries(plain) == before
    assert WORD not in before


def test_at_the_command_line(plain: Hosts, overlaykit: Typed, tmp_path: Path) -> None:
    done = overlaykit("wire", "--json", "--word", WORD, "--pcap", "wire.pcapng")
    assert done.returncode == 0, done.stderr
    networks = {one["name"]: one for one in json.loads(done.stdout)["wire"]["networks"]}
    assert networks["guestbook"]["verdict"] == "plaintext"
    assert any(WORD.encode() in bytes(packet) for packet in rdpcap(str(tmp_path / "wire.pcapng")))
    assert overlaykit("wire", "--pcap", "wire.pcapng").returncode == 2
    assert overlaykit("wire", "--set", "network.encrypted=true").returncode == 1


def test_who_may_not_capture_cannot_tell(plain: Hosts) -> None:
    facts = plain.look()
    probe = wanted_capture(facts, ENCRYPTED, WORD)
    absent = replace(probe, images=dict.fromkeys(probe.images, "overlaykit/backend:absent"))
    (answer,) = run_probes(plain.fleet, [absent])
    seen = judge(facts, ENCRYPTED, answer, [])
    assert {one.verdict for one in seen.networks} == {"cannot tell"}
    assert "overlaykit/backend:absent, is not on this host: `overlaykit up` sends it" in seen.details()
    assert answer.seen["sent"] == {}
    assert left_behind(plain) == []


@pytest.mark.usefixtures("esp")
def test_the_network_is_made_anew_by_one_command(plain: Hosts, overlaykit: Typed) -> None:
    """The ports of the services that it removes first are nobody else's."""
    done = overlaykit("up", "--recreate", "--set", "network.encrypted=true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert plain.wire(ENCRYPTED).prove().ok


def test_encrypted_the_word_is_nowhere(encrypted: Hosts) -> None:
    for _ in range(3):
        seen = encrypted.wire(ENCRYPTED).listen()
        own = seen["guestbook"]
        assert (own.verdict, own.clear, own.hits) == ("encrypted", 0, 0), seen.details()
        assert own.esp > 0
        assert own.mtu == container_mtu(encrypted), seen.details()
        assert seen["ingress"].verdict == "plaintext"
        assert severities(seen) == {"OK501": "ok", "OK502": "warning", "OK503": "ok", "OK504": "ok", "OK505": "ok"}
        assert repr(seen.packet) == "Ethernet > IP > ESP"


def test_contrary_to_the_stack_file_is_wrong(encrypted: Hosts, overlaykit: Typed) -> None:
    assert severities(encrypted.wire(PLAIN).listen())["OK501"] == "error"
    assert overlaykit("wire").returncode == 1
    assert overlaykit("wire", "--set", "network.encrypted=true").returncode == 0


def test_a_host_that_goes_off_in_the_middle_is_not_green(encrypted: Hosts, lab_name: str) -> None:
    facts = encrypted.look()
    assert facts.swarm
    victim = facts.swarm.running("database")[0].host
    pulled: list[threading.Thread] = []

    def pull_the_plug(host: str, method: str, path: str) -> None:
        if host == victim and path.endswith("/start") and not pulled:
            pulled.append(threading.Thread(target=practice.power, args=(lab_name, victim), kwargs={"on": False}))
            pulled[0].start()

    with Fleet.open(encrypted.inventory, on_request=pull_the_plug) as fleet:
        hosts = Hosts(encrypted.inventory, fleet, allow_changes=True, adopt=False)
        seen = hosts.wire(ENCRYPTED).listen(facts)
    pulled[0].join()
    practice.power(lab_name, victim, on=True)
    assert seen["guestbook"].verdict == "cannot tell", seen.details()
    assert severities(seen)["OK503"] == "unknown"
    assert not seen.as_wanted
    assert left_behind(encrypted) == []


def test_the_command_says_in_words_that_a_host_went_off_meanwhile(
    encrypted: Hosts, overlaykit: Typed, lab_name: str
) -> None:
    encrypted.tiers(ENCRYPTED).apply()  # a host that was off may be back before its tasks are
    swarm = encrypted.look().swarm
    assert swarm
    victim = swarm.running("database")[0].host
    with ThreadPoolExecutor(1) as terminal:
        typed = terminal.submit(overlaykit, "wire", "--set", "network.encrypted=true")
        assert captures_on(encrypted, victim)
        practice.power(lab_name, victim, on=False)
        try:
            done = typed.result()
            left = left_behind(encrypted, but=victim)
        finally:
            practice.power(lab_name, victim, on=True)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "cannot tell" in done.stdout
    assert f"{victim}: " in done.stdout
    assert left == []
