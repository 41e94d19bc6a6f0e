"""How fast two hosts are with each other: past the stack's overlay, and through it.

>>> speeds = measure(hosts, stack)
>>> speeds
host network, overlay
>>> print(speeds.details())
host network, from node2 to node3: 305 Mbit/s, 0.41 ms there and back
…
"""

from __future__ import annotations

from overlaykit.kit import Hosts
from overlaykit.phases.speed import read_speeds, wanted_speed
from overlaykit.remote.probes.speed import measure_speed
from overlaykit.words.errors import PlanRefused
from overlaykit.words.speed import Speeds
from overlaykit.words.stack import Stack


def measure(hosts: Hosts, stack: Stack) -> Speeds:
    """Some rounds by either way, between the hosts of backend and database, in containers that are removed again.

    Raises PlanRefused where nobody has allowed that, or where the two do not run on two hosts.
    """
    if not hosts.allow_changes:
        raise PlanRefused("These hosts are not the lab's: nothing was measured. ALLOW_CHANGES = True allows it.")
    asked = wanted_speed(hosts.look(), stack)
    return read_speeds(asked, measure_speed(hosts.fleet, asked))
