"""Prove the overlay alone: a short-lived service on every host, and each looks for each other.

    try_pairs(fleet, TryPairs("node1", network="guestbook", images={"node1": "sha256:…", "node2": "sha256:…"}))
    {"pairs": {"node1": {"node2": {"addresses": ["10.20.0.5"], "tcp": true, "packet": true, …}}, …}}

The services are removed in any case, and what a killed run left is removed first. Their names are new each time: a
task that is still going away would answer to an old one.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

from docker.errors import NotFound
from tenacity import (
    RetryCallState,
    retry,
    retry_if_result,
    sleep_using_event,
    stop_after_delay,
    stop_when_event_set,
    wait_fixed,
)

from overlaykit.remote.engine import engine_errors
from overlaykit.remote.fleet import Fleet, FleetHost
from overlaykit.remote.probes.doors import count_packets
from overlaykit.remote.probes.programs import source
from overlaykit.remote.service import create_service, wait_for_tasks
from overlaykit.remote.work import BETWEEN_LOOKS, Work
from overlaykit.words.errors import Cancelled, DeadlinePassed, HostError
from overlaykit.words.probes import TryPairs
from overlaykit.words.service import ServiceSpec
from overlaykit.words.steps import ON_HOST

Json = dict[str, Any]

#: Label of the services that only probe.
_MARK = "overlaykit.probe"
#: Inside the overlay alone, so any port will do.
_PORT = 7950
_START_WITHIN = 60.0
#: Seconds for the pairs to find each other once all probes run.
_FIND_WITHIN = 10.0
_GO_WITHIN = 15.0


def try_pairs(fleet: Fleet, probe: TryPairs, cancel: threading.Event) -> Json:
    """What every host saw of every other, as far as it had come when it was cancelled."""
    run = secrets.token_hex(3)
    names = {host: f"overlaykit-probe-{run}-{number}" for number, host in enumerate(probe.images, start=1)}
    _clear(fleet, probe)
    try:
        silent = _start(fleet, probe, names, cancel)
        seen = _listen(fleet, probe, names, silent, cancel)
        packets = fleet.each(count_packets, hosts=probe.images) if probe.encrypted else {}
    finally:
        _clear(fleet, probe)
    return {"pairs": seen, "silent": silent, "packets": {host: _plain(answer) for host, answer in packets.items()}}


def _start(fleet: Fleet, probe: TryPairs, names: Mapping[str, str], cancel: threading.Event) -> dict[str, str]:
    """Start the probes side by side; for each host whose probe does not run, why."""
    work = Work(fleet, lambda *_: None, cancel, time.monotonic() + _START_WITHIN)
    manager = fleet[probe.host].docker

    def start(host: FleetHost) -> None:
        try:
            create_service(manager, _service(probe, names, host.name), work)
            wait_for_tasks(manager, names[host.name], work)
        except (DeadlinePassed, Cancelled) as given_up:  # on each host by itself: all have ended before it is cleared
            raise HostError(host.name, str(given_up)) from given_up

    started = fleet.each(start, hosts=names)
    return {host: answer.text for host, answer in started.items() if isinstance(answer, HostError)}


def _service(probe: TryPairs, names: Mapping[str, str], host: str) -> ServiceSpec:
    peers = {peer: name for peer, name in names.items() if peer != host}
    return ServiceSpec(
        names[host],
        probe.images[host],
        command=("python3",),
        args=("-ISc", source("pairs"), json.dumps({"peers": peers, "port": _PORT})),
        networks=(probe.network,),
        constraints=(f"{ON_HOST}{host}",),
        endpoint_mode="dnsrr",
        labels={**probe.labels, _MARK: "pairs"},
    )


def _listen(
    fleet: Fleet, probe: TryPairs, names: Mapping[str, str], silent: Mapping[str, str], cancel: threading.Event
) -> dict[str, Json]:
    """Read what the probes print until all is well, or it is clear that it will not be."""
    heard: dict[str, Json] = {}
    running = [host for host in names if host not in silent]

    @retry(
        retry=retry_if_result(lambda done: not done),
        stop=stop_after_delay(_FIND_WITHIN) | stop_when_event_set(cancel),
        wait=wait_fixed(BETWEEN_LOOKS),
        sleep=sleep_using_event(cancel),
        retry_error_callback=lambda _: False,
    )
    def all_well() -> bool:
        waiting = [host for host in running if not _well(heard.get(host, {}), running, host)]
        heard.update({host: _plain(a) for host, a in fleet.each(lambda h: _hear(h, names[h.name]), waiting).items()})
        return all(_well(heard[host], running, host) for host in running)

    all_well()
    return heard


def _well(seen: Json, hosts: list[str], me: str) -> bool:
    return all(seen.get(peer, {}).get("stream") and seen[peer]["packet"] for peer in hosts if peer != me)


def _hear(host: FleetHost, service: str) -> Json:
    """The newest line of a host's probe on each peer."""
    found = _containers(host, service)
    with engine_errors(host.name):
        text = host.docker.api.logs(found[0]["Id"], stderr=False).decode() if found else ""
    lines = [json.loads(line) for line in text.splitlines()]
    return {line["peer"]: line for line in lines}


def _plain(answer: Json | HostError) -> Json:
    return {"error": answer.text} if isinstance(answer, HostError) else answer


def _clear(fleet: Fleet, probe: TryPairs) -> None:
    """Remove every probing service of this stack, and wait until the hosts have let go of their containers."""
    manager = fleet[probe.host]
    with engine_errors(manager.name):
        marks = [_MARK, *(f"{label}={value}" for label, value in probe.labels.items())]
        services = manager.docker.api.services(filters={"label": marks})
        for service in services:
            with suppress(NotFound):  # it has gone by itself: fine
                manager.docker.api.remove_service(service["ID"])
    for service in services:
        _wait_until_gone(fleet, probe, service["Spec"]["Name"])


def _still_there(state: RetryCallState) -> NoReturn:
    _, probe, service = state.args
    raise HostError(probe.host, f"containers of {service} are still there {_GO_WITHIN:g} s after it was removed")


@retry(
    retry=retry_if_result(bool),
    stop=stop_after_delay(_GO_WITHIN),
    wait=wait_fixed(BETWEEN_LOOKS),
    retry_error_callback=_still_there,
)
def _wait_until_gone(fleet: Fleet, probe: TryPairs, service: str) -> list[Json]:
    """The containers that are still there, on the hosts that answer."""
    answers = fleet.each(lambda host: _containers(host, service), probe.images)
    return [one for answer in answers.values() if not isinstance(answer, HostError) for one in answer]


def _containers(host: FleetHost, service: str) -> list[Json]:
    with engine_errors(host.name):
        found: list[Json] = host.docker.api.containers(filters={"label": f"com.docker.swarm.service.name={service}"})
        return found
