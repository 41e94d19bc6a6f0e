"""A cell that needs what the hosts have not says so in one sentence, in place of failing.

stand_in({"IPVS": "The kernel of node1, node2, node3 has no IPVS"})

From now on a cell is run up to its line `# needs IPVS: a virtual IP`, and then shows

    not available here: a virtual IP. The kernel of node1, node2, node3 has no IPVS.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from overlaykit.lessons.needs import Need, run_up_to

_STYLE = "border-left:4px solid var(--jp-info-color1, #0288d1);padding:.3em .8em;margin:.2em 0"


class NotHere:
    """What a cell shows that cannot be run on these hosts."""

    def __init__(self, need: Need, reason: str) -> None:
        self.text = need.sentence(reason)

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f'<div role="status" style="{_STYLE}">{escape(self.text)}</div>'


@magics_class
class StandIn(Magics):
    """`%not_here` stands for the rest of such a cell: a magic, since a notebook may give any name to its own things."""

    def __init__(self, shell: Any, reasons: Mapping[str, str]) -> None:
        super().__init__(shell)
        self.reasons = reasons

    @line_magic
    @no_var_expand
    def not_here(self, line: str) -> NotHere:
        """Say what is not available, and why."""
        kind, _, what = line.partition(": ")
        return NotHere(Need(kind, what), self.reasons[kind])

    def stand_in(self, lines: list[str]) -> list[str]:
        """A cell's lines, as IPython is to read them."""
        cut = run_up_to("".join(lines), self.reasons)
        if cut is None:
            return lines
        before, need = cut
        return [*before.splitlines(keepends=True), f"%not_here {need.kind}: {need.what}\n"]


def stand_in(reasons: Mapping[str, str]) -> None:
    """Have cells that need what is missing say so; what held for an earlier lesson's hosts holds no more."""
    if shell := get_ipython():
        magics = StandIn(shell, reasons)
        shell.register_magics(magics)
        earlier = shell.input_transformers_cleanup
        earlier[:] = [one for one in earlier if not isinstance(getattr(one, "__self__", None), StandIn)]
        earlier.append(magics.stand_in)
