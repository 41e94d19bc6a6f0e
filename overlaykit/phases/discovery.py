"""Phase 3, discovery: which questions prove that the tiers find each other, and what the answers mean.

    probes = wanted_probes(facts, stack)
    findings(facts, stack, run_probes(fleet, probes))

It plans nothing. Each thing that is proven has its file in `proofs/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from overlaykit.phases.mesh import doors
from overlaykit.phases.proofs.check import Check
from overlaykit.phases.proofs.encryption import encryption_findings
from overlaykit.phases.proofs.names import NEEDS, matrix, name_findings, names_needed
from overlaykit.phases.proofs.pairs import not_tried, pair_findings
from overlaykit.phases.proofs.walls import password_findings, wall_findings
from overlaykit.phases.proofs.way import persistence_findings, way_findings
from overlaykit.words.facts import Facts, HostFacts, SwarmFacts
from overlaykit.words.findings import Finding, Findings, Layer
from overlaykit.words.host import lab_power
from overlaykit.words.probes import (
    Answer,
    AskNames,
    CountPackets,
    Door,
    EndDatabase,
    KnockAtDoors,
    Probe,
    TryPairs,
    TryPasswords,
    WriteThrough,
)
from overlaykit.words.stack import KIT_IMAGE, TIERS, Stack
from overlaykit.words.steps import is_kits

__all__ = ["findings", "matrix", "network_findings", "network_probes", "persistence_probes", "wanted_probes"]

HOSTS = Check(
    "OK105",
    "host",
    "every host answers",
    "{host} does not answer",
    "it could not be seen whether {host} answers",
    ("what cannot be asked from {host} is not proven: put it right and check again",),
)
RUNS = Check(
    "OK305",
    "tiers",
    "every tier has a running task",
    "no task of {service} runs",
    "it could not be seen whether {service} runs",
    ("overlaykit up", "docker service ps --no-trunc {service} tells why"),
)
SPREAD = Check(
    "OK306",
    "tiers",
    "the three tiers run on three different hosts",
    "the three tiers do not run on three different hosts",
    "it could not be seen on which hosts the tiers run",
    (
        "docker service update --force backend (or frontend) starts its tasks anew, on the hosts that have fewest",
        "to keep them apart: database.host, backend.placement and frontend.placement name hosts",
    ),
    severity="warning",  # they work all the same
)

#: What is said where nobody has allowed the probes.
NOT_ASKED = Finding(
    "OK411",
    "unknown",
    "it was not tried whether every host answers at its published port",
    layer="discovery",
    evidence=("a check writes an entry and starts short-lived containers, and nobody has allowed changes here",),
    fix=("overlaykit check", "in Python: connect(…, allow_changes=True)"),
)
_FROM_BELOW: tuple[Layer, ...] = ("host", "underlay", "swarm", "network", "tiers", "discovery")
_BEHIND = ("database", "backend")
#: What a host that is away can bring about; an open door or a password that counts for nothing are another matter.
_MAY_FOLLOW = ("OK304", "OK305", "OK306", "OK401", "OK402", "OK403", "OK404", "OK411", "OK412", "OK413")
#: The kit's backend image has python3 and PyMongo, so it can also ask beside tasks whose image has not.
_PROBE_IMAGE = "overlaykit/backend:"


def wanted_probes(facts: Facts, stack: Stack) -> tuple[Probe, ...]:
    """All that is asked to prove a running stack."""
    swarm = facts.swarm
    if swarm is None or strangers(swarm, stack):
        return ()
    return (
        *_names(facts, swarm, stack),
        *_ways(facts, swarm, stack),
        *_passwords(swarm, stack),
        *_doors(facts, swarm, stack),
        *_packets(swarm, stack),
    )


def strangers(swarm: SwarmFacts, stack: Stack) -> list[str]:
    """Services that bear a tier's name and belong to somebody else: nothing is written into them, nobody is asked."""
    return [s.spec.name for s in swarm.services if s.spec.name in TIERS and not is_kits(s.spec.labels, stack.name)]


def network_probes(facts: Facts, stack: Stack) -> tuple[Probe, ...]:
    """What proves the overlay alone: short-lived probes on every host."""
    swarm, images = facts.swarm, {host.name: probe_image(host) for host in _active(facts)}
    network = swarm.network(stack.network.name) if swarm else None
    if swarm is None or network is None or len(images) < 2:
        return ()
    return (TryPairs(swarm.host, network.name, images, stack.labels, network.encrypted),)


def persistence_probes(facts: Facts, stack: Stack) -> tuple[Probe, ...]:
    """What proves that a write outlives the database's task; it interrupts the guest book for some seconds."""
    running = facts.swarm.running("database") if facts.swarm else ()
    port = stack.frontend.published_port
    ends = [EndDatabase(t.host, t.container, port, facts[t.host].node_addr) for t in running[:1] if t.host]
    return (*ends, *(_passwords(facts.swarm, stack) if ends and facts.swarm else ()))  # who strikes the entry out again


def findings(facts: Facts, stack: Stack, answers: Sequence[Answer]) -> Findings:
    """What the answers to `wanted_probes` (and `persistence_probes`) mean."""
    found = [
        *_answering(facts),
        *_running(facts, stack),
        *_spread(facts),
        *password_findings(answers),
        *persistence_findings(stack, answers),
        *_encrypted(facts, stack, answers),
        *name_findings(facts, stack, answers),
        *way_findings(facts, stack, answers),
        *wall_findings(facts, stack, answers),
    ]
    found = _cause_first(facts, found)
    return Findings.of(sorted(found, key=lambda finding: _FROM_BELOW.index(finding.layer)))


def network_findings(facts: Facts, stack: Stack, answers: Sequence[Answer]) -> Findings:
    """What the answers to `network_probes` mean."""
    if not answers:
        return Findings.of(not_tried(facts, stack, "there are no two ready hosts to try"))
    return Findings.of(pair_findings(facts, stack, answers))


def probe_image(host: HostFacts) -> str:
    """The kit's image that can run a probe on that host; where there is none, what is missing is said by its name."""
    found = sorted(name for name in host.images if name.startswith(_PROBE_IMAGE))
    return host.images[found[-1]] if found else f"{_PROBE_IMAGE}latest"


def _ready(facts: Facts) -> list[HostFacts]:
    """The hosts whose node is ready; a drained one runs no task, but publishes ports all the same."""
    ready = {node.host for node in facts.swarm.nodes if node.state == "ready"} if facts.swarm else set()
    return [host for host in facts.reachable if host.name in ready]


def _active(facts: Facts) -> list[HostFacts]:
    """The hosts that Swarm may start a task on."""
    active = {node.host for node in facts.swarm.nodes if node.availability == "active"} if facts.swarm else set()
    return [host for host in _ready(facts) if host.name in active]


def _names(facts: Facts, swarm: SwarmFacts, stack: Stack) -> Iterator[Probe]:
    for who, needed, protocol in NEEDS:
        names = names_needed(swarm, stack, needed, protocol)
        has_python = who == "backend" and stack.backend.image == KIT_IMAGE
        for task in swarm.running(who):
            if task.host:
                image = "" if has_python else probe_image(facts[task.host])
                yield AskNames(task.host, task.name, task.container, names, image, stack.labels)


def _ways(facts: Facts, swarm: SwarmFacts, stack: Stack) -> Iterator[Probe]:
    """Every host that publishes the port, each read back through the next."""
    if not swarm.running("frontend"):
        return
    hosts = doors(swarm, [host.name for host in _ready(facts)])
    addresses = {host.name: host.node_addr for host in facts.reachable}
    for host, back in zip(hosts, hosts[1:] + hosts[:1], strict=True):
        yield WriteThrough(host, back, stack.frontend.published_port, addresses)


def _passwords(swarm: SwarmFacts, stack: Stack) -> Iterator[Probe]:
    """Any backend task will do: the password is the database's."""
    tasks = [task for task in swarm.running("backend") if task.host]
    if tasks and swarm.running("database"):
        yield TryPasswords(tasks[0].host, tasks[0].name, tasks[0].container)


def _doors(facts: Facts, swarm: SwarmFacts, stack: Stack) -> Iterator[Probe]:
    """From each host: its own addresses, the tasks' addresses in the overlay, and their virtual IPs."""
    ports: dict[str, int] = {service: stack.get(f"{service}.port") for service in _BEHIND}
    for host in facts.reachable:
        doors = [Door(s, address, ports[s]) for s in _BEHIND for address in ("127.0.0.1", host.node_addr) if address]
        doors += [Door(s, address, ports[s]) for s in _BEHIND for address in _inside(swarm, stack, s)]
        own = {task.container: s for s in _BEHIND for task in swarm.running(s) if task.host == host.name}
        yield KnockAtDoors(host.name, tuple(doors), own, ports)


def _inside(swarm: SwarmFacts, stack: Stack, service: str) -> list[str]:
    found = swarm.service(service)
    virtual = found.virtual_ips.get(stack.network.name, "") if found else ""
    tasks = [address for task in swarm.running(service) for net, address in task.addresses if net == stack.network.name]
    return [virtual, *tasks] if virtual else tasks


def _packets(swarm: SwarmFacts, stack: Stack) -> Iterator[Probe]:
    network = swarm.network(stack.network.name)
    if network and network.encrypted:
        yield from (CountPackets(host) for host in sorted(_members(swarm, stack)))


def _members(swarm: SwarmFacts, stack: Stack) -> set[str]:
    """The hosts that have the network, since a task of it runs there."""
    on_it = {s.spec.name for s in swarm.services if stack.network.name in s.spec.networks}
    return {task.host for service in on_it for task in swarm.running(service) if task.host}


def _encrypted(facts: Facts, stack: Stack, answers: Sequence[Answer]) -> Iterator[Finding]:
    counts = {
        a.probe.host: {"error": a.error} if a.error else a.seen for a in answers if isinstance(a.probe, CountPackets)
    }
    if counts and facts.swarm:
        talking = {
            pair
            for row in matrix(facts, stack, answers)
            if row.answers
            for peer in row.peers
            for pair in ((row.host, peer), (peer, row.host))
            if peer != row.host
        }
        yield from encryption_findings(counts, _members(facts.swarm, stack), talking, facts.swarm.data_path_port)


def _answering(facts: Facts) -> Iterator[Finding]:
    away = [host for host in facts if host.error is not None]
    for host in away:
        found = HOSTS.wrong([str(host.error)], [host.name], host=host.name)
        back = (f"if it is off: {lab_power(facts.lab, host.name, 'on')}",) if facts.lab else ()
        yield replace(found, fix=(*back, *found.fix))
    if not away:
        yield HOSTS.ok()


def _cause_first(facts: Facts, found: list[Finding]) -> list[Finding]:
    """With a host away, advice on what may follow from it would send people to ports and logs that are all right."""
    away = [host.name for host in facts if host.error is not None]
    if not away:
        return found
    first = (f"put {' and '.join(away)} right first ({HOSTS.code}), then check again: this may follow from it",)
    return [replace(one, fix=first) if one.fix and one.code in _MAY_FOLLOW else one for one in found]


def _running(facts: Facts, stack: Stack) -> Iterator[Finding]:
    """A tier that the stack wants no task of is not missed."""
    theirs = strangers(facts.swarm, stack) if facts.swarm else []
    yield from (
        RUNS.wrong([f"there is a service {tier} that this stack did not make"], service=tier) for tier in theirs
    )
    wanted = [tier for tier in TIERS if getattr(getattr(stack, tier), "replicas", 1) and tier not in theirs]
    idle = [tier for tier in wanted if facts.swarm is None or not facts.swarm.running(tier)]
    away = [host for host in facts if host.error is not None]
    for tier in idle:
        if facts.swarm is None and away:  # one of them may be the manager who knows
            yield RUNS.unknown([f"{host.name}: {host.error}" for host in away], [h.name for h in away], service=tier)
            continue
        missing = facts.swarm is not None and facts.swarm.service(tier) is None
        yield RUNS.wrong([f"there is no service {tier}"] if missing else [], service=tier)
    if not idle and not theirs:
        yield RUNS.ok()


def _spread(facts: Facts) -> Iterator[Finding]:
    """Asked for only where three hosts could carry them; one tier with many tasks may share."""
    where = {tier: {t.host for t in facts.swarm.running(tier)} for tier in TIERS} if facts.swarm else {}
    if not all(where.values()) or len(where) < len(TIERS) or len(_active(facts)) < len(TIERS):
        return
    evidence = [f"{tier} on {', '.join(sorted(hosts))}" for tier, hosts in where.items()]
    apart = any(len({d, b, f}) == 3 for d in where["database"] for b in where["backend"] for f in where["frontend"])
    yield SPREAD.ok(evidence) if apart else SPREAD.wrong(evidence)
