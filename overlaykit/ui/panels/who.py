"""Who takes part: a box to tick for each host of the inventory.

>>> who = WhoTakesPart(hosts, turned=print)
>>> who.input.value = ("node1", "node2")
>>> who.hosts
node1: manager
node2: worker
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

import ipywidgets as widgets

from overlaykit.ui.panels.form import Control
from overlaykit.ui.panels.inputs import HostChoice
from overlaykit.words.errors import InputError

if TYPE_CHECKING:
    from overlaykit.kit import Hosts

_ASKED = "take part"


class WhoTakesPart(Control):
    """`hosts` are those that are ticked, over the same connections; while a choice is refused, the last ones."""

    def __init__(self, hosts: Hosts, turned: Callable[[], None]) -> None:
        self.hosts = hosts
        self.refused = ""
        self._all = hosts
        self._turned = turned
        names = [host.name for host in hosts.inventory]
        roles = ", ".join(f"{host.name} as {host.role}" for host in hosts.inventory)
        boxes = HostChoice(
            names, names, _ASKED, "ticked: the host takes part; what it is in the swarm, the inventory says"
        )
        self._others = widgets.HTML(layout=widgets.Layout(display="none"))
        super().__init__(_ASKED, boxes, f"as what, is the inventory's to say: {roles}", self._others)
        self.input.observe(lambda _: self._take(), "value")

    def _take(self) -> None:
        try:
            self.hosts, self.refused = self._all.only(*self.input.value), ""
        except InputError as error:
            self.refused = str(error)
        self.refuse(self.refused)
        self._say_of_the_others()
        self._turned()

    def _say_of_the_others(self) -> None:
        """Taking a host out is no panel's work: it says what is so, and how a person does it."""
        out = [host.name for host in self._all.inventory if host.name not in self.input.value]
        self._others.layout.display = "none" if self.refused or not out else None
        self._others.value = f'<p class="okp-note">{_of_the_others(out)}</p>' if out else ""


def _of_the_others(out: list[str]) -> str:
    names = escape(", ".join(out))
    return (
        f"Nothing is done on {names}. Who is in the swarm already stays in it: <code>docker swarm leave</code> there "
        "and <code>docker node rm</code> on a manager take a host out, <code>overlaykit down</code> takes all away."
    )
