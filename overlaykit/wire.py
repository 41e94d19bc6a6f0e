"""What is on the wire, as a phase: it looks and proves, and plans nothing.

    >>> wire = hosts.wire(stack, word="open-sesame")
    >>> seen = wire.listen()
    >>> seen
    guestbook: plaintext
    ingress: plaintext
    >>> print(seen.packet.details())        # the word, in the packet that carried it
    >>> wire.prove()                        # as the stack says?

phases/wire.py thinks of what to capture and judges it, remote/probes/tap.py captures, reading/packets.py opens the
packets.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from overlaykit.phases import wire
from overlaykit.phases.proofs.on_the_wire import NOT_LISTENED
from overlaykit.reading.pcap import as_pcapng
from overlaykit.remote.probes.ask import run_probes
from overlaykit.verbs import Phase
from overlaykit.words.errors import InputError, PlanRefused
from overlaykit.words.facts import Facts
from overlaykit.words.findings import Findings
from overlaykit.words.plan import Plan
from overlaykit.words.probes import Answer, AnswerObserver
from overlaykit.words.wire import Capture, Packet, Wire, usable_word


@dataclass(frozen=True)
class WirePhase(Phase):
    """The hosts' wire, while a word goes through the stack: `word`, or a new one each time."""

    word: str = ""

    def __post_init__(self) -> None:
        if self.word:
            usable_word(self.word)

    def plan(self, *, facts: Facts | None = None, recreate: bool = False) -> Plan:
        return Plan("wire")

    def listen(self, facts: Facts | None = None, observer: AnswerObserver | None = None) -> Wire:
        """Capture on every host while the word goes through the stack, and judge what was captured.

        It writes an entry through each host and strikes it out again, and starts a short-lived container on each:
        on hosts that the lab did not make, only with `connect(…, allow_changes=True)`. Raises PlanRefused.
        """
        if not self.hosts.allow_changes:
            raise PlanRefused(
                f"the hosts of {self.hosts.inventory.source} are not the lab's: nothing was captured. A capture starts "
                "a container on each and writes into the guest book; say connect(…, allow_changes=True)."
            )
        return self.ask(facts or self.look(), observer)

    def ask(self, facts: Facts, observer: AnswerObserver | None = None) -> Wire:
        """The same, where somebody has agreed to it already."""
        probe = wire.wanted_capture(facts, self.stack, self.word or f"canary-{secrets.token_hex(8)}")
        (answer,) = run_probes(self.hosts.fleet, (probe,), observer)
        return wire.judge(facts, self.stack, answer, _packets(answer, probe.data_port, probe.word))

    def prove(
        self, *, facts: Facts | None = None, packets: bool = True, cancel: threading.Event | None = None
    ) -> Findings:
        if not (packets and self.hosts.allow_changes):
            return Findings((NOT_LISTENED,))
        return self.listen(facts).findings  # a capture is short, and is read to its end


def _packets(answer: Answer, data_port: int, word: str) -> list[Packet]:
    """The packets of every capture; dpkt is imported when there are any to read."""
    from overlaykit.reading.packets import read_packets  # noqa: PLC0415  (it takes a quarter of a second)

    captures: Sequence[Capture] = list(answer.seen.get("captures", {}).values())
    return [packet for capture in captures for packet in read_packets(capture, data_port, word)]


class CaptureFile:
    """A file for Wireshark that is there whole or not at all, and takes no other file's place.

    with CaptureFile.beside(Path("wire.pcapng")) as file:    # InputError, before anything is captured
        file.save(seen.captures)
    """

    def __init__(self, path: Path, draft: Path) -> None:
        self.path = path
        self._draft = draft

    @classmethod
    @contextmanager
    def beside(cls, path: Path) -> Iterator[CaptureFile]:
        """Try now whether it can be written; leave nothing when it was not."""
        _refuse_taken(path)  # a folder too, which has no name to put a draft beside
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            draft.touch(0o600, exist_ok=False)
        except OSError as error:
            raise InputError(f"{path}: the capture cannot be written there: {error.strerror or error}") from error
        try:
            yield cls(path, draft)
        finally:
            draft.unlink(missing_ok=True)

    def save(self, captures: Sequence[Capture]) -> None:
        """Write it beside, then give it its name."""
        try:
            self._draft.write_bytes(as_pcapng(captures))
            _refuse_taken(self.path)
            self._draft.rename(self.path)
        except OSError as error:
            raise InputError(f"{self.path}: the capture was not written: {error.strerror or error}") from error


def _refuse_taken(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise InputError(f"{path} is there already and was left as it is: choose another name, or remove it")
