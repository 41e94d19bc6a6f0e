"""One panel for each phase: turn the stack's parameters, see the plan, apply it, see the proof.

from overlaykit.ui.panels import NetworkPanel

panel = NetworkPanel(hosts, stack)
panel                               # shown in a notebook; what a person turns is in panel.stack
hosts.tiers(panel.stack).plan()
"""

from __future__ import annotations

from overlaykit.ui.panels.discovery import DiscoveryPanel
from overlaykit.ui.panels.phases import NetworkPanel, SwarmPanel, TiersPanel

__all__ = ["DiscoveryPanel", "NetworkPanel", "SwarmPanel", "TiersPanel"]
