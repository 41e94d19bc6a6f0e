"""`overlaykit wire`: what crosses between the hosts, as anybody on the wire would read it.

overlaykit wire
overlaykit wire --word open-sesame --pcap wire.pcapng
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from overlaykit.ui.carry_out import agree
from overlaykit.ui.options import Run, Target, on_hosts, yes_option
from overlaykit.ui.progress import waiting
from overlaykit.ui.screen import stop_on_interrupt
from overlaykit.ui.tables import print_findings, table, verdict
from overlaykit.words.wire import Hop, NetworkOnWire, Packet, Wire, usable_word

if TYPE_CHECKING:
    from rich.table import Table

    from overlaykit.ui.screen import Screen

_NETWORK_COLUMNS = (
    "network",
    "VXLAN id",
    "verdict",
    "in the clear",
    "with the word",
    "in ESP",
    "bytes added",
    "MTU left",
)
_HOP_COLUMNS = ("a request's way", "from", "to", "network", "the word was")
#: Characters of a payload on each side of the word.
_AROUND = 60


@click.command()
@click.option(
    "--word", metavar="WORD", default="", help="The word to send and to look for. Default: a new one each time."
)
@click.option("--pcap", metavar="FILE", type=click.Path(path_type=Path), help="Keep what was captured, for Wireshark.")
@yes_option
@on_hosts
def wire(run: Run, target: Target, *, word: str, pcap: Path | None, yes: bool) -> int:
    """Capture between the hosts while a word goes through the stack.

    Says whether it could be read, network by network. The word goes through port 80 of each host, as an
    entry that is struck out again, and a short-lived container on each captures. Exits 0 when the stack's
    network crosses as the stack says (network.encrypted), 1 when it does not, or when it could not be
    told. The ingress network is told of for itself, and decides nothing. On hosts that no lab made, it
    asks first.

    \b
    $ overlaykit wire --word open-sesame --pcap wire.pcapng
    """
    stack = target.stack()
    if word:
        usable_word(word)
    with ExitStack() as held:
        from overlaykit.wire import CaptureFile  # noqa: PLC0415  (it brings Docker's SDK: --help need not wait)

        file = held.enter_context(CaptureFile.beside(pcap)) if pcap else None
        reached = held.enter_context(target.connect(run))
        facts = reached.look()
        run.envelope.add_hosts(reached.inventory, facts)
        agree(run, reached, "start a container that captures there, and write entries that are struck out again", yes)
        with (
            waiting(run.screen, "listening on every host while the word goes through the stack"),
            stop_on_interrupt(run.screen),  # once it was written, the word is struck out again
        ):
            seen = reached.wire(stack, word).ask(facts)
        run.envelope.wire = seen.as_json()
        run.envelope.add_findings(seen.findings)
        _show(run.screen, seen)  # before the file: what was seen is told though its disk be full
        if file:
            file.save(seen.captures)
            run.screen.say(f"wrote {pcap}")
    run.screen.say(verdict(seen.findings), style="bold")
    return 0 if seen.as_wanted else 1


def _show(screen: Screen, seen: Wire) -> None:
    screen.say(f"the word: {seen.word}")
    screen.show(networks_table(seen.networks))
    screen.show(hops_table(seen.hops))
    if seen.packet:
        screen.say("the word in a packet:" if seen.packet.readable else "a packet of its way:", style="bold")
        _show_packet(screen, seen.packet, seen.word)
    print_findings(screen, seen.findings)


def networks_table(networks: tuple[NetworkOnWire, ...]) -> Table:
    """Each network with its verdict and what it costs."""
    return table(_NETWORK_COLUMNS, map(_network_row, networks))


def _network_row(one: NetworkOnWire) -> tuple[str, ...]:
    ids = ", ".join(map(str, one.vxlan_ids)) or "?"
    cost = ("" if number is None else str(number) for number in (one.overhead, one.mtu))
    return (one.name, ids, one.verdict, str(one.clear), str(one.hits), str(one.esp), *cost)


def hops_table(hops: tuple[Hop, ...]) -> Table:
    """Each part of a request's way with its hosts."""
    rows = ((f"{hop.source} → {hop.target}", hop.from_host, hop.to_host, hop.network, hop.seen) for hop in hops)
    return table(_HOP_COLUMNS, rows)


def _show_packet(screen: Screen, packet: Packet, word: str) -> None:
    """Each layer within the one before it."""
    for depth, layer in enumerate(packet.layers):
        values = ", ".join(f"{name} {_short(value, word)}" for name, value in layer.values.items())
        screen.say(f"  {'  ' * depth}{layer.name}: {values}")


def _short(value: str, word: str) -> str:
    """A long text around the word."""
    if len(value) <= 2 * _AROUND:
        return value
    place = max(value.find(word), 0)
    return f"…{value[max(place - _AROUND, 0) : place + len(word) + _AROUND]}…"
