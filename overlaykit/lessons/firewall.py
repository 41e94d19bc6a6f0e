"""Rules that a learner wrote to see what happens when a port is shut, and their removal.

>>> blocking("-A INPUT -p udp -m udp --dport 4789 -j DROP")
['INPUT -p udp -m udp --dport 4789 -j DROP']
>>> lift(hosts)     # on each host
{'node2': ['INPUT -p udp -m udp --dport 4789 -j DROP']}
"""

from __future__ import annotations

import re

from overlaykit.kit import Hosts
from overlaykit.remote.fleet import FleetHost
from overlaykit.words.errors import HostError

_BLOCKS = re.compile(r"^-A ((?:INPUT|OUTPUT|FORWARD|DOCKER-USER) .*-j (?:DROP|REJECT).*)$", re.MULTILINE)
#: The engine's own are in chains of its own, but for those of its bridges and of encrypted networks.
_ENGINES = re.compile(r"-m u32| -[io] (?:docker|br-)")


def blocking(listed: str) -> list[str]:
    """The rules that drop or refuse packets, of what `iptables -S` lists; the engine's own are left out."""
    return [rule for rule in _BLOCKS.findall(listed) if not _ENGINES.search(rule)]


def lift(hosts: Hosts) -> dict[str, list[str]]:
    """Take away the rules that block, on every host that answers; what was taken away, by host."""
    lifted = hosts.fleet.each(_lift)
    return {name: rules for name, rules in lifted.items() if not isinstance(rules, HostError)}


def _lift(host: FleetHost) -> list[str]:
    rules = blocking(host.run("iptables -w -S").stdout)
    for rule in rules:
        host.run(f"iptables -w -D {rule}", check=True)
    return rules
