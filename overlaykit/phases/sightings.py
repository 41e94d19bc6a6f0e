"""What was seen on the wire, put in order: whose packet is whose, each once, and which ESP is the swarm's.

seen = Sightings.of(facts, answer, packets)
seen.clear(network)          # its packets that anybody could read
seen.esp("node1", "node2")   # what passed between them in ESP
seen.on(hop)                 # the hop, and how the word was seen on it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from overlaykit.words.facts import Facts, NetworkFacts
from overlaykit.words.probes import Answer
from overlaykit.words.wire import Capture, Hop, Packet, Sight

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Sightings:
    """One answer to WatchWire, and the packets in it."""

    captures: Mapping[str, Capture]
    packets: tuple[Packet, ...]
    hosts: Mapping[str, str]  # address on the wire → host
    networks: tuple[NetworkFacts, ...]
    associations: Mapping[str, frozenset[int]]  # host → the SPIs of its kernel, where one could look
    unseen: Mapping[str, str] = field(default_factory=dict)  # host → why its associations could not be looked at
    blind: Mapping[str, str] = field(default_factory=dict)  # host → why not all was captured there
    unanswered: str = ""  # why no request told its way

    @classmethod
    def of(cls, facts: Facts, answer: Answer, packets: Sequence[Packet]) -> Sightings:
        """All that the answer holds."""
        captures: Mapping[str, Capture] = answer.seen.get("captures", {})
        states: Mapping[str, Json] = answer.seen.get("associations", {})
        hosts = _hosts(facts, captures, states)
        return cls(
            captures,
            _once(packets, hosts, captures),
            hosts,
            facts.swarm.networks if facts.swarm else (),
            {
                host: frozenset(one["spi"] for one in told["states"])
                for host, told in states.items()
                if "states" in told
            },
            {host: str(told["error"]) for host, told in states.items() if "error" in told},
            _blind(facts, captures, answer.error),
            _unanswered(answer),
        )

    def clear(self, network: NetworkFacts) -> list[Packet]:
        """The packets of a network that anybody on the wire can read."""
        return [packet for packet in self.packets if packet.vxlan_id in network.vxlan_ids]

    @property
    def strays(self) -> list[Packet]:
        """Packets with the word in them that belong to no network that is known."""
        known = {one for network in self.networks for one in network.vxlan_ids}
        return [packet for packet in self.packets if packet.readable and packet.vxlan_id not in known]

    def esp(self, one: str, other: str) -> list[Packet]:
        """What passed between two hosts in ESP, but for what is no association's of theirs."""
        return [packet for packet in self.all_esp if self.ends(packet) == {one, other} and self.is_ours(packet)]

    @property
    def all_esp(self) -> list[Packet]:
        """Whatever was in ESP."""
        return [packet for packet in self.packets if packet.spi is not None]

    def ends(self, packet: Packet) -> set[str]:
        """The hosts that a packet went between."""
        return {self.hosts.get(packet.source, ""), self.hosts.get(packet.target, "")}

    def is_ours(self, packet: Packet) -> bool:
        """Does an association of either end have the packet's SPI? Where nobody may look, it is taken for ours."""
        looked = [self.associations[host] for host in self.ends(packet) if host in self.associations]
        return not looked or any(packet.spi in known for known in looked)

    def on(self, hop: Hop) -> Hop:
        """The hop, and how the word was seen on it."""
        return replace(hop, seen=self._sight(hop))

    def _sight(self, hop: Hop) -> Sight:
        if not hop.crosses:
            return "inside one host"
        between = [packet for packet in self.packets if self.ends(packet) == {hop.from_host, hop.to_host}]
        ids = {one for network in self.networks if network.name == hop.network for one in network.vxlan_ids}
        clear = [packet for packet in between if packet.vxlan_id in ids]
        if any(packet.readable for packet in clear):
            return "readable"
        if clear:
            return "in the clear"
        made_so = any(network.encrypted for network in self.networks if network.name == hop.network)
        return "in ESP" if made_so and self.esp(hop.from_host, hop.to_host) else "not seen"


def _hosts(facts: Facts, captures: Mapping[str, Capture], states: Mapping[str, Json]) -> dict[str, str]:
    """Each address on the wire, and whose it is."""
    found = {address: host for host, told in states.items() for address in told.get("addresses", ())}
    found |= {capture.address: host for host, capture in captures.items()}
    found |= {host.node_addr: host.name for host in facts}
    return {address: host for address, host in found.items() if address and not address.startswith("127.")}


def _once(packets: Sequence[Packet], hosts: Mapping[str, str], captures: Mapping[str, Capture]) -> tuple[Packet, ...]:
    whole = {host for host, capture in captures.items() if not capture.error}

    def counts(packet: Packet) -> bool:
        sender = hosts.get(packet.source, "")
        return sender == packet.host if sender in whole else True

    kept = sorted((packet for packet in packets if counts(packet)), key=lambda packet: packet.time)
    return tuple(kept)


def _blind(facts: Facts, captures: Mapping[str, Capture], error: str) -> dict[str, str]:
    """Hosts of the swarm on which not all was captured."""
    found = {
        name: f"{name}: its node is {node.state}, so nothing was captured there"
        for name, node in facts.members.items()
        if node.state != "ready" and name not in captures
    }
    found |= {
        host.name: f"{host.name}: the swarm reaches it at {host.node_addr}, and of IPv6 nothing is captured yet"
        for host in facts
        if ":" in host.node_addr
    }
    found |= {host.name: f"{host.name}: {host.error}" for host in facts if host.error and host.name in facts.members}
    found |= {host: capture.error for host, capture in captures.items() if capture.error}
    return {**found, **({"": error} if error else {})}


def _unanswered(answer: Answer) -> str:
    sent: Mapping[str, Json] = answer.seen.get("sent", {})
    silent = [_silence(host, one) for host, one in sent.items() if one.get("error") or one["status"] >= 500]
    if not sent:
        return answer.error or "nothing was sent, since nothing could be captured"
    return "no request went all the way: " + "; ".join(silent) if len(silent) == len(sent) else ""


def _silence(host: str, sent: Json) -> str:
    return str(sent.get("error") or f"{host}: status {sent['status']}, “{sent.get('said', '')}”")
