"""What a kind of practice host must be able to do; the lab is the same on all of them.

User-mode Linux (`kernels.py`) is the first kind.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from overlaykit.lab.layout import Lab, Node


class Backend(Protocol):
    """Makes hosts run. Each method may be called again when what it does is done already."""

    def connect(self, lab: Lab) -> None:
        """Lay the wire between the hosts, with SSH and port 80 of each on 127.0.0.1."""

    def power_on(self, lab: Lab, node: Node) -> None:
        """Start one host, on the disk that it has. Returns before it answers."""

    def power_off(self, lab: Lab, node: Node) -> None:
        """End one host at once, as if its plug were pulled."""

    def wipe(self, lab: Lab, node: Node) -> None:
        """Give one host, powered off, a fresh disk."""

    def running(self, lab: Lab) -> Collection[str]:
        """The names of the hosts that are on."""

    def console(self, lab: Lab, node: Node) -> str:
        """What one host said since it was last powered on."""

    def remove(self, lab: Lab) -> None:
        """End everything, the wire too."""
