"""What a cell needs that not every host has, as the cell itself says it, and why these hosts have it not.

    # needs IPVS: a virtual IP

>>> needs_of(source)
[Need(kind='IPVS', what='a virtual IP')]
>>> lacking(hosts)
{'IPVS': 'The kernel of node1, node2, node3 has no IPVS'}

Such a line is a comment in Python and in a shell script alike, so where nothing is missing the cell is plain code.
Where something is, one sentence stands for all that follows the line: see `ui/notebook/needs.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from overlaykit.kit import Hosts
from overlaykit.lab import lab as practice
from overlaykit.words.facts import Facts

#: What may be missing: two parts of a host's kernel, and that each host has a kernel of its own.
KINDS = ("IPVS", "ESP", "kernels")
_NEED = re.compile(rf"^# needs ({'|'.join(KINDS)}): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Need:
    """`what` cannot be had where `kind` is missing."""

    kind: str
    what: str

    def sentence(self, reason: str) -> str:
        """What stands where the cell's output would."""
        return f"not available here: {self.what}. {reason}."


def needs_of(source: str) -> list[Need]:
    """What a cell says that it needs, in order."""
    return [Need(*found) for found in _NEED.findall(source)]


def run_up_to(source: str, missing: Collection[str]) -> tuple[str, Need] | None:
    """What of a cell is run, and what the rest needs and is missing; None where all of it is run.

    A script for a host is one piece: it is run as a whole or not at all.
    """
    for found in _NEED.finditer(source):
        if found[1] in missing:
            return "" if source.startswith("%%") else source[: found.start()], Need(found[1], found[2])
    return None


def lacking(hosts: Hosts) -> dict[str, str]:
    """What is missing on these hosts, and why; empty where a lesson's every cell can be run."""
    lab = practice.find_lab(hosts.where) if hosts.inventory.lab else None
    return reasons(hosts.look_at_engines(), one_kernel=lab is not None and lab.backend == "containers")


def reasons(facts: Facts, *, one_kernel: bool) -> dict[str, str]:
    """Of what could not be seen nothing is said: the cell is run, and shows what comes of it."""
    without = {
        "IPVS": [host.name for host in facts if host.has_ipvs is False],
        "ESP": [host.name for host in facts if host.can_encrypt is False],
    }
    found = {kind: f"The kernel of {', '.join(names)} has no {kind}" for kind, names in without.items() if names}
    if one_kernel:
        names = ", ".join(host.name for host in facts)
        found["kernels"] = f"{names} are containers on one machine, and share its kernel"
    return found
