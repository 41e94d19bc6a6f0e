"""Listen inside the hosts while a word goes to the backend.

    overhear(fleet, asked)      # {"captures": {Place(…): Capture(…)}, "error": ""}

As on the wire (tap.py), a short-lived container listens, with the one capability that this takes; here it is in the
network of the host, or in that of a task.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from overlaykit.remote.engine import engine_errors
from overlaykit.remote.fleet import Fleet
from overlaykit.remote.probes.tap import TCP, Ear, Tap
from overlaykit.remote.probes.way import mark
from overlaykit.words.errors import HostError
from overlaykit.words.overheard import Overhear, Place
from overlaykit.words.wire import Capture

Json = dict[str, Any]


def overhear(fleet: Fleet, asked: Overhear) -> Json:
    """What was captured at each place, and why the request came to nothing, if it did."""
    with ThreadPoolExecutor(len(asked.places), "ear") as pool:
        taps = list(pool.map(lambda place: _open(fleet, asked, place), asked.places))
        try:
            error = _send(fleet, asked)
        finally:
            kept = list(pool.map(_stop, asked.places, taps))
    return {"captures": dict(zip(asked.places, kept, strict=True)), "error": error}


def _open(fleet: Fleet, asked: Overhear, place: Place) -> Tap | HostError:
    ear = Ear(place.image, port=place.port, protocol=TCP, network=place.network, labels=asked.labels)
    try:
        with engine_errors(place.host):
            return Tap.open(fleet[place.host], ear)
    except HostError as error:
        return error


def _stop(place: Place, tap: Tap | HostError) -> Capture:
    try:
        if isinstance(tap, HostError):
            raise tap
        with engine_errors(place.host):
            return tap.stop()
    except HostError as error:
        return Capture(place.host, error=str(error))


def _send(fleet: Fleet, asked: Overhear) -> str:
    """A request that writes nothing; empty when it was answered."""
    try:
        seen = mark(fleet[asked.door], asked.port, asked.address, asked.word, writes=False)
    except HostError as error:
        return str(error)
    return "" if seen["status"] < 500 else f"{asked.door}: status {seen['status']}, “{seen['said']}”"
