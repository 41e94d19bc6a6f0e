"""The overlay alone: every host looks for every other by name, by TCP and by a full-size packet.

pair_findings(facts, stack, answers)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

from overlaykit.phases.proofs.check import Check
from overlaykit.phases.proofs.encryption import encryption_findings
from overlaykit.words.facts import Facts
from overlaykit.words.findings import Finding
from overlaykit.words.probes import Answer, TryPairs
from overlaykit.words.stack import Stack

NAMES = Check(
    "OK203",
    "network",
    "every host finds every other by name on {network}",
    "some host does not find another by name on {network}",
    "it could not be seen whether every host finds every other on {network}",
    (
        "open TCP and UDP 7946 between all hosts (and TCP 2377 to the managers)",
        "if they are open, an engine has kept the memory of an earlier swarm: restart Docker on each host in turn, "
        "the manager last (sudo systemctl restart docker; on the lab: overlaykit lab power NODE off, then on)",
    ),
)
STREAMS = Check(
    "OK204",
    "network",
    "TCP passes between every pair of hosts on {network}",
    "TCP does not pass between some pair of hosts on {network}",
    "it could not be seen whether TCP passes between every pair of hosts on {network}",
    ("open {data_path} between the hosts named here, in both directions",),
)
FULL_SIZE = Check(
    "OK207",
    "network",
    "full-size packets pass between every pair of hosts on {network}",
    "full-size packets do not pass between some pair of hosts on {network}",
    "it could not be seen whether full-size packets pass between every pair of hosts on {network}",
    (
        "the wire between the hosts carries less than {network} promises: set network.mtu to what it carries "
        "(ping -M do -s SIZE finds it), and run overlaykit up --recreate",
    ),
)

Json = Mapping[str, Any]
Pair = tuple[str, str]


def pair_findings(facts: Facts, stack: Stack, answers: Sequence[Answer]) -> Iterator[Finding]:
    """Names, TCP, packets, and with encryption the kernels' own counts."""
    for answer in answers:
        if isinstance(answer.probe, TryPairs):
            yield from _judge(facts, stack, answer, answer.probe)


def not_tried(facts: Facts, stack: Stack, why: str) -> Iterator[Finding]:
    """Nobody could look, so nothing of it is proven."""
    yield from (check.unknown([why], **_words(facts, stack)) for check in (NAMES, STREAMS, FULL_SIZE))


def _judge(facts: Facts, stack: Stack, answer: Answer, probe: TryPairs) -> Iterator[Finding]:
    words = _words(facts, stack)
    silent = {**answer.seen.get("silent", {})}
    hosts = [host for host in probe.images if host not in silent]
    heard = {pair: _heard(answer, pair) for pair in permutations(hosts, 2)}
    if answer.error or silent or len(hosts) < 2:
        why = [answer.error] if answer.error else list(silent.values()) or ["there is one host alone"]
        yield from (check.unknown(why, silent, **words) for check in (NAMES, STREAMS, FULL_SIZE))
        if answer.error or len(hosts) < 2:
            return
    found = {pair: bool(seen.get("addresses")) for pair, seen in heard.items()}
    passed = {pair: bool(seen.get("tcp")) for pair, seen in heard.items() if found[pair]}
    carried = {p: bool(seen.get("packet") and seen.get("stream")) for p, seen in heard.items() if passed.get(p)}
    for check, verdicts in ((NAMES, found), (STREAMS, passed), (FULL_SIZE, carried)):
        yield from _verdict(check, verdicts, heard, words, complete=not silent)
    if probe.encrypted:
        yield from encryption_findings(answer.seen["packets"], hosts, [p for p in passed if passed[p]], _port(facts))


def _verdict(
    check: Check, verdicts: Mapping[Pair, bool], heard: Mapping[Pair, Json], words: Mapping[str, str], *, complete: bool
) -> Iterator[Finding]:
    """Wrong for the pairs that failed here; ok only when all pairs came so far."""
    failed = [pair for pair, passed in verdicts.items() if not passed]
    if failed:
        evidence = [f"{one} → {other}: {heard[one, other].get('error') or 'no answer'}" for one, other in failed]
        yield check.wrong(evidence, [host for pair in failed for host in pair], **words)
    elif complete and len(verdicts) == len(heard):
        yield check.ok([f"{one} → {other}{_size(heard[one, other])}" for one, other in verdicts], **words)


def _heard(answer: Answer, pair: Pair) -> Json:
    of_host: Json = answer.seen.get("pairs", {}).get(pair[0], {})
    if error := of_host.get("error"):
        return {"error": error}
    seen: Json = of_host.get(pair[1], {})
    return seen


def _size(seen: Json) -> str:
    return f" ({seen['mtu']} bytes)" if seen.get("mtu") else ""


def _port(facts: Facts) -> int:
    return facts.swarm.data_path_port if facts.swarm else 4789


def _words(facts: Facts, stack: Stack) -> dict[str, str]:
    network = facts.swarm.network(stack.network.name) if facts.swarm else None
    encrypted = bool(network and network.encrypted)
    return {
        "network": stack.network.name,
        "data_path": f"UDP {_port(facts)}" + (" and IP protocol 50 (ESP)" if encrypted else ""),
    }
