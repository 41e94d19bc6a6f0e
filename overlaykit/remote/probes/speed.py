"""Measure between two hosts, past an overlay and through it.

    measure_speed(fleet, asked)     # [{"host network": {"bytes": …, "seconds": …, "trips": […]}, "overlay": …}, …]

At either end of each way stands a short-lived container of the kit's image. On an overlay it shares the network of a
task that is on it already, so that nothing is laid for it and nothing is left of it; on the host network it listens at
the host's address in the swarm alone. The callers run in the client's, one after another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tenacity import RetryCallState, retry, retry_if_result, stop_after_delay, wait_fixed

from overlaykit.remote.engine import engine_errors
from overlaykit.remote.fleet import Fleet, FleetHost
from overlaykit.remote.probes.inside import make_probe, remove_probe, run_in
from overlaykit.remote.probes.programs import source
from overlaykit.remote.work import BETWEEN_LOOKS
from overlaykit.words.errors import HostError
from overlaykit.words.speed import Kind, MeasureSpeed, Way

Json = dict[str, Any]

#: Label of what is there only to measure.
_MARK = "overlaykit.speed"
_LISTEN_WITHIN = 15.0
#: What the calling end does: it goes by itself after so many seconds, where nobody came to remove it.
_WAITS = ("sleep", "120")


@dataclass(frozen=True)
class Ends:
    """The two containers of one way, and where the server's listens."""

    server: str
    client: str
    address: str
    port: int


def measure_speed(fleet: Fleet, asked: MeasureSpeed) -> list[dict[Kind, Json]]:
    """What was seen by each way, round by round; what was made for it is gone afterwards."""
    with _ends(fleet, asked) as ends:
        return [{kind: _once(fleet, asked, ends[kind]) for kind in asked.ways} for _ in range(asked.rounds)]


def _once(fleet: Fleet, asked: MeasureSpeed, ends: Ends) -> Json:
    question = {"address": ends.address, "port": ends.port, "seconds": asked.seconds, "trips": asked.trips}
    command = ["python3", "-ISc", source("speed"), json.dumps(question)]
    seen: Json = run_in(fleet[asked.client], ends.client, command)
    return seen


@contextmanager
def _ends(fleet: Fleet, asked: MeasureSpeed) -> Iterator[dict[Kind, Ends]]:
    """All are started side by side: each takes some seconds."""
    made: list[tuple[FleetHost, str]] = []

    def run(host: FleetHost, network: str, command: Sequence[str]) -> str:
        with engine_errors(host.name):
            marks = {**asked.labels, _MARK: network}
            container = make_probe(host, asked.images[host.name], marks, command, network, auto_remove=True)
            made.append((host, container))
            host.docker.api.start(container)
        return container

    def serve(way: Way) -> tuple[str, int]:
        host = fleet[asked.server]
        server = run(host, way.server, ["python3", "-ISc", source("speed"), json.dumps({"address": way.address})])
        with engine_errors(host.name):
            return server, _port(host, server)

    with ThreadPoolExecutor(2 * len(asked.ways), "speed") as pool:
        clients = {k: pool.submit(run, fleet[asked.client], w.client, _WAITS) for k, w in asked.ways.items()}
        servers = {kind: pool.submit(serve, way) for kind, way in asked.ways.items()}
        try:
            yield {kind: _both(servers[kind], clients[kind], way) for kind, way in asked.ways.items()}
        finally:
            wait(clients.values())  # whichever failed: what the others made goes too
            wait(servers.values())
            list(pool.map(lambda one: remove_probe(*one), made))


def _both(server: Future[tuple[str, int]], client: Future[str], way: Way) -> Ends:
    container, port = server.result()
    return Ends(container, client.result(), way.address, port)


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
    """The port at which it says that it listens."""
    said = host.docker.api.logs(container, stderr=False).strip()
    return int(said) if said else 0
