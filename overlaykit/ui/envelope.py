"""What a machine reads: the one JSON envelope of every command with `--json`.

>>> envelope = Envelope("plan", ok=True)
>>> print(envelope.text())
{"schema": 1, "command": "plan", "ok": true, "hosts": [], "steps": [], "findings": []}

It watches the same events as a progress display, so it tells what was done also where the rest failed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from overlaykit.words.errors import HostError
from overlaykit.words.facts import Facts
from overlaykit.words.findings import Findings
from overlaykit.words.host import Host, Inventory
from overlaykit.words.plan import Event, Plan
from overlaykit.words.steps import Step

SCHEMA = 1

_OF_A_HOST = ("hostname", "kernel", "engine", "cpus", "memory", "swarm_state", "is_manager", "node_addr", "warnings")


@dataclass
class Envelope:
    """Collects what a command saw and did; `error` is there only when something went wrong, `wire` only of `wire`,
    `matrix` only of `check`."""

    command: str
    ok: bool = False
    hosts: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    matrix: list[dict[str, Any]] = field(default_factory=list)  # what each task sees under each name
    wire: dict[str, Any] | None = None  # what `wire` saw, beside its findings
    _begun: dict[int, float] = field(default_factory=dict, repr=False)

    def add_hosts(self, inventory: Inventory, facts: Facts | None = None, errors: Iterable[HostError] = ()) -> None:
        """The hosts as the inventory names them, with what they answered where they were asked."""
        said = {error.host: error.text for error in errors}
        self.hosts = [
            {**_where(host), "error": said.get(host.name), **_what(facts, host.name)} for host in inventory.hosts
        ]

    @property
    def phases_with_steps(self) -> list[str]:
        """Those of which anything was planned."""
        return list(dict.fromkeys(step["phase"] for step in self.steps))

    def add_plan(self, plan: Plan) -> None:
        """The steps of a plan, none of them begun."""
        self.steps += [
            {
                "phase": plan.phase,
                "host": step.host,
                "title": step.title,
                "command": step.command,
                "state": "not begun",
                "seconds": None,
                "error": None,
            }
            for step in plan
        ]

    def watch(self, event: Event) -> None:
        """An observer: how the planned steps go."""
        number = self._number(event.phase, event.step)
        if number is None:
            return
        if event.state == "started":
            self._begun[number] = time.monotonic()
        step = self.steps[number]
        step["state"] = event.state
        if event.state in ("done", "failed", "cancelled") and number in self._begun:
            step["seconds"] = round(time.monotonic() - self._begun[number], 3)
        if event.state == "failed":
            step["error"] = event.text

    def add_findings(self, findings: Findings) -> None:
        """What was found, each with its evidence."""
        self.findings += [finding.as_json() for finding in findings]

    def text(self) -> str:
        """The envelope on one line."""
        parts = ("command", "ok", "hosts", "steps", "findings")
        content = {"schema": SCHEMA, **{part: getattr(self, part) for part in parts}}
        more = {"matrix": self.matrix, "wire": self.wire, "error": self.error}
        return json.dumps({**content, **{key: value for key, value in more.items() if value}}, ensure_ascii=False)

    def _number(self, phase: str, step: Step) -> int | None:
        """Which planned step an event speaks of; None for work that no plan named (a proof's own)."""
        wanted = (phase, step.host, step.command)
        known = ((s["phase"], s["host"], s["command"]) for s in self.steps)
        return next((number for number, key in enumerate(known) if key == wanted), None)


def _where(host: Host) -> dict[str, Any]:
    return {"name": host.name, "role": host.role, "login": host.login, "published": host.published}


def _what(facts: Facts | None, name: str) -> dict[str, Any]:
    if facts is None:
        return {}
    seen = asdict(facts[name])
    told = {} if seen["error"] else {key: seen[key] for key in _OF_A_HOST}  # of a host that is away nothing is known
    return {"error": seen["error"], **told}
