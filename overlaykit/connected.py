"""The hosts of an inventory, connected: `hosts["node1"].docker` is an ordinary docker.DockerClient.

>>> hosts["node1"].run("uname -r").stdout
>>> hosts.look()["node1"].engine
>>> hosts.unreachable
{}

`look()` is all that one needs. `look_again` and `look_at_engines` see the same and ask less: phases take them after one
has been applied, when most of what is has just been seen, and to prove discovery.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Self

from overlaykit.phases.facts import read_facts, read_swarm
from overlaykit.remote.fleet import Fleet, FleetHost
from overlaykit.remote.look import Answers, gather, look_at_swarm
from overlaykit.words.errors import HostError
from overlaykit.words.facts import Facts
from overlaykit.words.host import Inventory


class Connected:
    """The hosts of an inventory, connected. `hosts["node1"].docker` is an ordinary docker.DockerClient."""

    def __init__(self, inventory: Inventory, fleet: Fleet, *, allow_changes: bool, adopt: bool) -> None:
        self.inventory = inventory
        self.fleet = fleet
        self.allow_changes = allow_changes
        self.adopt = adopt
        self._standing: dict[str, str] = {}
        self._answered: dict[str, Answers] = {}
        self._just_tried: Mapping[str, HostError] = fleet.unreachable

    def __getitem__(self, name: str) -> FleetHost:
        return self.fleet[name]

    def __iter__(self) -> Iterator[FleetHost]:
        return (self.fleet[host.name] for host in self.inventory)

    def __len__(self) -> int:
        return len(self.inventory)

    def __repr__(self) -> str:
        return "\n".join(f"{host.name}: {host.role}" for host in self.inventory)

    def only(self, *names: str) -> Self:
        """A part of the hosts, over the same connections: `hosts.only("node1", "node2").swarm(stack).apply()`.

        Phases look at these alone, and do nothing on the others: who is in the swarm stays in it, and the tiers' tasks
        leave it when the tiers are applied. Closing a part hangs up on all. `down` of a part takes the stack away
        everywhere, and on the lab the swarm, in which hosts that were left out stay behind. Raises InputError for an
        unknown name, and where no manager is left.
        """
        part = type(self)(
            self.inventory.only(*names), self.fleet.only(*names), allow_changes=self.allow_changes, adopt=self.adopt
        )
        part._standing = self._standing
        part._just_tried = {name: error for name, error in self._just_tried.items() if name in names}
        return part

    @property
    def unreachable(self) -> Mapping[str, HostError]:
        """The hosts that did not answer, each with its error."""
        return self.fleet.unreachable

    @property
    def where(self) -> str:
        """What tells these hosts from others: the lab's name, or the inventory's file."""
        return self.inventory.lab or self.inventory.source

    def look(self) -> Facts:
        """What is, from every host."""
        return self._look({})

    def look_at_engines(self) -> Facts:
        """What is, as the engines say it; who else listens on a host is as it was at the last look.

        A start of a process is dear on a small host, and a swarm that has just been formed needs none to be seen.
        """
        return self._look(self._answered)

    def _look(self, before: Mapping[str, Answers]) -> Facts:
        silent, self._just_tried = self._just_tried, {}
        answers = gather(self.fleet, self._standing, silent, before)
        self._answered = answers["hosts"]
        return read_facts(answers, self.inventory)

    def look_again(self, known: Facts) -> Facts:
        """What is, as the swarm's manager lists it; what is known of the hosts themselves is kept.

        All are asked again where a service has gone that published a port: they listen there no more.
        """
        manager = known.swarm.host if known.swarm else self.inventory.managers[0].name
        hosts = tuple(replace(host, running=None) for host in known.hosts)
        swarm = read_swarm(look_at_swarm(self.fleet[manager]), hosts, self.inventory)
        if known.swarm and known.swarm.published - swarm.published:
            return self.look()
        return replace(known, hosts=hosts, swarm=swarm)

    def close(self) -> None:
        """Hang up on every host."""
        self.fleet.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
