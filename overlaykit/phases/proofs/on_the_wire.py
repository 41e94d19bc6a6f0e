"""What the wire says, as findings: the stack's network against the stack file, the ingress network on its own.

wire_findings(facts, stack, answer, networks, sightings)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from overlaykit.phases.proofs.check import Check
from overlaykit.phases.sightings import Sightings
from overlaykit.words.facts import Facts
from overlaykit.words.findings import Finding, Findings
from overlaykit.words.probes import Answer, WatchWire
from overlaykit.words.stack import Stack
from overlaykit.words.wire import NetworkOnWire

AS_WANTED = Check(
    "OK501",
    "network",
    "{network} crosses between the hosts {seen}, as the stack says",
    "{network} crosses between the hosts {seen}, and the stack says {wanted}",
    "it could not be told whether {network} crosses between the hosts encrypted or in plaintext",
    (
        "look at the network itself: overlaykit plan network tells whether it was made as the stack says",
        "where it was, the kernels do not encrypt: overlaykit check tells of their keys (OK205), and the engines' logs "
        "of what they could not set up",
    ),
)
INGRESS = Check(
    "OK502",
    "network",
    "the ingress network crosses between the hosts {seen}",
    "the ingress network crosses between the hosts in plaintext, though {network} is to be encrypted",
    "it could not be told how the ingress network crosses between the hosts",
    (
        "what guests send to a host without a frontend goes on in plaintext: publish with TLS in the frontend, or make "
        "the ingress network anew with --opt encrypted",
    ),
    severity="warning",  # the stack file speaks of its own network
)
CAPTURED = Check(
    "OK503",
    "underlay",
    "the wire was captured on every host",
    "the wire was not captured on every host",
    "the wire was not captured on every host, or not all of it",
    (
        "docker run --rm --network host --cap-drop ALL --cap-add NET_RAW must be allowed on the host",
        "where the kit's image is not there: overlaykit lab build on this machine, once, then overlaykit up",
    ),
)
ASSOCIATED = Check(
    "OK504",
    "network",
    "all ESP on the wire is of these hosts' own security associations",
    "some ESP on the wire is of no security association of these hosts",
    "it could not be seen whether the ESP on the wire is of these hosts' own security associations",
    ("an IPsec of somebody else's is on the same wire: it was not taken for the overlay's",),
    severity="warning",
)
STRUCK_OUT = Check(
    "OK505",
    "discovery",
    "what was written into the guest book was struck out again",
    "what was written into the guest book is still there",
    "it could not be seen whether what was written into the guest book was struck out again",
    ("its entries are signed `overlaykit wire`",),
    severity="warning",
)

#: What is said where nobody has allowed the capture.
NOT_LISTENED = Finding(
    "OK501",
    "unknown",
    "nobody has listened on the wire between the hosts",
    layer="network",
    evidence=("a capture starts a short-lived container on each host and writes an entry, and nobody has allowed it",),
    fix=("overlaykit wire", "in Python: connect(…, allow_changes=True)"),
)

_AS = {"plaintext": "in plaintext", "encrypted": "encrypted"}


def wire_findings(
    facts: Facts, stack: Stack, answer: Answer, networks: Sequence[NetworkOnWire], seen: Sightings
) -> Findings:
    """Each question once."""
    return Findings.of(
        [
            _captured(seen, [host.name for host in facts], facts.swarm.data_path_port if facts.swarm else 4789),
            _as_wanted(stack, networks[0]),
            _ingress(stack, networks[1]),
            *_associated(seen),
            *_struck_out(answer),
        ]
    )


def _captured(seen: Sightings, hosts: Sequence[str], data_port: int) -> Finding:
    words = {"reproduce": f"sudo tcpdump -ni {_interface(seen)} 'udp port {data_port} or ip proto 50'"}
    if seen.blind:
        return CAPTURED.unknown(seen.blind.values(), [host for host in seen.blind if host in hosts], **words)
    where = [f"{one.host}: {one.interface} ({one.address})" for one in seen.captures.values()]
    return CAPTURED.ok(where, seen.captures, **words)


def _interface(seen: Sightings) -> str:
    return next((one.interface for one in seen.captures.values() if one.interface), "INTERFACE")


def _as_wanted(stack: Stack, network: NetworkOnWire) -> Finding:
    wanted = "encrypted" if stack.network.encrypted else "plaintext"
    if network.verdict == "cannot tell":
        return AS_WANTED.unknown([network.why], network=network.name)
    words = {"network": network.name, "seen": _AS[network.verdict], "wanted": _AS[wanted]}
    return (AS_WANTED.ok if network.verdict == wanted else AS_WANTED.wrong)([network.why], **words)


def _ingress(stack: Stack, network: NetworkOnWire) -> Finding:
    if network.verdict == "cannot tell":
        return INGRESS.unknown([network.why])
    words = {"network": stack.network.name, "seen": _AS[network.verdict]}
    contrary = stack.network.encrypted and network.verdict == "plaintext"
    return (INGRESS.wrong if contrary else INGRESS.ok)([network.why], **words)


def _associated(seen: Sightings) -> Iterator[Finding]:
    """Asked only where there was any ESP."""
    pairs: dict[tuple[str, str, int], int] = {}
    for packet in seen.all_esp:
        way = (seen.hosts.get(packet.source, packet.source), seen.hosts.get(packet.target, packet.target))
        pairs[(*way, packet.spi or 0)] = pairs.get((*way, packet.spi or 0), 0) + 1
    if not pairs:
        return
    foreign = {packet.spi for packet in seen.all_esp if not seen.is_ours(packet)}
    words = {"reproduce": "sudo ip xfrm state list nokeys"}
    told = [
        f"{one} → {other}: SPI 0x{spi:08x}, {count} packets" + (": of no association" if spi in foreign else "")
        for (one, other, spi), count in pairs.items()
    ]
    if foreign:
        yield ASSOCIATED.wrong(told, **words)
    elif not seen.associations:
        yield ASSOCIATED.unknown([*seen.unseen.values(), *told], seen.unseen, **words)
    else:
        yield ASSOCIATED.ok(told, **words)


def _struck_out(answer: Answer) -> Iterator[Finding]:
    left: Mapping[str, object] = answer.seen.get("left", {})
    sent: Mapping[str, Mapping[str, object]] = answer.seen.get("sent", {})
    lost = [f"through {door}: {told['error']}" for door, told in sent.items() if told.get("error")]
    if lost and isinstance(answer.probe, WatchWire) and answer.probe.strike and not left.get("error"):
        yield STRUCK_OUT.unknown([*lost, "what was written without an answer has no number to strike it out by"])
    elif left.get("written"):
        evidence = [f"{left['written']} entries" + (f": {left['error']}" if left["error"] else "")]
        yield (STRUCK_OUT.wrong if left["error"] else STRUCK_OUT.ok)(evidence)
