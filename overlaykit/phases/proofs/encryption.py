"""Encrypted or not: the kernels' security associations between the hosts, and what they have counted.

counts = {"node1": {"addresses": […], "states": [{"src": …, "dst": …, "packets": 12}]}}
encryption_findings(counts, members, talking, data_port=4789)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import permutations
from typing import Any

from overlaykit.phases.proofs.check import Check
from overlaykit.words.findings import Finding

ASSOCIATED = Check(
    "OK205",
    "network",
    "the kernels of every pair of hosts share keys for the encrypted network",
    "the kernels of some pair of hosts share no keys for the encrypted network",
    "it could not be seen whether the kernels share keys for the encrypted network",
    (
        "does the kernel have ESP (modprobe esp4), and do the engines' logs say `Failed Adding`? "
        "See journalctl -u docker",
        "keys travel by gossip: open TCP and UDP 7946 between the hosts",
    ),
)
COUNTED = Check(
    "OK206",
    "network",
    "what the tiers say to each other across hosts is encrypted and counted",
    "packets cross between hosts without being counted as encrypted",
    "it could not be seen whether packets between the hosts are encrypted",
    ("open IP protocol 50 (ESP) between the hosts", "capture on the wire: UDP {data_port} must not be seen"),
)

Counts = Mapping[str, Mapping[str, Any]]
_LOOK = "sudo ip -s xfrm state list nokeys"


def encryption_findings(
    counts: Counts, members: Collection[str], talking: Collection[tuple[str, str]], data_port: int
) -> Iterator[Finding]:
    """`members` are the hosts on the network, `talking` the ordered pairs between which traffic was seen."""
    blind = {host: counts.get(host, {}).get("error", "not asked") for host in members}
    blind = {host: str(why) for host, why in blind.items() if "states" not in counts.get(host, {})}
    if blind:
        yield ASSOCIATED.unknown(blind.values(), blind)
        yield COUNTED.unknown(blind.values(), blind)
        return
    sent = {pair: _between(counts, *pair) for pair in permutations(sorted(members), 2)}
    yield _associated(sent)
    if wanted := [pair for pair in sent if pair in talking]:
        yield _counted({pair: sent[pair] for pair in wanted}, data_port)


def _between(counts: Counts, one: str, other: str) -> int | None:
    """Packets from one host to the other, as the first one's kernel counted them; None: no association."""
    here, there = counts[one]["addresses"], counts[other]["addresses"]
    states = [state for state in counts[one]["states"] if state["src"] in here and state["dst"] in there]
    return sum(state["packets"] for state in states) if states else None


def _associated(sent: Mapping[tuple[str, str], int | None]) -> Finding:
    without = [pair for pair, packets in sent.items() if packets is None]
    hosts = [host for pair in without for host in pair]
    words = {"reproduce": f"{hosts[0] if hosts else next(iter(sent), ('HOST',))[0]}$ {_LOOK}"}
    if without:
        return ASSOCIATED.wrong([f"none from {one} to {other}" for one, other in without], hosts, **words)
    return ASSOCIATED.ok([f"{one} → {other}" for one, other in sent], **words)


def _counted(sent: Mapping[tuple[str, str], int | None], data_port: int) -> Finding:
    words = {"data_port": str(data_port), "reproduce": f"{next(iter(sent))[0]}$ {_LOOK}"}
    none = [pair for pair, packets in sent.items() if not packets]
    evidence = [f"{one} → {other}: {packets or 0} packets" for (one, other), packets in sent.items()]
    hosts = [host for pair in none for host in pair]
    return COUNTED.wrong(evidence, hosts, **words) if none else COUNTED.ok(evidence, **words)
