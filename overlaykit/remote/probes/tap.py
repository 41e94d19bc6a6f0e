"""Capture on every host's wire while a word goes through the stack.

    watch_wire(fleet, WatchWire("node1", word="open-sesame", interfaces={"node1": "eth0", …}, images=…, addresses=…))
    {"captures": {"node1": Capture(…)}, "sent": {"node1": {"status": 201, "path": {…}}}, "associations": {…}, …}

On each host a short-lived container of the kit's own image, in the host's network, with the one capability that a
capture takes: so it needs Docker alone, neither root nor tcpdump, wherever the hosts are. It ends when we hang up, and
removes itself. The word is sent when all that could be opened have said that they listen, and what had passed when the
answer was here is in the captures: a packet is copied to them before it goes on.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Self

from overlaykit.remote.engine import engine_errors
from overlaykit.remote.fleet import Fleet, FleetHost
from overlaykit.remote.probes.doors import count_packets
from overlaykit.remote.probes.inside import make_probe, remove_probe, try_passwords
from overlaykit.remote.probes.programs import source
from overlaykit.remote.probes.way import mark
from overlaykit.words.errors import CommandFailed, ConnectionLost, HostError
from overlaykit.words.probes import WatchWire
from overlaykit.words.wire import Capture

Json = dict[str, Any]

#: Seconds until a capture ends by itself, bytes that it keeps at most, and bytes that it keeps of each packet.
_LIFETIME, _MOST, _SNAP = 60, 16 << 20, 4096
_ANSWER_WITHIN = 20.0
_HEADER = 24  # bytes of a pcap file before its first packet: they come when the capture runs
_STDOUT, _STDERR = 1, 2
#: Protocol numbers of IP.
TCP, UDP = 6, 17


def watch_wire(fleet: Fleet, probe: WatchWire) -> Json:
    """What was captured where, what came of the requests, and which security associations the kernels have."""
    taps = fleet.each(lambda host: Tap.open(host, _on_the_wire(host, probe)), probe.interfaces)
    sent: dict[str, Json] = {}
    try:
        if any(isinstance(tap, Tap) for tap in taps.values()):
            answers = fleet.each(lambda host: _send(host, probe), probe.addresses)
            sent = {host: _plain(answer) for host, answer in answers.items()}
    finally:
        kept = fleet.each(lambda host: _stop(taps[host.name]), taps)
    captures = {host: _capture(host, capture) for host, capture in kept.items()}
    states = fleet.each(count_packets, [host for host, capture in captures.items() if capture.pcap])
    return {
        "captures": captures,
        "sent": sent,
        "associations": {host: _plain(answer) for host, answer in states.items()},
        "left": _strike(fleet, probe, sent),
    }


@dataclass(frozen=True)
class Ear:
    """Where a capture listens, and for what. The container that does is of that image, with those labels."""

    image: str
    interface: str = ""  # empty: every interface of the network
    port: int = 4789
    protocol: int = UDP
    network: str = "host"  # container:ID for that of a task
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """In words, for an error."""
        return self.interface or "any interface there"


class Tap:
    """One capture, running. `stop` says what it has kept."""

    def __init__(self, host: FleetHost, ear: Ear, container: str, stream: Any) -> None:
        self.host = host
        self._ear = ear
        self._container = container
        self._stream = stream
        self._reader: BinaryIO = stream.makefile("rb")
        self._said = {_STDOUT: b"", _STDERR: b""}

    @classmethod
    def open(cls, host: FleetHost, ear: Ear) -> Self:
        """Start it, and wait until it says that it listens."""
        with engine_errors(host.name):
            api = host.docker.api
            made = _create(host, ear)
            try:
                attach = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
                stream: Any = api.attach_socket(made, params=attach)
                stream.settimeout(_ANSWER_WITHIN)
                tap = cls(host, ear, made, stream)
                api.start(made)
                tap._hear(_HEADER)
            except BaseException:
                remove_probe(host, made)
                raise
        return tap

    def stop(self) -> Capture:
        """Tell it to stop, and read what it has kept."""
        try:
            with suppress(OSError):  # it has ended already: what it said tells why
                self._stream.sendall(b"\n")
            self._hear(None)
            return self._capture()
        finally:
            self._stream.close()
            remove_probe(self.host, self._container)

    def _capture(self) -> Capture:
        lines = self._said[_STDERR].decode(errors="replace").split("\n")
        told: Json = json.loads(lines[-2]) if len(lines) > 1 and lines[-2].startswith("{") else {}
        return Capture(
            self.host.name, self._ear.interface, told.get("address", ""), self._said[_STDOUT], self._incomplete(told)
        )

    def _incomplete(self, told: Json) -> str:
        """Why not all that passed is in it; empty where all is."""
        if not told:
            return f"{self.host.name}: the capture broke off before it was read"
        if not told["whole"]:
            return f"{self.host.name}: more passed than a capture keeps ({_MOST >> 20} MB in {_LIFETIME} s)"
        if told["dropped"]:
            return f"{self.host.name}: the kernel dropped {told['dropped']} packets that the capture should have seen"
        return ""

    def _hear(self, enough: int | None) -> None:
        """Read until there is so much of the file, or to the end. Docker puts 8 bytes before each piece."""
        try:
            while enough is None or len(self._said[_STDOUT]) < enough:
                head = self._reader.read(8)
                if len(head) < 8:
                    break
                kind, size = struct.unpack(">BxxxL", head)
                self._said[kind] += self._reader.read(size)
        except TimeoutError:
            raise HostError(self.host.name, f"the capture said nothing for {_ANSWER_WITHIN:g} s") from None
        except OSError as error:
            raise ConnectionLost(self.host.name, f"the connection ended during the capture ({error})") from error
        if enough is not None and len(self._said[_STDOUT]) < enough:
            raise self._refused()

    def _refused(self) -> CommandFailed:
        said = self._said[_STDERR].decode(errors="replace").strip().splitlines() or ["it said nothing"]
        return CommandFailed(self.host.name, f"it may not be captured on {self._ear.where}: {said[-1]}")


def _on_the_wire(host: FleetHost, probe: WatchWire) -> Ear:
    """Where a host's part of the swarm's traffic passes."""
    interface = probe.interfaces[host.name]
    if not interface:
        raise HostError(host.name, "it could not be seen which interface carries the swarm's traffic")
    return Ear(probe.images[host.name], interface, probe.data_port, labels=probe.labels)


def _create(host: FleetHost, ear: Ear) -> str:
    kept = {"seconds": _LIFETIME, "most": _MOST, "snap": _SNAP}
    asked = {"interface": ear.interface, "port": ear.port, "protocol": ear.protocol, **kept}
    command = ["python3", "-ISc", source("capture"), json.dumps(asked)]
    return make_probe(
        host, ear.image, ear.labels, command, ear.network,
        settings={"user": "0", "stdin_open": True}, auto_remove=True, rights=["NET_RAW"],
    )  # fmt: skip


def _stop(tap: Tap | HostError) -> Capture:
    if isinstance(tap, HostError):
        raise tap
    return tap.stop()


def _capture(host: str, capture: Capture | HostError) -> Capture:
    return Capture(host, error=str(capture)) if isinstance(capture, HostError) else capture


def _send(host: FleetHost, probe: WatchWire) -> Json:
    return mark(host, probe.port, probe.addresses[host.name], probe.word, writes=probe.strike is not None)


def _strike(fleet: Fleet, probe: WatchWire, sent: dict[str, Json]) -> Json:
    """Strike out what was written, as a check does; how many entries there were, and why they are still there."""
    written = [answer["id"] for answer in sent.values() if answer.get("id")]
    if not (written and probe.strike):
        return {"written": 0, "error": ""}
    try:
        right = try_passwords(fleet[probe.strike.host], probe.strike, lambda: written)["passwords"]["right"]
    except HostError as error:
        return {"written": len(written), "error": str(error)}
    refused = "" if right.get("accepted") else right.get("said") or right.get("error") or "the database refused"
    return {"written": len(written), "error": right.get("left") or refused}


def _plain(answer: Json | HostError) -> Json:
    return {"error": str(answer)} if isinstance(answer, HostError) else answer
