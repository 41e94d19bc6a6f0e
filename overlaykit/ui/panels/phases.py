"""The panels of the three phases that plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from overlaykit.ui.panels.phase_panel import PhasePanel
from overlaykit.ui.panels.who import WhoTakesPart
from overlaykit.words.stack import Stack

if TYPE_CHECKING:
    from overlaykit.kit import Hosts


class SwarmPanel(PhasePanel):
    """Which hosts take part, and what is chosen once, when the swarm is formed.

    `panel.hosts` are those that are ticked, as `panel.stack` is what is wanted: hand both to whatever comes next. No
    other panel follows by itself, for a panel changes nothing that it was given.
    """

    title = "The swarm"
    phase: ClassVar[str] = "swarm"
    tables: ClassVar[tuple[str, ...]] = ("swarm",)

    def __init__(self, hosts: Hosts, stack: Stack) -> None:
        self._who = WhoTakesPart(hosts, self._who_turned)
        super().__init__(hosts, stack)

    def _parts(self) -> list[Any]:
        return [self._who, *super()._parts()]

    @property
    def _refused(self) -> bool:
        return super()._refused or bool(self._who.refused)

    def _who_turned(self) -> None:
        self.hosts = self._who.hosts
        self._turned()


class NetworkPanel(PhasePanel):
    """Phase 1."""

    title = "Phase 1: the overlay network"
    phase: ClassVar[str] = "network"
    tables: ClassVar[tuple[str, ...]] = ("network",)
    can_recreate: ClassVar[bool] = True


class TiersPanel(PhasePanel):
    """Phase 2."""

    title = "Phase 2: the three tiers"
    phase: ClassVar[str] = "tiers"
    tables: ClassVar[tuple[str, ...]] = ("database", "backend", "frontend")
    can_recreate: ClassVar[bool] = True
