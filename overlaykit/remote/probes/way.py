"""The whole way, as a guest goes it: through a published port to the frontend, the backend and the database.

    write_through(fleet, WriteThrough("node1", back="node2", port=80), Settling())
    {"wrote": {"status": 201, "id": "…", "path": {…}, "way": "http://127.0.0.1:8081"}, "read": {…, "found": True}}

This machine knocks at the port itself; where it cannot reach it, the host does, over its SSH connection. The answer
says which way was gone.
"""

from __future__ import annotations

import http.client
import json
import secrets
import threading
from collections.abc import Mapping
from typing import Any

from tenacity import (
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    sleep_using_event,
    stop_after_delay,
    stop_when_event_set,
    wait_fixed,
)

from overlaykit.remote.fleet import Fleet, FleetHost
from overlaykit.words.errors import Cancelled, HostError
from overlaykit.words.probes import UNREACHED, WriteThrough

Json = dict[str, Any]
Reached = tuple[http.client.HTTPConnection, str]  # and how, for people

_ENTRIES = "/api/entries"
_PATH = "/api/path"
_REACH_WITHIN = 2.0
_ANSWER_WITHIN = 8.0
#: Seconds. A task that has just begun to run is known by name, and at the published port, on its own host first: Swarm
#: tells the others by gossip, and a busy host is slow to hear; a backend then gives its database two seconds each time.
_SETTLES_WITHIN = 8.0


class Settling:
    """Waits until a request that writes nothing gets through a host's port, or time is up; each host is asked once."""

    def __init__(self, cancel: threading.Event | None = None) -> None:
        self.cancel = cancel or threading.Event()
        self._turn = threading.Lock()
        self._hosts: dict[str, threading.Lock] = {}
        self._answers: dict[str, bool] = {}

    def wait(self, host: FleetHost, probe: WriteThrough) -> bool:
        """Did one get through? Whoever comes while it is being found out waits for the same answer."""
        with self._turn:
            one_by_one = self._hosts.setdefault(host.name, threading.Lock())
        with one_by_one:
            if host.name not in self._answers:
                self._answers[host.name] = _settle(host, probe, self.cancel)
        return self._answers[host.name]


def write_through(fleet: Fleet, probe: WriteThrough, settling: Settling) -> Json:
    """Write through one host, read back through the other: each once, when both have had a moment to settle."""
    if settling.wait(fleet[probe.host], probe):
        settling.wait(fleet[probe.back], probe)
    if settling.cancel.is_set():
        raise Cancelled("cancelled before anything was written")
    wrote = write(fleet[probe.host], probe.port, probe.addresses.get(probe.host, ""))
    if not wrote.get("id"):
        return {"wrote": wrote}
    read = find(fleet[probe.back], probe.port, probe.addresses.get(probe.back, ""), wrote["id"])
    return {"wrote": wrote, "read": read}


def _settle(host: FleetHost, probe: WriteThrough, cancel: threading.Event) -> bool:
    """Ask until a request gets through; what is proven comes afterwards."""
    ready = Retrying(
        retry=retry_if_exception_type(HostError) | retry_if_result(lambda seen: seen["status"] in UNREACHED),
        stop=stop_after_delay(_SETTLES_WITHIN) | stop_when_event_set(cancel),
        wait=wait_fixed(0.2),
        sleep=sleep_using_event(cancel),
        retry_error_callback=lambda _: None,
    )
    return ready(visit, host, probe.port, probe.addresses.get(host.name, "")) is not None


def write(host: FleetHost, port: int, address: str) -> Json:
    """Sign the guest book; `id` is the database's receipt."""
    entry = {"name": "overlaykit check", "message": f"{secrets.token_hex(4)} through {host.name}"}
    seen = ask(_connect(host, port, address), host, entry)
    written = seen.pop("body").get("entry") or {}
    return {**seen, "id": written.get("id")}


def find(host: FleetHost, port: int, address: str, entry: str) -> Json:
    """Is the entry among the newest?"""
    seen = ask(_connect(host, port, address), host)
    return {**seen, "found": entry in [one.get("id") for one in seen.pop("body").get("entries") or ()]}


def visit(host: FleetHost, port: int, address: str = "") -> Json:
    """One request, as a guest's browser sends it; `path` says who served it."""
    seen = ask(_connect(host, port, address), host)
    del seen["body"]
    return seen


def mark(host: FleetHost, port: int, address: str, word: str, *, writes: bool) -> Json:
    """A request that carries a word to the backend, in its address; with `writes` on to the database, as an entry."""
    entry = {"name": "overlaykit wire", "message": word} if writes else None
    seen = ask(_connect(host, port, address), host, entry, f"{_ENTRIES if writes else _PATH}?word={word}")
    written = seen.pop("body").get("entry") or {}
    return {**seen, "id": written.get("id")}


def ask(reached: Reached, host: FleetHost, entry: Mapping[str, str] | None = None, path: str = _ENTRIES) -> Json:
    """Write an entry, or read them all; what came back."""
    connection, way = reached
    method, sent = ("POST", json.dumps(entry)) if entry else ("GET", None)
    try:
        connection.request(method, path, sent, {"Content-Type": "application/json", "Connection": "close"})
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        what = f"its published port takes the connection but does not answer {method} {path}"
        raise HostError(host.name, f"{what} ({error or type(error).__name__}, by {way})") from error
    finally:
        connection.close()
    said = _json(text)
    return {"status": answer.status, "path": said.get("path"), "said": said.get("error", ""), "way": way, "body": said}


def _json(text: bytes) -> Json:
    """The answer as an object; empty where it is none, as a learner's own image may give."""
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _connect(host: FleetHost, port: int, address: str) -> Reached:
    """From this machine, if it reaches the port; else from the host itself."""
    where = _seen_from_here(host, port)
    if where is not None:
        connection = http.client.HTTPConnection(*where, timeout=_REACH_WITHIN)
        try:
            connection.connect()
        except OSError:
            connection.close()  # a firewall stands between; the host itself may still tell
        else:
            connection.sock.settimeout(_ANSWER_WITHIN)
            return connection, f"http://{where[0]}:{where[1]}"
    inner = address or "127.0.0.1"
    stream = host.connection.open_port(inner, port, _REACH_WITHIN)
    if stream is None:
        raise HostError(host.name, f"nothing answers at its published port {port} ({inner}:{port}, tried from itself)")
    stream.settimeout(_ANSWER_WITHIN)
    connection = http.client.HTTPConnection(inner, port)
    connection.sock = stream
    return connection, f"http://{inner}:{port} from {host.name} itself, over SSH"


def _seen_from_here(host: FleetHost, port: int) -> tuple[str, int] | None:
    """Where this machine would find the port. The lab brings out a host's port 80 alone."""
    if host.host.published is None:
        return host.host.address, port
    address, _, published = host.host.published.rpartition(":")
    return (address.strip("[]"), int(published)) if port == 80 else None
