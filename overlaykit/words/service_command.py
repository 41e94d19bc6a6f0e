"""A service spec as the flags of `docker service create` and `docker service update`.

>>> list(command_flags(ServiceSpec("web", "nginx:1", ports=(Port(80, 80),))))
['--replicas 1', '--publish published=80,target=80,mode=ingress']
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from typing import Any

from overlaykit.words.service import MONITOR, Difference, FileRef, Health, Mount, ServiceSpec


def command_flags(spec: ServiceSpec) -> Iterator[str]:
    """The flags of `docker service create` that say the same as the spec, in the order of its fields."""
    yield from (f"--env {shlex.quote(entry)}" for entry in spec.env)
    if spec.hostname:
        yield f"--hostname '{spec.hostname}'"
    yield "--mode global" if spec.replicas is None else f"--replicas {spec.replicas}"
    yield from (f"--network {name}" for name in spec.networks)
    yield from (f"--constraint '{rule}'" for rule in spec.constraints)
    yield from (f"--mount type=volume,source={m.volume},target={m.target}{_labels(m)}" for m in spec.mounts)
    yield from (f"--secret {_file(ref)}" for ref in spec.secrets)
    yield from (f"--config {_file(ref)}" for ref in spec.configs)
    yield from (f"--publish published={p.published},target={p.target},mode={p.mode}" for p in spec.ports)
    if spec.health:
        yield from _health(spec.health)
    if spec.cpus:
        yield f"--limit-cpu {spec.cpus:g}"
    if spec.memory:
        yield f"--limit-memory {spec.memory}"
    if spec.endpoint_mode != "vip":
        yield f"--endpoint-mode {spec.endpoint_mode}"
    if not spec.stop_first:
        yield "--update-order start-first --rollback-order start-first"
    if spec.monitor != MONITOR:
        yield f"--update-monitor {spec.monitor:g}s --rollback-monitor {spec.monitor:g}s"
    yield from (f"--label {key}={value}" for key, value in spec.labels.items())
    if spec.command:
        yield f"--entrypoint {shlex.quote(' '.join(spec.command))}"


def _labels(mount: Mount) -> str:
    return "".join(f",volume-label={key}={value}" for key, value in mount.labels.items())


def _file(ref: FileRef) -> str:
    return f"source={ref.name},target={ref.target},uid={ref.uid},mode={ref.mode:04o}"


def _health(health: Health) -> Iterator[str]:
    if health.test == ("NONE",):
        yield "--no-healthcheck"
        return
    yield f"--health-cmd {shlex.quote(' '.join(health.test[1:]))}"
    yield f"--health-interval {health.interval:g}s --health-timeout {health.timeout:g}s"
    yield f"--health-retries {health.retries} --health-start-period {health.start_period:g}s"
    if health.start_interval:
        yield f"--health-start-interval {health.start_interval:g}s"


#: Fields that `docker service update` changes with a pair of -add and -rm flags, and by what -rm knows an entry.
_PAIRS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "env": ("--env", lambda entry: str(entry.partition("=")[0])),
    "constraints": ("--constraint", str),
    "networks": ("--network", str),
    "mounts": ("--mount", lambda mount: str(mount.target)),
    "secrets": ("--secret", lambda ref: str(ref.name)),
    "configs": ("--config", lambda ref: str(ref.name)),
    "ports": ("--publish", lambda port: str(port.target)),
}
#: Of these, -add does not take the place of the entry that is known by the same.
_BESIDE = ("ports", "secrets", "configs")
#: What goes without saying when a service is created, and has to be said to come back to it.
_DEFAULTS = {
    "cpus": "--limit-cpu 0",
    "memory": "--limit-memory 0",
    "health": "--no-healthcheck",
    "stop_first": "--update-order stop-first --rollback-order stop-first",
    "monitor": f"--update-monitor {MONITOR:g}s --rollback-monitor {MONITOR:g}s",
}


def changed_flags(changes: tuple[Difference, ...]) -> Iterator[str]:
    """The flags of `docker service update` for the fields that differ."""
    for change in changes:
        if change.field in _PAIRS:
            yield from _pair(change)
        elif change.field == "labels":
            yield from (f"--label-add {key}={value}" for key, value in change.after.items())
        elif change.field == "image":
            yield f"--image {change.after}"
        else:
            yield _single(change)


def _pair(change: Difference) -> Iterator[str]:
    flag, key = _PAIRS[change.field]
    kept = change.after if change.field in _BESIDE else [key(entry) for entry in change.after]
    gone = [e for e in change.before if (e if change.field in _BESIDE else key(e)) not in kept]
    yield from (f"{flag}-rm {key(entry)}" for entry in gone)
    added = tuple(entry for entry in change.after if entry not in change.before)
    for text in command_flags(ServiceSpec("", "").but(**{change.field: added})):
        if text.startswith(flag):
            yield text.replace(flag, f"{flag}-add", 1)


def _single(change: Difference) -> str:
    """One flag for a field that holds one value."""
    if change.field == "args":
        return f"--args {shlex.quote(shlex.join(change.after))}"
    flags = command_flags(ServiceSpec("", "").but(**{change.field: change.after}))
    kept = [text for text in flags if change.field == "replicas" or not text.startswith("--replicas")]
    return " ".join(kept) or _DEFAULTS.get(change.field, f"--{change.field.replace('_', '-')} {change.after}")
