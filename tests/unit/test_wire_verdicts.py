"""Packets in, verdicts out: plaintext, encrypted, and every reason to say that nobody can tell."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from test_discovery_findings import situation
from wire_packets import HOSTS, OnWire

from overlaykit.phases.facts import read_network
from overlaykit.phases.sightings import Sightings
from overlaykit.phases.who import named
from overlaykit.phases.wire import judge, wanted_capture
from overlaykit.reading.packets import read_packets
from overlaykit.wire import WirePhase
from overlaykit.words.errors import InputError, PlanRefused
from overlaykit.words.facts import Facts, TaskFacts
from overlaykit.words.probes import Answer
from overlaykit.words.stack import Stack
from overlaykit.words.wire import Wire

WORD = "open-sesame"
REQUEST = f"POST /api/entries?word={WORD} HTTP/1.1\r\n\r\n".encode()
PATH = {
    "frontend": {"host": "node2", "container": "frontend-1"},
    "backend": {"host": "node1", "container": "backend-1"},
    "database": {"host": "node3", "container": "database-1"},
}
#: What node1 keeps; the others keep the same.
SPI = 0x5C3B1D7E
STATES = {
    host: {"addresses": ["127.0.0.1", address], "states": [{"src": "", "dst": "", "spi": SPI, "packets": 9}]}
    for host, address in HOSTS.items()
}
ENCRYPTED = ["network.encrypted=true"]


@dataclass
class Case:
    """A capture of all three hosts while the word went through each door; all well unless told otherwise."""

    wire: OnWire = field(default_factory=OnWire)
    errors: dict[str, str] = field(default_factory=dict)
    sent: dict[str, Any] = field(
        default_factory=lambda: {host: {"status": 201, "said": "", "path": PATH, "id": "1"} for host in HOSTS}
    )
    states: dict[str, Any] = field(default_factory=lambda: dict(STATES))
    left: dict[str, Any] = field(default_factory=lambda: {"written": 3, "error": ""})
    settings: list[str] = field(default_factory=list)
    edit: dict[str, Any] = field(default_factory=dict)
    failed: str = ""

    def judged(self, change: Any = lambda facts: facts) -> Wire:
        facts, stack = situation({"set": self.settings, "edit": self.edit})
        if self.wire.made_encrypted:
            facts = made_encrypted(facts)
        facts = change(facts)
        captures = self.wire.captures(**self.errors)
        seen = {"captures": captures, "sent": self.sent, "associations": self.states, "left": self.left}
        probe = wanted_capture(facts, stack, WORD)
        answer = Answer(probe, error=self.failed) if self.failed else Answer(probe, seen)
        packets = [p for one in captures.values() for p in read_packets(one, self.wire.data_port, WORD)]
        return judge(facts, stack, answer, [] if self.failed else packets)


def made_encrypted(facts: Facts) -> Facts:
    """The stack's network as it is once it was made anew."""
    assert facts.swarm
    networks = (replace(n, encrypted=n.encrypted or n.name == "guestbook") for n in facts.swarm.networks)
    return replace(facts, swarm=replace(facts.swarm, networks=tuple(networks)))


def plaintext() -> OnWire:
    wire = OnWire()
    wire.ingress("node1", REQUEST)
    wire.ingress("node3", REQUEST)
    wire.say("frontend", "backend", REQUEST)
    wire.say("backend", "database", WORD.encode())
    wire.say("database", "backend", b"ok")
    return wire


def encrypted() -> OnWire:
    wire = OnWire(made_encrypted=True)
    wire.ingress("node1", REQUEST)
    for here, there in (("node2", "node1"), ("node1", "node2"), ("node1", "node3"), ("node3", "node1")):
        wire.esp(here, there, SPI, 128)
        wire.esp(here, there, SPI, 420)
    return wire


def severities(wire: Wire) -> dict[str, str]:
    return {finding.code: finding.severity for finding in wire.findings}


def test_in_plaintext_the_word_is_read_on_each_part_of_its_way() -> None:
    seen = Case(plaintext()).judged()
    assert repr(seen) == "guestbook: plaintext\ningress: plaintext"
    assert [repr(hop) for hop in seen.hops] == [
        "door → frontend: readable",
        "door → frontend: inside one host",
        "door → frontend: readable",
        "frontend → backend: readable",
        "backend → database: readable",
    ]
    own = seen["guestbook"]
    assert (own.clear, own.hits, own.esp, own.overhead, own.mtu) == (3, 2, 0, 50, 1450)
    assert (seen["ingress"].clear, seen["ingress"].hits) == (2, 2)
    assert severities(seen) == {"OK501": "ok", "OK502": "ok", "OK503": "ok", "OK505": "ok"}
    assert seen.as_wanted
    assert seen.packet is not None
    assert repr(seen.packet).endswith("TCP > HTTP")
    outer, vxlan, inner = (seen.packet.layers[number].values for number in (1, 3, 5))
    assert (outer["from"], outer["to"]) == ("10.77.0.12 (node2)", "10.77.0.11 (node1)")
    assert vxlan["VXLAN id"] == "4097 (guestbook)"
    assert (inner["from"], inner["to"]) == ("10.20.0.13 (frontend.1)", "10.20.0.11 (backend.1)")


def test_the_mesh_has_an_end_on_each_host() -> None:
    facts, _ = situation({})
    wire = OnWire()
    wire.ingress("node3", REQUEST)
    (packet,) = read_packets(wire.captures()["node3"], 4789, WORD)
    assert facts.swarm
    answer = Answer(wanted_capture(facts, Stack(), WORD), {"captures": wire.captures()})
    inner = named(packet, Sightings.of(facts, answer, [packet]), facts.swarm).layers[5].values
    assert (inner["from"], inner["to"]) == ("10.0.0.2 (routing mesh of node3)", "10.0.0.6 (frontend.1)")


def test_encrypted_means_no_word_no_vxlan_of_it_and_esp_on_every_part() -> None:
    seen = Case(encrypted(), settings=ENCRYPTED).judged()
    own = seen["guestbook"]
    assert (own.verdict, own.clear, own.hits, own.esp) == ("encrypted", 0, 0, 8)
    assert (own.overhead, own.mtu) == (76, 1424)
    assert (seen["ingress"].verdict, seen["ingress"].esp) == ("plaintext", 0)  # the ESP there is the guest book's
    assert [hop.seen for hop in seen.hops if hop.network == "guestbook"] == ["in ESP", "in ESP"]
    assert severities(seen) == {"OK501": "ok", "OK502": "warning", "OK503": "ok", "OK504": "ok", "OK505": "ok"}
    assert seen.as_wanted
    assert repr(seen.packet) == "Ethernet > IP > ESP"
    assert seen.packet is not None
    assert seen.packet.layers[1].values["from"].endswith(")")  # the host's name
    assert seen.packet.layers[2].values["SPI"] == "0x5c3b1d7e (association of node1 and node2 and node3)"


@pytest.mark.parametrize(("wire", "settings"), [(plaintext(), ENCRYPTED), (encrypted(), [])])
def test_contrary_to_the_stack_file_is_wrong(wire: OnWire, settings: list[str]) -> None:
    seen = Case(wire, settings=settings).judged()
    assert severities(seen)["OK501"] == "error"
    assert not seen.as_wanted
    assert "{" not in seen.details()


def test_a_single_packet_in_the_clear_outweighs_all_esp() -> None:
    wire = encrypted()
    wire.say("backend", "database", b"nothing of the word")
    seen = Case(wire, settings=ENCRYPTED).judged()
    assert seen["guestbook"].verdict == "plaintext"
    assert (seen["guestbook"].clear, seen["guestbook"].hits) == (1, 0)
    assert seen.hops[-1].seen == "in the clear"


def test_another_networks_packets_are_its_own() -> None:
    other = {
        "Id": "other", "Name": "other", "Driver": "overlay", "IPAM": {}, "Labels": {},
        "Options": {"com.docker.network.driver.overlay.vxlanid_list": "4100,4101"},
    }  # fmt: skip
    wire = encrypted()
    wire.say("frontend", "backend", b"theirs", vni=4101)
    wire.say("frontend", "backend", b"of nobody we know", vni=5000)

    def with_other(facts: Facts) -> Facts:
        assert facts.swarm
        return replace(facts, swarm=replace(facts.swarm, networks=(*facts.swarm.networks, read_network(other))))

    seen = Case(wire, settings=ENCRYPTED).judged(with_other)
    assert repr(seen) == "guestbook: encrypted\ningress: plaintext\nother: plaintext"
    assert seen["other"].vxlan_ids == (4100, 4101)


def test_the_word_in_a_packet_of_no_known_network_is_still_read() -> None:
    wire = encrypted()
    wire.say("frontend", "backend", REQUEST, vni=5000)
    seen = Case(wire, settings=ENCRYPTED).judged()
    assert (seen["guestbook"].verdict, seen["guestbook"].clear, seen["guestbook"].hits) == ("plaintext", 0, 1)
    assert seen.packet is not None
    assert seen.packet.vxlan_id == 5000


def test_a_capture_that_is_not_permitted_is_never_green() -> None:
    why = "node3: it may not be captured on eth0: Operation not permitted"
    seen = Case(encrypted(), errors={"node3": why}, settings=ENCRYPTED).judged()
    assert seen["guestbook"].verdict == "cannot tell"
    assert why in seen["guestbook"].why
    assert severities(seen)["OK501"] == severities(seen)["OK503"] == "unknown"
    assert not seen.as_wanted
    read_all_the_same = Case(plaintext(), errors={"node3": why}).judged()
    assert read_all_the_same["guestbook"].verdict == "plaintext"
    assert severities(read_all_the_same)["OK503"] == "unknown"


def test_a_host_that_is_off_was_not_listened_to() -> None:
    edit = {"hosts.node3.error": "does not answer"}
    seen = Case(encrypted(), errors={"node3": "node3: does not answer"}, settings=ENCRYPTED, edit=edit).judged()
    assert seen["guestbook"].verdict == "cannot tell"


def test_a_host_whose_node_is_not_ready_was_not_listened_to() -> None:
    facts, stack = situation({})
    assert facts.swarm
    nodes = (replace(node, state="down") if node.host == "node3" else node for node in facts.swarm.nodes)
    facts = replace(facts, swarm=replace(facts.swarm, nodes=tuple(nodes)))
    probe = wanted_capture(facts, stack, WORD)
    assert sorted(probe.interfaces) == ["node1", "node2"]
    captures = {host: capture for host, capture in OnWire().captures().items() if host in probe.interfaces}
    seen = Sightings.of(facts, Answer(probe, {"captures": captures}), [])
    assert seen.blind == {"node3": "node3: its node is down, so nothing was captured there"}


def test_hosts_that_do_not_answer_are_the_reason() -> None:
    facts, stack = situation({"answers": "bare.json", "edit": {"hosts.node1.error": "nothing listens there"}})
    with pytest.raises(PlanRefused) as refused:
        wanted_capture(facts, stack, WORD)
    assert refused.value.reasons == ("node1: nothing listens there", "Nothing was captured.")


def test_a_swarm_over_ipv6_is_not_judged() -> None:
    def over_ipv6(facts: Facts) -> Facts:
        hosts = (replace(h, node_addr="2001:db8::13") if h.name == "node3" else h for h in facts)
        return replace(facts, hosts=tuple(hosts))

    seen = Case(encrypted(), settings=ENCRYPTED).judged(over_ipv6)
    assert seen["guestbook"].verdict == "cannot tell"
    assert "node3: the swarm reaches it at 2001:db8::13, and of IPv6 nothing is captured yet" in seen["guestbook"].why


def test_nothing_captured_at_all_is_never_green() -> None:
    seen = Case(OnWire(), settings=ENCRYPTED).judged()
    assert seen["guestbook"].verdict == seen["ingress"].verdict == "cannot tell"
    assert "neither VXLAN of it nor ESP of the swarm was seen between node1 and node2, node1 and node3" in (
        seen["guestbook"].why
    )
    assert seen.packet is None
    assert seen["guestbook"].mtu is None


def test_esp_between_some_hosts_is_not_enough() -> None:
    wire = OnWire()
    wire.esp("node1", "node2", SPI)
    seen = Case(wire, settings=ENCRYPTED).judged()
    assert seen["guestbook"].verdict == "cannot tell"
    assert seen["guestbook"].why.endswith("between node1 and node3")


def test_the_whole_question_failed() -> None:
    seen = Case(failed="node1: does not answer").judged()
    assert {one.verdict for one in seen.networks} == {"cannot tell"}
    assert severities(seen) == {"OK501": "unknown", "OK502": "unknown", "OK503": "unknown"}


def test_esp_of_somebody_else_is_not_the_overlays() -> None:
    wire = OnWire()
    for here, there in (("node1", "node2"), ("node1", "node3")):
        wire.esp(here, there, spi=0xBAD)
    seen = Case(wire, settings=ENCRYPTED).judged()
    assert seen["guestbook"].verdict == "cannot tell"
    assert severities(seen)["OK504"] == "warning"
    assert "SPI 0x00000bad" in seen.details()


def test_associations_that_may_not_be_looked_at_are_said_so() -> None:
    refused = {host: {"error": f"{host}: `ip xfrm state` ended with status 1"} for host in HOSTS}
    seen = Case(encrypted(), settings=ENCRYPTED, states=refused).judged()
    assert seen["guestbook"].verdict == "encrypted"
    assert severities(seen)["OK504"] == "unknown"
    assert "node1: `ip xfrm state` ended with status 1" in seen.details()


def test_what_a_receivers_kernel_has_decrypted_was_not_on_the_wire() -> None:
    """With esp4_offload a capture sees it as it was before: the sender's capture tells."""
    wire = encrypted()
    wire.say("backend", "database", WORD.encode())
    wire.at["node1"].pop()
    seen = Case(wire, settings=ENCRYPTED).judged()
    assert seen["guestbook"].verdict == "encrypted"
    unsure = Case(wire, settings=ENCRYPTED, errors={"node1": "node1: no"}).judged()
    assert unsure["guestbook"].verdict == "cannot tell"  # the sender's is missing, and what arrived may be decrypted


def test_esp_of_one_network_proves_nothing_of_another() -> None:
    """Where all doors lead to one host, nothing of ingress crosses, and the guest book's ESP is there all the same."""
    wire = encrypted()
    for frames in wire.at.values():
        frames.pop(0) if frames and b"HTTP" in frames[0][1] else None
    for here in HOSTS:
        for there in HOSTS:
            if here != there:
                wire.esp(here, there, SPI, 128)
    seen = Case(wire, settings=ENCRYPTED).judged()
    assert seen["guestbook"].verdict == "encrypted"
    assert seen["ingress"].verdict == "cannot tell"
    assert "was not made encrypted" in seen["ingress"].why


def test_services_of_others_carry_no_word() -> None:
    labels: dict[str, dict[str, str]] = {f"swarm.services.{number}.Spec.Labels": {} for number in range(3)}
    with pytest.raises(PlanRefused, match="not this stack's: service database, frontend, backend"):
        Case(plaintext(), edit=labels).judged()


def moved(facts: Facts, **where: str) -> Facts:
    """The tiers' tasks on other hosts."""
    assert facts.swarm

    def move(task: TaskFacts) -> TaskFacts:
        return replace(task, host=where.get(task.service, task.host))

    return replace(facts, swarm=replace(facts.swarm, tasks=tuple(map(move, facts.swarm.tasks))))


def test_what_stays_in_one_host_crosses_nothing() -> None:
    together = {"frontend": "node1", "backend": "node1", "database": "node1"}
    seen = Case(OnWire()).judged(lambda facts: moved(facts, **together))
    assert seen["guestbook"].verdict == "cannot tell"
    assert "together on node1, so place them apart" in seen["guestbook"].why
    assert [hop.seen for hop in seen.hops[-2:]] == ["inside one host", "inside one host"]
    one_part = Case(encrypted(), settings=ENCRYPTED).judged(lambda facts: moved(facts, database="node1"))
    assert one_part["guestbook"].verdict == "encrypted"
    assert [hop.seen for hop in one_part.hops[-2:]] == ["in ESP", "inside one host"]


def test_answers_that_do_not_say_their_way_are_filled_in_where_only_one_is_possible() -> None:
    silent = {"node1": {"status": 200, "said": "", "path": None, "id": None}}
    seen = Case(encrypted(), settings=ENCRYPTED, sent=silent).judged()
    assert seen["guestbook"].verdict == "encrypted"
    nowhere = {"node1": {"status": 404, "said": "", "path": None, "id": None}}
    assert Case(encrypted(), settings=ENCRYPTED, sent=nowhere).judged()["guestbook"].verdict == "cannot tell"


def test_requests_that_nobody_answered_say_why() -> None:
    sent = {"node1": {"error": "node1: nothing answers"}, "node2": {"status": 502, "said": "no backend", "path": None}}
    seen = Case(encrypted(), settings=ENCRYPTED, sent=sent).judged()
    assert (
        seen["guestbook"].why == "no request went all the way: node1: nothing answers; node2: status 502, “no backend”"
    )


def test_a_network_whose_id_nobody_knows_is_not_taken_for_encrypted() -> None:
    def without_id(facts: Facts) -> Facts:
        assert facts.swarm
        networks = tuple(replace(one, vxlan_ids=()) for one in facts.swarm.networks)
        return replace(facts, swarm=replace(facts.swarm, networks=networks))

    seen = Case(encrypted(), settings=ENCRYPTED).judged(without_id)
    assert seen["guestbook"].verdict == "plaintext"  # the word was read, and nobody can say on which network
    quiet = encrypted()
    quiet.at = {host: [one for one in frames if WORD.encode() not in one[1]] for host, frames in quiet.at.items()}
    assert Case(quiet, settings=ENCRYPTED).judged(without_id)["guestbook"].verdict == "cannot tell"


def test_entries_that_are_still_there_are_told_of() -> None:
    seen = Case(plaintext(), left={"written": 3, "error": "node1: the connection ended"}).judged()
    assert severities(seen)["OK505"] == "warning"
    assert "3 entries: node1: the connection ended" in seen.details()


def test_a_narrow_wire_leaves_less() -> None:
    assert Case(plaintext(), settings=["network.mtu=1400"]).judged()["guestbook"].mtu == 1350


def test_what_is_asked() -> None:
    facts, stack = situation({})
    probe = wanted_capture(facts, stack, WORD)
    assert probe.interfaces == {"node1": "eth0", "node2": "eth0", "node3": "eth0"}
    assert probe.addresses == HOSTS
    assert all("overlaykit/backend:" not in image for image in probe.images.values())  # by id: it is there
    assert probe.strike is not None
    assert (probe.strike.host, probe.strike.task) == ("node1", "backend.1")
    own = stack.set("backend.image", "team/api:3")
    assert wanted_capture(facts, own, WORD).strike is None  # what could not be struck out is not written
    with pytest.raises(PlanRefused, match="no frontend runs"):
        wanted_capture(situation({"answers": "network.json"})[0], Stack(), WORD)


@pytest.mark.parametrize("case", [Case(plaintext()), Case(encrypted(), settings=ENCRYPTED), Case(OnWire())])
def test_what_changes_from_run_to_run_is_in_no_title_and_no_repr(case: Case) -> None:
    seen = case.judged()
    for text in [repr(seen), *map(repr, seen.hops), *(finding.title for finding in seen.findings)]:
        assert not any(character.isdigit() for character in text), text
    for finding in seen.findings:
        whole = " ".join([finding.title, *finding.evidence, *finding.fix, *finding.reproduce])
        assert "{" not in whole
        assert finding.fix or finding.severity in ("ok", "unknown")
    assert seen.as_json()["networks"][0]["name"] == "guestbook"


def test_the_cost_of_esp_is_that_of_its_smallest_acknowledgement() -> None:
    wire = encrypted()
    wire.esp("node1", "node2", SPI, 116)  # a reset, which carries no time stamps
    assert Case(wire, settings=ENCRYPTED).judged()["guestbook"].overhead == 76
    long = OnWire(made_encrypted=True)
    for there in ("node2", "node3"):
        long.esp("node1", there, SPI, 420)
    seen = Case(long, settings=ENCRYPTED).judged()["guestbook"]
    assert (seen.verdict, seen.overhead, seen.mtu) == ("encrypted", None, None)  # nothing there to measure it by


def test_other_peoples_hosts_are_not_listened_to_unasked() -> None:
    facts, stack = situation({})
    hosts: Any = SimpleNamespace(allow_changes=False, inventory=SimpleNamespace(source="hosts.ini"), look=lambda: facts)
    with pytest.raises(PlanRefused, match=r"hosts.ini are not the lab's: nothing was captured"):
        WirePhase(hosts, stack).listen()
    (finding,) = WirePhase(hosts, stack).prove()
    assert (finding.code, finding.severity) == ("OK501", "unknown")
    assert len(WirePhase(hosts, stack).plan()) == 0
    with pytest.raises(InputError):
        WirePhase(hosts, stack, "two words")
