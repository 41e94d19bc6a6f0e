"""The panels of the three phases that plan."""

from __future__ import annotations

from html import escape
from typing import Any, ClassVar

import ipywidgets as widgets

from overlaykit.ui.panels.phase_panel import PhasePanel


class SwarmPanel(PhasePanel):
    """Which hosts take part, and as what, is the inventory's to say; the rest is chosen once, here."""

    title = "The swarm"
    phase: ClassVar[str] = "swarm"
    tables: ClassVar[tuple[str, ...]] = ("swarm",)

    def _parts(self) -> list[Any]:
        who = ", ".join(f"{host.name} as {host.role}" for host in self.hosts.inventory)
        told = f'<p class="okp-hint">Who takes part is the inventory\'s to say: {escape(who)}.</p>'
        return [widgets.HTML(told), *super()._parts()]


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
