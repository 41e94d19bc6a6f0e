"""What encryption between the hosts leaves open: at port 80, and inside the hosts.

>>> overhear(hosts, stack, "open-sesame")
at port 80, as the browser sent it: readable
beside the frontend, in its host: readable
beside the backend, in its host: readable
"""

from __future__ import annotations

from overlaykit.kit import Hosts
from overlaykit.phases.overheard import heard, wanted_ears
from overlaykit.remote.probes import overhear as ears
from overlaykit.words.errors import PlanRefused
from overlaykit.words.overheard import Overheard
from overlaykit.words.stack import Stack
from overlaykit.words.wire import usable_word


def overhear(hosts: Hosts, stack: Stack, word: str) -> Overheard:
    """Send the word through a published port to the backend, and listen where it passes inside the hosts.

    It writes nothing, and starts a short-lived container at each place. Raises PlanRefused where nobody has allowed
    that.
    """
    usable_word(word)
    if not hosts.allow_changes:
        raise PlanRefused("These hosts are not the lab's: nobody listened there. ALLOW_CHANGES = True allows it.")
    facts = hosts.look()
    asked = wanted_ears(facts, stack, word)
    answer = ears.overhear(hosts.fleet, asked)
    captures = answer["captures"]
    from overlaykit.reading.packets import read_packets  # noqa: PLC0415  (it takes half a second)

    data_port = facts.swarm.data_path_port if facts.swarm else 4789
    packets = {place: read_packets(capture, data_port, word) for place, capture in captures.items()}
    return heard(asked, captures, packets, answer["error"])
