"""The controls of a stack: one for each parameter, its meaning beside it, and beneath it why a value is refused.

>>> form = Form(Stack(), ["network"], hosts=["node1", "node2"], turned=print)
>>> form["network.subnet"].input.value = "10.30.0.0/24"
>>> form.stack.network.subnet
'10.30.0.0/24'

What the parameters are, what is allowed and what is said comes from `words/stack.py` alone: one that is added
there is here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import Field
from html import escape
from typing import Any

import ipywidgets as widgets

from overlaykit.ui.panels.inputs import make_input
from overlaykit.words import allowed
from overlaykit.words.errors import StackError
from overlaykit.words.stack import TIERS, Stack, parameters

#: What a tier shows at once, in this order; all else is under "more". Other tables show all that they have.
AT_ONCE = ("host", "replicas", "placement", "published_port", "image", "memory")


class Control(widgets.VBox):
    """One choice: its input, what it means, and beneath it why a value is refused."""

    def __init__(self, name: str, asked: Any, meaning: str, *beneath: Any) -> None:
        self.parameter = name
        self.input = asked
        self._refused = widgets.HTML(layout=widgets.Layout(display="none"))
        row = widgets.HBox([self.input, widgets.HTML(f'<span class="okp-hint">{escape(meaning)}</span>')])
        row.add_class("okp-row")
        super().__init__([row, self._refused, *beneath])

    def refuse(self, sentence: str) -> None:
        """Say beneath the input why its value is refused; an empty sentence takes that back."""
        self._refused.value = f'<p class="okp-refused" role="alert">{escape(sentence)}</p>' if sentence else ""
        self._refused.layout.display = None if sentence else "none"
        (self.input.add_class if sentence else self.input.remove_class)("okp-wrong")

    def __repr__(self) -> str:
        return f"Control({self.parameter})"


class Form(widgets.VBox):
    """The controls of some tables of a stack. `turned` is called after each change, refused or not."""

    def __init__(
        self, stack: Stack, tables: Iterable[str], *, hosts: Sequence[str], turned: Callable[[], None]
    ) -> None:
        self.stack = stack
        self.refused: dict[str, str] = {}
        self._turned = turned
        shown = [(name, spec) for name, spec in parameters() if _is_shown(name, spec, tables)]
        self._controls = {
            name: Control(name, make_input(name, spec, stack.get(name), hosts), spec.metadata["doc"])
            for name, spec in shown
        }
        super().__init__([part for table in tables for part in self._section(table)])
        for control in self._controls.values():
            control.input.observe(lambda _, turned=control: self._take(turned), "value")

    def __getitem__(self, parameter: str) -> Control:
        return self._controls[parameter]

    def __repr__(self) -> str:
        return f"Form({', '.join(self._controls)})"

    def _take(self, control: Control) -> None:
        """A new stack with the value, or the sentence that says why not; then the last one that was allowed stays."""
        try:
            self.stack = self.stack.set(control.parameter, control.input.value)
            self.refused.pop(control.parameter, None)
        except StackError as error:
            self.refused[control.parameter] = error.problems[0].text
        control.refuse(self.refused.get(control.parameter, ""))
        self._turned()

    def _section(self, table: str) -> list[Any]:
        inside = {name.rpartition(".")[2]: one for name, one in self._controls.items() if name.startswith(f"{table}.")}
        if table not in TIERS:
            return list(inside.values())
        first = [inside[key] for key in AT_ONCE if key in inside]
        rest = [control for key, control in inside.items() if key not in AT_ONCE]
        more = widgets.Accordion([widgets.VBox(rest)], titles=(f"more of the {table}",))
        more.add_class("okp-more")
        return [widgets.HTML(f'<h4 class="okp-tier okp-{table}">{table}</h4>'), *first, more]


def _is_shown(name: str, spec: Field[Any], tables: Iterable[str]) -> bool:
    """All of the tables but lists of text: environment variables may hold what is nobody's to see."""
    is_list_of_text = isinstance(spec.default, tuple) and spec.metadata["check"] is not allowed.hosts
    return name.rpartition(".")[0] in tables and not is_list_of_text
