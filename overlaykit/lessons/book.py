"""What stands in the guest book, read through the published port of a host.

>>> "before the drain" in messages(hosts, stack, "node1")
True
"""

from __future__ import annotations

import requests

from overlaykit.kit import Hosts
from overlaykit.lessons.visits import LONGEST, guest_address, straight
from overlaykit.words.stack import Stack


def messages(hosts: Hosts, stack: Stack, name: str) -> list[str]:
    """The newest entries' messages, newest first; none where the book cannot be read."""
    address = guest_address(hosts.inventory[name], stack.frontend.published_port)
    try:
        answer = straight().get(f"{address}/api/entries", timeout=LONGEST)
        return [entry["message"] for entry in answer.json()["entries"]] if answer.ok else []
    except requests.RequestException:
        return []
