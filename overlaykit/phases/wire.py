"""What is on the wire: where to capture, and what the captures say of each network.

    probe = wanted_capture(facts, stack, "open-sesame")
    judge(facts, stack, answer, packets)

A packet is counted once, where it left: only what a host sends is sure to look as it does on the wire. (A kernel that
decrypts early, as with esp4_offload, hands its own captures what has arrived in ESP as if it had come in the clear.)
Where the sender's capture is missing, it is counted where it arrived.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from overlaykit.phases.discovery import probe_image, strangers
from overlaykit.phases.mesh import doors, publishes_itself
from overlaykit.phases.network import ASSUMED_WIRE
from overlaykit.phases.proofs.on_the_wire import wire_findings
from overlaykit.phases.proofs.way import served_on
from overlaykit.phases.sightings import Sightings
from overlaykit.phases.who import named
from overlaykit.words.errors import PlanRefused
from overlaykit.words.facts import Facts, NetworkFacts, SwarmFacts
from overlaykit.words.probes import Answer, TryPasswords, WatchWire
from overlaykit.words.stack import KIT_IMAGE, REQUEST_WAY, Stack
from overlaykit.words.wire import Hop, NetworkOnWire, Packet, Verdict, Wire

Json = Mapping[str, Any]

#: An acknowledgement without data: IP, TCP and its time stamps. It is the smallest packet of a request's way.
_BARE_ACKNOWLEDGEMENT = 52
#: VXLAN's 50, ESP's 8, its counter's 8, its two last fields' 2, a seal of 8 to 16, and what fills up to a multiple
#: of 4. What would come to less or more is another packet than an acknowledgement.
_ESP_ADDS = range(76, 88)


def wanted_capture(facts: Facts, stack: Stack, word: str) -> WatchWire:
    """What is asked. Raises PlanRefused where there is nothing that a word could go through."""
    swarm = facts.swarm
    if swarm is not None and (theirs := strangers(swarm, stack)):
        raise PlanRefused(
            f"not this stack's: service {', '.join(theirs)}, so no word goes through it: nothing was captured."
        )
    silent = [f"{host.name}: {host.error}" for host in facts if host.error]
    if swarm is None and silent:
        raise PlanRefused([*silent, "Nothing was captured."])
    if swarm is None or not swarm.running("frontend"):
        raise PlanRefused(
            "no frontend runs, so no word can go through the stack: run `overlaykit up` first. Nothing was captured."
        )
    ready = {node.host for node in swarm.nodes if node.state == "ready"}
    hosts = [host for host in facts.reachable if host.name in ready]
    return WatchWire(
        swarm.host,
        word=word,
        interfaces={host.name: host.underlay for host in hosts},
        images={host.name: probe_image(host) for host in hosts},
        labels=stack.labels,
        data_port=swarm.data_path_port,
        port=stack.frontend.published_port,
        addresses={name: facts[name].node_addr for name in doors(swarm, [host.name for host in hosts])},
        strike=_strike(swarm, stack),
    )


def _strike(swarm: SwarmFacts, stack: Stack) -> TryPasswords | None:
    """How what is written is struck out again. An image that is not the kit's cannot: then nothing is written."""
    tasks = [task for task in swarm.running("backend") if task.host]
    if stack.backend.image != KIT_IMAGE or not (tasks and swarm.running("database")):
        return None
    return TryPasswords(tasks[0].host, tasks[0].name, tasks[0].container)


def judge(facts: Facts, stack: Stack, answer: Answer, packets: Sequence[Packet]) -> Wire:
    """The verdict on each network. `packets` are those of all captures in the answer."""
    assert isinstance(answer.probe, WatchWire) and facts.swarm is not None
    seen = Sightings.of(facts, answer, packets)
    own, ingress = facts.swarm.network(stack.network.name), _ingress(facts.swarm)
    door = ingress.name if ingress else "ingress"
    hops = tuple(seen.on(hop) for hop in _hops(facts, stack, answer, door))
    wanted = [(stack.network.name, own), (door, ingress)]
    wanted += [(one.name, one) for one in facts.swarm.networks if one not in (own, ingress) and seen.clear(one)]
    wire = stack.network.mtu or min((h.underlay_mtu for h in facts if h.underlay_mtu), default=ASSUMED_WIRE)
    networks = tuple(
        _Heard(
            name,
            network,
            tuple(hop for hop in hops if hop.network == name),
            seen,
            tuple(seen.strays) if name == stack.network.name else (),
            network is ingress and publishes_itself(facts.swarm.service("frontend")),
        ).judged(wire)
        for name, network in wanted
    )
    found = wire_findings(facts, stack, answer, networks, seen)
    shown = _to_look_at(seen, own, hops)
    return Wire(
        answer.probe.word, networks, hops, found, tuple(seen.packets), tuple(seen.captures.values()),
        named(shown, seen, facts.swarm) if shown else None,
    )  # fmt: skip


def _ingress(swarm: SwarmFacts) -> NetworkFacts | None:
    return next((network for network in swarm.networks if network.ingress), None)


def _hops(facts: Facts, stack: Stack, answer: Answer, ingress: str) -> Iterator[Hop]:
    """The parts of the ways that the requests went, each once, in the order in which a request goes them."""
    ways = [(door, _places(facts, sent)) for door, sent in answer.seen.get("sent", {}).items()]
    doors = {("door", "frontend", door, places["frontend"], ingress): None for door, places in ways}
    inside = {
        (source, target, places[source], places[target], stack.network.name): None
        for source, target in pairwise(REQUEST_WAY)
        for _, places in ways
    }
    yield from (Hop(*hop) for hop in [*doors, *inside] if hop[2] and hop[3])


def _places(facts: Facts, sent: Json) -> dict[str, str]:
    """The host of each tier that served the request. Where the answer does not say: that of its only task."""
    path = sent.get("path")
    if isinstance(path, Mapping):
        return {tier: served_on(facts, tier, path.get(tier)) for tier in REQUEST_WAY}
    swarm = facts.swarm if sent.get("status", 500) < 400 else None
    return {tier: _only([task.host for task in swarm.running(tier)] if swarm else []) for tier in REQUEST_WAY}


def _only(hosts: list[str]) -> str:
    return hosts[0] if len(hosts) == 1 else ""


@dataclass(frozen=True)
class _Heard:
    """What was seen of one network. The word is nobody else's, so the stack's own network also has its `strays`."""

    name: str
    network: NetworkFacts | None
    hops: tuple[Hop, ...]
    seen: Sightings
    strays: tuple[Packet, ...] = ()
    unused: bool = False  # the ingress network, where no port is published through it

    @property
    def clear(self) -> list[Packet]:
        return self.seen.clear(self.network) if self.network else []

    @property
    def hits(self) -> list[Packet]:
        return [*(packet for packet in self.clear if packet.readable), *self.strays]

    @property
    def crossing(self) -> list[Hop]:
        return [hop for hop in self.hops if hop.crosses]

    @property
    def esp(self) -> list[Packet]:
        return [packet for pair in dict.fromkeys(map(_pair, self.crossing)) for packet in self.seen.esp(*pair)]

    def judged(self, wire: int) -> NetworkOnWire:
        """With its cost, on a wire that carries packets of that size."""
        verdict, why = self.verdict()
        ids = self.network.vxlan_ids if self.network else ()
        esp, counts = self.esp, (len(self.clear), len(self.hits))
        overhead = _overhead(self.clear, esp if verdict == "encrypted" else [])
        mtu = None if overhead is None else wire - overhead
        if mtu and verdict == "encrypted":
            mtu = mtu // 4 * 4  # ESP fills up to a multiple of 4
        made_so = verdict == "encrypted" or bool(self.network and self.network.encrypted)
        shown = len(esp) if made_so else 0  # else it is another network's, between the same hosts
        return NetworkOnWire(self.name, verdict, why, ids, *counts, shown, overhead, mtu)

    def verdict(self) -> tuple[Verdict, str]:
        """Nothing is encrypted that was not looked at from every side."""
        if (self.clear or self.hits) and self._may_be_decrypted():
            return "cannot tell", "it was in the clear only where it arrived, and a kernel may have decrypted it there"
        if self.clear or self.hits:
            read = f"the word could be read in {len(self.hits)}"
            return "plaintext", f"{len(self.clear)} packets of it were in the clear, and {read}"
        if doubt := self.doubt():
            return "cannot tell", doubt
        return "encrypted", "ESP passed between the hosts, none of it was in the clear, and nowhere was the word"

    def _may_be_decrypted(self) -> bool:
        """A receiver's capture may stand behind its kernel's decryption (esp4_offload); a sender's does not."""
        if self.network is None or not self.network.encrypted:
            return False
        return all(self.seen.hosts.get(packet.source) != packet.host for packet in (*self.clear, *self.hits))

    def doubt(self) -> str:
        """Why that nothing was read does not mean that nothing could be; empty where it does."""
        if self.network is None or not self.network.vxlan_ids:
            return f"the swarm's manager does not say by which VXLAN id {self.name} is known"
        if self.unused:
            return "no guest goes over it: each host publishes the port by a frontend of its own"
        if not self.hops:
            return self.seen.unanswered or "the answers do not say which tasks served them"
        if not self.crossing:
            hosts = ", ".join(sorted({hop.from_host for hop in self.hops}))
            return f"nothing of it left a host: its ends were together on {hosts}, so place them apart"
        if self.seen.blind:
            return "not everything was captured: " + "; ".join(self.seen.blind.values())
        return self._unproven(self.network)

    def _unproven(self, network: NetworkFacts) -> str:
        """Why what was seen does not show that it was encrypted; empty where it does."""
        silent = dict.fromkeys(" and ".join(_pair(hop)) for hop in self.crossing if not self.seen.esp(*_pair(hop)))
        if silent:
            return f"neither VXLAN of it nor ESP of the swarm was seen between {', '.join(silent)}"
        if not network.encrypted:
            return f"none of it was seen, and {self.name} was not made encrypted: the ESP there is another network's"
        return ""


def _pair(hop: Hop) -> tuple[str, str]:
    return (hop.from_host, hop.to_host) if hop.from_host < hop.to_host else (hop.to_host, hop.from_host)


def _overhead(clear: Sequence[Packet], esp: Sequence[Packet]) -> int | None:
    """Bytes between a container's packet and the one that crosses. What ESP holds cannot be seen: then its smallest."""
    grown = [packet.length - packet.inner_length for packet in clear if packet.inner_length]
    if grown:
        return max(set(grown), key=grown.count)
    added = {packet.length - _BARE_ACKNOWLEDGEMENT for packet in esp}
    return min(added.intersection(_ESP_ADDS), default=None)


def _to_look_at(seen: Sightings, own: NetworkFacts | None, hops: tuple[Hop, ...]) -> Packet | None:
    """The word in a packet, best in a request as it was sent; where it was not readable, a packet in ESP."""
    hits = [packet for packet in (seen.clear(own) if own else []) if packet.readable] + seen.strays
    requests = [packet for packet in hits if packet.layers[-1].values.get("first line", "HTTP/").find("HTTP/") > 0]
    esp = [packet for hop in hops if hop.crosses and hop.seen == "in ESP" for packet in seen.esp(*_pair(hop))]
    esp.sort(key=lambda packet: -packet.size)  # the one with most in it
    return next(iter([*requests, *hits, *esp]), None)
