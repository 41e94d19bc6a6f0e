"""Measure between two hosts, on the host network and on two overlays that are made for it and removed again.

    measure_speed(fleet, asked)     # [{"host network": {"bytes": …, "seconds": …, "trips": […]}, "overlay": …}, …]

On each kind of network a short-lived container of the kit's image at either end: it listens on the one host, and on the
other the callers run in it, one after another. On the host network it listens at the host's address in the swarm alone.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from docker.errors import APIError
from tenacity import (
    RetryCallState,
    retry,
    retry_if_exception,
    retry_if_result,
    stop_after_attempt,
    stop_after_delay,
    wait_fixed,
)

from overlaykit.remote.engine import engine_errors
from overlaykit.remote.fleet import Fleet, FleetHost
from overlaykit.remote.perform import perform
from overlaykit.remote.probes.inside import run_in
from overlaykit.remote.probes.programs import source
from overlaykit.remote.work import BETWEEN_LOOKS, Work
from overlaykit.words.errors import HostError
from overlaykit.words.speed import KINDS, Kind, MeasureSpeed
from overlaykit.words.steps import RemoveNetwork

Json = dict[str, Any]

#: Label of what is there only to measure.
_MARK = "overlaykit.speed"
_LISTEN_WITHIN = 15.0
_GO_WITHIN = 30.0
#: Seconds until the calling end goes by itself, where nobody came to remove it.
_LIFETIME = "120"


@dataclass(frozen=True)
class End:
    """One container: on the server's host it listens at that address and port."""

    host: FleetHost
    container: str
    address: str = ""
    port: int = 0


def measure_speed(fleet: Fleet, asked: MeasureSpeed) -> list[dict[Kind, Json]]:
    """What was seen on each kind of network, round by round; what was made for it is gone afterwards."""
    with _networks(fleet, asked) as networks, _ends(fleet, asked, networks) as ends:
        return [{kind: _once(asked, *ends[kind]) for kind in KINDS} for _ in range(asked.rounds)]


def _once(asked: MeasureSpeed, server: End, client: End) -> Json:
    question = {"address": server.address, "port": server.port, "seconds": asked.seconds, "trips": asked.trips}
    seen: Json = run_in(client.host, client.container, ["python3", "-ISc", source("speed"), json.dumps(question)])
    return seen


@contextmanager
def _networks(fleet: Fleet, asked: MeasureSpeed) -> Iterator[dict[Kind, str]]:
    """Two overlays that plain containers may join, and nothing leads out of; their names are new each time."""
    _clear(fleet, asked)
    run = f"overlaykit-speed-{secrets.token_hex(3)}"
    overlays: dict[Kind, str] = {"overlay": run, "encrypted overlay": f"{run}-encrypted"}
    manager = fleet[asked.manager]
    try:
        with engine_errors(manager.name):
            for kind, name in overlays.items():
                options = {"encrypted": "true"} if kind == "encrypted overlay" else {}
                options |= {"com.docker.network.driver.mtu": str(asked.mtu)} if asked.mtu else {}
                labels = {**asked.labels, _MARK: run}
                manager.docker.networks.create(
                    name, driver="overlay", options=options, attachable=True, internal=True, labels=labels
                )
        yield {"host network": "host", **overlays}
    finally:
        _clear(fleet, asked)


def _clear(fleet: Fleet, asked: MeasureSpeed) -> None:
    """Remove the measuring networks of this stack, and those that a killed run left."""
    manager = fleet[asked.manager]
    work = Work(fleet, lambda *_: None, threading.Event(), time.monotonic() + _GO_WITHIN)
    marks = [_MARK, *(f"{label}={value}" for label, value in asked.labels.items())]
    with engine_errors(manager.name):
        found = manager.docker.api.networks(filters={"label": marks})
        for network in found:
            perform(RemoveNetwork(manager.name, name=network["Name"]), manager, work)


@contextmanager
def _ends(fleet: Fleet, asked: MeasureSpeed, networks: Mapping[Kind, str]) -> Iterator[dict[Kind, tuple[End, End]]]:
    """A server and a client on each kind of network, one after another."""
    made: list[tuple[FleetHost, str]] = []

    @retry(retry=retry_if_exception(_not_attached), stop=stop_after_attempt(2), reraise=True)
    def run(host: FleetHost, network: str, listen: str | None) -> str:
        container = _create(host, asked, network, listen)
        made.append((host, container))
        host.docker.api.start(container)
        return container

    def start(host: FleetHost, kind: Kind) -> End:
        serves = host.name == asked.server
        with engine_errors(host.name):
            listen = asked.address if networks[kind] == "host" else ""
            container = run(host, networks[kind], listen if serves else None)
            if not serves:
                return End(host, container)
            return End(host, container, listen or _address(host, container), _port(host, container))

    try:
        server, client = fleet[asked.server], fleet[asked.client]
        yield {kind: (start(server, kind), start(client, kind)) for kind in KINDS}
    finally:
        for host, container in made:
            _remove(host, container)


def _not_attached(error: BaseException) -> bool:
    """A worker asks a manager for its place on an overlay, and now and then gives up after 20 seconds (moby #41841)."""
    return isinstance(error, APIError) and "attaching to network failed" in str(error.explanation)


def _create(host: FleetHost, asked: MeasureSpeed, network: str, listen: str | None) -> str:
    """A container that listens there, or where nothing is to listen, one that waits for callers to run in it."""
    program = ["-ISc", source("speed"), json.dumps({"address": listen})]
    api = host.docker.api
    made = api.create_container(
        asked.images[host.name],
        entrypoint=["sleep" if listen is None else "python3"],
        command=[_LIFETIME] if listen is None else program,
        labels={**asked.labels, _MARK: network},
        host_config=api.create_host_config(
            network_mode=network,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            read_only=True,
            auto_remove=True,
        ),
    )
    return str(made["Id"])


def _address(host: FleetHost, container: str) -> str:
    """On the only network that it is in."""
    (end,) = host.docker.api.inspect_container(container)["NetworkSettings"]["Networks"].values()
    return str(end["IPAddress"])


def _silent(state: RetryCallState) -> int:
    host: FleetHost = state.args[0]
    raise HostError(host.name, f"the program that measures did not listen within {_LISTEN_WITHIN:g} s")


@retry(
    retry=retry_if_result(lambda port: not port),
    stop=stop_after_delay(_LISTEN_WITHIN),
    wait=wait_fixed(BETWEEN_LOOKS),
    retry_error_callback=_silent,
)
def _port(host: FleetHost, container: str) -> int:
    """The port that it says it listens at."""
    said = host.docker.api.logs(container, stderr=False).strip()
    return int(said) if said else 0


def _remove(host: FleetHost, container: str) -> None:
    """It removes itself when it ends: the engine may be at it already, and a host that has gone does it later."""
    if host.connection.alive:
        with suppress(HostError), engine_errors(host.name):
            host.docker.api.remove_container(container, force=True)
