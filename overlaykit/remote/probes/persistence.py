"""Does a write outlive the database's task?

    end_database(fleet, EndDatabase("node3", container="4c1f…", address="10.77.0.13"))
    {"wrote": {"id": "…"}, "read": {"found": True}, "seconds": 7.1}

The container is killed, as a crash would; Swarm starts another one on the same volume.
"""

from __future__ import annotations

import time
from typing import Any

from tenacity import retry, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from overlaykit.remote.engine import engine_errors
from overlaykit.remote.fleet import Fleet
from overlaykit.remote.probes.way import find, write
from overlaykit.words.errors import HostError
from overlaykit.words.probes import EndDatabase

Json = dict[str, Any]

_BACK_WITHIN = 60.0


def end_database(fleet: Fleet, probe: EndDatabase) -> Json:
    """Write, kill, and read back once somebody answers again."""
    host = fleet[probe.host]
    try:
        wrote = write(host, probe.port, probe.address)
    except HostError as error:  # nothing was ended yet, so this says nothing of persistence
        return {"wrote": {"id": "", "said": error.text}}
    if not wrote.get("id"):
        return {"wrote": wrote}
    with engine_errors(host.name):
        host.docker.api.kill(probe.container)
    began = time.monotonic()
    try:
        read = read_back(fleet, probe, wrote["id"])
    except HostError as error:
        read = {"said": error.text}
    return {"wrote": wrote, "read": read, "seconds": round(time.monotonic() - began, 1)}


@retry(
    retry=retry_if_exception_type(HostError) | retry_if_result(lambda seen: seen["status"] != 200),
    stop=stop_after_delay(_BACK_WITHIN),
    wait=wait_fixed(0.2),
    retry_error_callback=lambda state: state.outcome.result() if state.outcome else {},
)
def read_back(fleet: Fleet, probe: EndDatabase, entry: str) -> Json:
    """Is the entry there? Asked until the database answers; a host's last refusal is raised at the deadline."""
    return find(fleet[probe.host], probe.port, probe.address, entry)
