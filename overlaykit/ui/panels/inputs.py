"""The input of each parameter, chosen by what the parameter is. Its `value` is what `Stack.set` takes.

>>> make_input("backend.replicas", spec, 1, ["node1", "node2"]).value
1
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets

from overlaykit.words import allowed

LABEL_WIDTH = "8.5em"
#: As far as a slider goes at first; a larger number that is typed makes it longer.
SLIDER_END = 9


class Slider(anywidget.AnyWidget):
    """The browser's own slider, from 0."""

    _esm = Path(__file__).with_name("slider.js")
    value = traitlets.Int(0).tag(sync=True)
    max = traitlets.Int(SLIDER_END).tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)


class Count(widgets.HBox):
    """A number to type and a slider to turn, which follow each other."""

    value = traitlets.Int()

    def __init__(self, value: int, check: allowed.Check, label: str, **look: Any) -> None:
        self._check = check
        self._number = widgets.IntText(value, continuous_update=True, **look)
        self._slider = Slider(value=value, max=max(SLIDER_END, value), label=label)
        super().__init__([self._number, self._slider])
        self.value = value
        traitlets.link((self._number, "value"), (self, "value"))
        self._slider.observe(lambda change: self.set_trait("value", change["new"]), "value")
        self.observe(self._follow, "value")

    def _follow(self, _: object) -> None:
        if self._check(self.value) is None:  # the slider stays where it is while a number is refused
            self._slider.max = max(self._slider.max, self.value)
            self._slider.value = self.value


class HostChoice(widgets.HBox):
    """A box to tick for each host. What none ticked means is its owner's to say: any of them, or a refusal."""

    value = traitlets.Tuple()

    def __init__(self, value: Sequence[str], hosts: Sequence[str], description: str, tooltip: str) -> None:
        self._boxes = {
            host: widgets.Checkbox(host in value, description=host, tooltip=tooltip, indent=False)
            for host in dict.fromkeys((*hosts, *value))
        }
        label = widgets.HTML(f'<span class="okp-label">{escape(description)}</span>')
        super().__init__([label, *self._boxes.values()])
        self.add_class("okp-hosts")
        self.value = tuple(value)
        for box in self._boxes.values():
            box.observe(self._ticked, "value")

    def _ticked(self, _: object) -> None:
        self.value = tuple(host for host, box in self._boxes.items() if box.value)


def make_input(name: str, spec: Field[Any], value: Any, hosts: Sequence[str]) -> Any:
    """The input of a parameter, named as in the stack file."""
    look = {
        "description": name.rpartition(".")[2].replace("_", " "),
        "tooltip": f"{name}: {spec.metadata['doc']}",
    }
    if spec.metadata["check"] is allowed.hosts:
        return HostChoice(value, hosts, **look)
    look_of_one = {**look, "style": {"description_width": LABEL_WIDTH}}
    if name.endswith(".replicas"):
        return Count(value, spec.metadata["check"], name.replace(".", " "), **look_of_one)
    if name.endswith(".host"):
        return widgets.Dropdown(options=_hosts_or_last(hosts, value), value=value, **look_of_one)
    return _BY_TYPE[type(spec.default)](value, **look_of_one)


def _hosts_or_last(hosts: Sequence[str], value: str) -> list[tuple[str, str]]:
    """What may be chosen; a host that the inventory does not name stays, for the plan to speak of it."""
    named = dict.fromkeys((*hosts, *([value] if value else [])))
    return [(f"{hosts[-1]}, the last", ""), *((host, host) for host in named)]


def _text(value: str, **look: Any) -> Any:
    return widgets.Text(value, continuous_update=True, **look)


def _whole(value: int, **look: Any) -> Any:
    """Without bounds: a number that is refused is to be seen, and told why, rather than cut off in silence."""
    return widgets.IntText(value, continuous_update=True, **look)


_BY_TYPE: dict[type, Callable[..., Any]] = {
    bool: widgets.Checkbox,
    int: _whole,
    float: widgets.FloatText,
    str: _text,
}
