"""What must not be possible: the database's port and the backend's are shut to every host, and the password counts.

wall_findings(facts, stack, answers)
password_findings(answers)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from overlaykit.phases.proofs.check import Check
from overlaykit.words.facts import Facts
from overlaykit.words.findings import Finding
from overlaykit.words.probes import Answer, KnockAtDoors, TryPasswords
from overlaykit.words.stack import Stack

SHUT = Check(
    "OK421",
    "discovery",
    "{service} cannot be reached from any host's network",
    "{service} can be reached from a host's network",
    "it could not be seen whether {service} can be reached from the hosts' networks",
    (
        "only the frontend is to publish a port: docker service inspect {service}, and "
        "docker service update --publish-rm PORT {service}",
    ),
)
BRIDGE = Check(
    "OK422",
    "discovery",
    "no host reaches {service} over its own bridge",
    "the host of {service} reaches it over its own bridge",
    "it could not be seen whether a host reaches {service} over its own bridge",
    (
        "whoever has a login on that host can knock there, from elsewhere nobody: the password still holds. A network "
        "made with --internal gives its tasks no bridge, and no way out either",
    ),
    severity="warning",
)
PASSWORD = Check(
    "OK303",
    "tiers",
    "the database takes its password, and neither a wrong one nor none",
    "the database does not keep to its password",
    "it could not be seen whether the database keeps to its password",
    (
        "if the right one is refused, the volume holds an older one: docker service logs database",
        "if a wrong one or none is accepted, the image does not enforce it: docs/images.md says what it must do",
    ),
)

#: MongoDB's codes for "who are you?": Unauthorized and AuthenticationFailed.
_REFUSED = (13, 18)


def wall_findings(facts: Facts, stack: Stack, answers: Sequence[Answer]) -> Iterator[Finding]:
    """One finding for each tier that is behind the wall."""
    knocked = [answer for answer in answers if isinstance(answer.probe, KnockAtDoors)]
    if knocked:
        for service in ("database", "backend"):
            yield _shut(facts, service, stack, knocked)
            yield from _bridge(service, knocked)


def _shut(facts: Facts, service: str, stack: Stack, knocked: list[Answer]) -> Finding:
    port: int = stack.get(f"{service}.port")
    opened = [(a.probe.host, door) for a in knocked for door in a.seen.get("opened", ()) if door["service"] == service]
    words = {"service": service, "reproduce": f"{knocked[0].probe.host}$ curl -m 2 telnet://127.0.0.1:{port}"}
    if opened:
        evidence = [f"{host} connected to {door['address']}:{door['port']}" for host, door in opened]
        return SHUT.wrong(evidence, [host for host, _ in opened], **words)
    blind = {answer.probe.host: answer.error for answer in knocked if answer.error}
    blind |= {host.name: f"{host.name}: {host.error}" for host in facts if host.error}
    if blind:
        return SHUT.unknown(blind.values(), blind, **words)
    evidence = [f"{a.probe.host} was refused at {_doors(a, service)}" for a in knocked]
    return SHUT.ok(evidence, **words)


def _doors(answer: Answer, service: str) -> str:
    assert isinstance(answer.probe, KnockAtDoors)
    return ", ".join(f"{door.address}:{door.port}" for door in answer.probe.doors if door.service == service)


def _bridge(service: str, knocked: list[Answer]) -> Iterator[Finding]:
    """Docker gives each task of an overlay a leg on a bridge of its host, and the host stands on that bridge too."""
    looked = [answer for answer in knocked if not answer.error and service in _own(answer)]
    opened = [(a.probe.host, door) for a in looked for door in a.seen.get("bridge", ()) if door["service"] == service]
    if opened:
        evidence = [f"{host} connected to {door['address']}:{door['port']} (docker_gwbridge)" for host, door in opened]
        reproduce = f"{opened[0][0]}$ curl -m 2 telnet://{opened[0][1]['address']}:{opened[0][1]['port']}"
        yield BRIDGE.wrong(evidence, [host for host, _ in opened], service=service, reproduce=reproduce)
    elif looked:
        yield BRIDGE.ok([f"tried on {answer.probe.host}" for answer in looked], service=service)


def _own(answer: Answer) -> Iterable[str]:
    assert isinstance(answer.probe, KnockAtDoors)
    return answer.probe.containers.values()


def password_findings(answers: Sequence[Answer]) -> Iterator[Finding]:
    """Right: accepted. Wrong, none: refused."""
    yield from (_password(answer) for answer in answers if isinstance(answer.probe, TryPasswords))


def _password(answer: Answer) -> Finding:
    host = [answer.probe.host]
    if answer.error:
        return PASSWORD.unknown([answer.error], host)
    seen: Mapping[str, Mapping[str, Any]] = answer.seen["passwords"]
    evidence = [f"{_which(which)}: {_verdict(said)}" for which, said in seen.items()]
    verdicts = [_as_wanted(which, said) for which, said in seen.items()]
    if False in verdicts:
        return PASSWORD.wrong(evidence, host)
    return PASSWORD.unknown(evidence, host) if None in verdicts else PASSWORD.ok(evidence, host)


def _which(which: str) -> str:
    return "no password" if which == "none" else f"the {which} password" if which == "right" else f"a {which} password"


def _as_wanted(which: str, said: Mapping[str, Any]) -> bool | None:
    if said.get("accepted"):
        return which == "right"
    if said.get("code") in _REFUSED:
        return which != "right"
    return None


def _verdict(said: Mapping[str, Any]) -> str:
    if said.get("accepted"):
        return "accepted"
    return f"refused ({said['said']})" if said.get("code") in _REFUSED else said.get("error") or str(said.get("said"))
