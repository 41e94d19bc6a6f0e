"""Joins thinking and hands for a Python user: look, plan, apply, prove, phase by phase.

    >>> from overlaykit import connect, Stack
    >>> hosts = connect("lab")
    >>> stack = Stack().set("frontend.replicas", 3)
    >>> hosts.network(stack).plan()
    node1: create network guestbook
    >>> hosts.network(stack).apply()
    node1: create network guestbook: done
    >>> hosts.network(stack).plan()
    network: nothing to do
    >>> hosts["node1"].docker.networks.list(names=["guestbook"])

Read on in inventories.py (how hosts.ini becomes hosts; `reading/` reads it) and verbs.py (the five verbs of each
phase), then in `phases/` (what is planned and proved, without touching a host) and in `remote/` (what touches one).
What `overlaykit up` does is a loop over `hosts.phases(stack)`: ui/carry_out.py.
"""

from __future__ import annotations

from pathlib import Path

from overlaykit.connected import Connected
from overlaykit.inventories import find_inventory
from overlaykit.materials import kit_images
from overlaykit.remote.fleet import Fleet, OnRequest
from overlaykit.verbs import DiscoveryPhase, DownPhase, NetworkPhase, Phase, SwarmPhase, TiersPhase
from overlaykit.wire import WirePhase
from overlaykit.words.host import Inventory
from overlaykit.words.plan import PHASES
from overlaykit.words.secret import Secret
from overlaykit.words.stack import Stack


def connect(
    inventory: str | Path | Inventory | None = None,
    *,
    allow_changes: bool = False,
    adopt: bool = False,
    managers: str = "managers",
    workers: str = "workers",
    become_password: Secret | None = None,
    on_request: OnRequest | None = None,
) -> Hosts:
    """One SSH connection to each host of an inventory, opened side by side.

    `inventory` is "lab" (or "lab:NAME"), a file, or nothing: then OVERLAYKIT_INVENTORY, else hosts.ini in this
    folder or one above, else the running lab. A host that does not answer hides no other: `hosts.unreachable`.

    Hosts that the lab did not make are other people's property: on them `apply` refuses until
    `allow_changes=True`; `adopt=True` uses a swarm that is there already. `on_request(host, method, path)` is told
    of every request to an engine. Raises InventoryError.
    """
    found = inventory if isinstance(inventory, Inventory) else find_inventory(inventory, managers, workers)
    fleet = Fleet.open(found, become_password=become_password, on_request=on_request)
    return Hosts(found, fleet, allow_changes=allow_changes or found.lab is not None, adopt=adopt)


class Hosts(Connected):
    """The hosts of an inventory, connected, and the phases that they go through."""

    def swarm(self, stack: Stack) -> SwarmPhase:
        """The swarm over all hosts."""
        return SwarmPhase(self, stack)

    def network(self, stack: Stack) -> NetworkPhase:
        """Phase 1: the overlay network."""
        return NetworkPhase(self, stack)

    def tiers(self, stack: Stack) -> TiersPhase:
        """Phase 2: database, backend, frontend."""
        return TiersPhase(self, stack)

    def discovery(self, stack: Stack) -> DiscoveryPhase:
        """Phase 3: names that resolve, tiers that answer. It looks and proves; it plans nothing."""
        return DiscoveryPhase(self, stack)

    def wire(self, stack: Stack, word: str = "") -> WirePhase:
        """What crosses between the hosts while a word (yours, or a new one) goes through the stack."""
        return WirePhase(self, stack, word)

    def down(self, stack: Stack, *, volumes: bool = False) -> DownPhase:
        """The way back: remove what the kit made, and prove that nothing is left."""
        return DownPhase(self, stack, volumes)

    def phases(self, stack: Stack, until: str = "tiers") -> tuple[Phase, ...]:
        """The phases of `overlaykit up`, in order. What the last needs is asked for before any changes are made."""
        if until == PHASES[-1]:
            kit_images(self.inventory.lab, stack)
        every = (self.swarm(stack), self.network(stack), self.tiers(stack))
        return every[: PHASES.index(until) + 1]
