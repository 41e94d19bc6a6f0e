"""The buttons of a panel, and when each may be pressed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets


def button(name: str, tooltip: str, pressed: Callable[[], Any], **look: Any) -> Any:
    """A button; pressed again while it is quiet, as a browser that lags behind may, it does nothing."""
    made = widgets.Button(description=name, tooltip=tooltip, layout=widgets.Layout(width="auto"), **look)
    made.on_click(lambda one: None if one.disabled else pressed())
    return made


class Buttons(widgets.HBox):
    """Plan, Apply, Cancel, Prove, Export."""

    def __init__(
        self,
        *,
        plan: Callable[[], Any],
        apply: Callable[[], Any],
        cancel: Callable[[], Any],
        prove: Callable[[], Any],
        export: Callable[[], Any],
    ) -> None:
        self.plan = button("Plan", "Look at the hosts and show what would be done; changes nothing", plan)
        self.apply = button("Apply", "Do what the plan says, then prove it", apply, button_style="primary")
        self.cancel = button(
            "Cancel", "Begin nothing else: what runs ends first, and Apply goes on from there", cancel, disabled=True
        )
        self.prove = button("Prove", "Ask the hosts whether it is so", prove)
        self.export = button("Export stack.toml", "Write these values beside the notebook", export)
        super().__init__([self.plan, self.apply, self.cancel, self.prove, self.export])
        self.add_class("okp-buttons")

    def follow(self, *, busy: bool, refused: bool, may_change: bool) -> None:
        """Quiet what cannot be done now."""
        self.plan.disabled = busy or refused
        self.apply.disabled = busy or refused or not may_change
        self.cancel.disabled = not busy
        self.prove.disabled = busy or refused
        self.export.disabled = refused

    def __repr__(self) -> str:
        return "Buttons()"
