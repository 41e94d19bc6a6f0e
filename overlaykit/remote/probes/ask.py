"""Ask the probes, all hosts side by side, and hand back what was seen as it came.

    answers = run_probes(fleet, wanted_probes(facts, stack))

A probe that could not look has an answer too: its `error` says why.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from overlaykit.remote.engine import engine_errors
from overlaykit.remote.faults import own_fault
from overlaykit.remote.fleet import Fleet
from overlaykit.remote.probes.doors import count_packets, knock
from overlaykit.remote.probes.inside import ask_names, try_passwords
from overlaykit.remote.probes.pairs import try_pairs
from overlaykit.remote.probes.persistence import end_database
from overlaykit.remote.probes.tap import watch_wire
from overlaykit.remote.probes.way import Settling, write_through
from overlaykit.words.errors import Cancelled, OverlaykitError
from overlaykit.words.probes import (
    Answer,
    AnswerObserver,
    AskNames,
    CountPackets,
    EndDatabase,
    KnockAtDoors,
    Probe,
    TryPairs,
    TryPasswords,
    WatchWire,
    WriteThrough,
)

Ask = Callable[[], dict[str, Any]]


def run_probes(
    fleet: Fleet,
    probes: Sequence[Probe],
    observer: AnswerObserver | None = None,
    cancel: threading.Event | None = None,
) -> tuple[Answer, ...]:
    """One answer for each probe, in their order. Raises Cancelled, when each has cleared away what it made."""
    if not probes:
        return ()
    cancelled = cancel or threading.Event()
    if cancelled.is_set():
        raise Cancelled("cancelled before anything was asked: nothing is proven")
    pool = ThreadPoolExecutor(len(probes), "probe")
    try:
        run = _Run(fleet, pool, observer, cancelled)
        for probe in sorted(probes, key=_turn):
            run.begin(probe)
        answers = tuple(run.asked[probe.key].result() for probe in probes)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # nothing is left to wait for, unless Ctrl-C was pressed
    if cancelled.is_set():
        raise Cancelled(f"cancelled while the hosts were asked: nothing is proven{_not_seen_cleared(answers)}")
    return answers


def _not_seen_cleared(answers: Sequence[Answer]) -> str:
    """What of those that make or write something could not be seen to have gone, as the end of a sentence."""
    made = [answer for answer in answers if isinstance(answer.probe, TryPairs | TryPasswords | WatchWire)]
    left = [answer.error or answer.seen.get("passwords", {}).get("right", {}).get("left", "") for answer in made]
    told = "; ".join(filter(None, left))
    return f". It could not be seen whether all was cleared away: {told}" if told else ""


def _turn(probe: Probe) -> int:
    """The passwords' probe strikes out what was written, and packets are counted when all have been sent."""
    return {WriteThrough: 0, EndDatabase: 0, TryPasswords: 1, CountPackets: 3}.get(type(probe), 2)


class _Run:
    """One run: what has been asked so far, so that later probes can wait for earlier ones."""

    def __init__(
        self, fleet: Fleet, pool: ThreadPoolExecutor, observer: AnswerObserver | None, cancel: threading.Event
    ) -> None:
        self.fleet = fleet
        self.cancel = cancel
        self.asked: dict[str, Future[Answer]] = {}
        self._pool = pool
        self._observer = observer
        self._one_at_a_time = threading.Lock()
        self._settling = Settling(cancel)

    def begin(self, probe: Probe) -> None:
        earlier = dict(self.asked)  # a copy: it is read in other threads while more is asked
        self.asked[probe.key] = self._pool.submit(self._answer, probe, earlier)

    def _answer(self, probe: Probe, earlier: dict[str, Future[Answer]]) -> Answer:
        try:
            with engine_errors(probe.host):
                answer = Answer(probe, self._ask(probe, earlier))
        except OverlaykitError as error:
            answer = Answer(probe, error=str(error))
        except Exception as error:  # noqa: BLE001  (or one probe's fault would hide what the others saw)
            answer = Answer(probe, error=own_fault(probe.host, error))
        if self._observer is not None:
            with self._one_at_a_time:
                self._observer(answer)
        return answer

    def _ask(self, probe: Probe, earlier: dict[str, Future[Answer]]) -> dict[str, Any]:  # noqa: PLR0911 - a table, row by row
        match probe:
            case AskNames():
                return ask_names(self.fleet[probe.host], probe)
            case WriteThrough():
                return write_through(self.fleet, probe, self._settling)
            case KnockAtDoors():
                return knock(self.fleet[probe.host], probe)
            case TryPasswords():
                return try_passwords(self.fleet[probe.host], probe, lambda: _written(earlier))
            case CountPackets():
                wait([future for key, future in earlier.items() if not key.startswith("packets")])
                return count_packets(self.fleet[probe.host])
            case TryPairs():
                return try_pairs(self.fleet, probe, self.cancel)
            case EndDatabase():
                return end_database(self.fleet, probe)
            case WatchWire():
                return watch_wire(self.fleet, probe)
        raise TypeError(f"nobody knows how to ask {probe!r}")


def _written(asked: dict[str, Future[Answer]]) -> list[str]:
    """The ids of the entries that this run has written, once they have been read back."""
    ways = [future.result() for future in asked.values()]
    ids = (answer.seen.get("wrote", {}).get("id") for answer in ways)
    return [one for one in ids if one]
