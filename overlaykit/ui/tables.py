"""What was seen, planned and found, as a person reads it: quiet where all is well, exact where it is not.

screen.show(hosts_table(inventory, facts))
print_plan(screen, plan)
print_findings(screen, findings)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from overlaykit.ui.screen import Screen
from overlaykit.words.facts import Facts, HostFacts
from overlaykit.words.findings import Finding, Findings
from overlaykit.words.host import Host, Inventory
from overlaykit.words.plan import Plan
from overlaykit.words.probes import Row

if TYPE_CHECKING:
    from rich.table import Table

_STYLE = {"ok": "green", "warning": "yellow", "error": "bold red", "unknown": "magenta"}
_WORD = {"ok": "ok", "warning": "warning", "error": "FAILED", "unknown": "unknown"}
_MATRIX_COLUMNS = ("from task", "on", "name", "resolves to", "connects", "answers", "peer on", "")
_HOST_COLUMNS = ("host", "role", "login", "swarm", "engine", "kernel", "CPUs", "memory")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Rows under columns, with no more lines than it takes to read them."""
    from rich.table import Table  # noqa: PLC0415  (rich is slow to import)

    made = Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for row in rows:
        made.add_row(*row)
    return made


def hosts_table(inventory: Inventory, facts: Facts) -> Table:
    """What each host is; the ones that did not answer are told in sentences of their own."""
    return table(_HOST_COLUMNS, (_host_row(host, facts[host.name]) for host in inventory.hosts))


def _host_row(host: Host, seen: HostFacts) -> tuple[str, ...]:
    where = (host.name, host.role, host.login)
    if seen.error is not None:
        return (*where, "no answer", "", "", "", "")
    memory = f"{seen.memory / 1024**3:.1f} GiB"
    return (*where, _membership(seen), seen.engine, seen.kernel, str(seen.cpus), memory)


def _membership(seen: HostFacts) -> str:
    if seen.swarm_state != "active":
        return "none" if seen.swarm_state == "inactive" else seen.swarm_state
    return "manager" if seen.is_manager else "worker"


def matrix_table(rows: Iterable[Row]) -> Table:
    """What each task sees under each name that it needs."""
    return table(_MATRIX_COLUMNS, map(_matrix_row, rows))


def _matrix_row(row: Row) -> tuple[str, ...]:
    seen = ("unknown" if truth is None else "yes" if truth else "NO" for truth in (row.connects, row.answers))
    return (row.task, row.host, row.name, " ".join(row.resolves_to) or "nothing", *seen, " ".join(row.peers), row.error)


def print_plan(screen: Screen, plan: Plan) -> None:
    """The commands that would do it, and what is worth knowing before they are typed."""
    screen.say(f"{plan.phase}: {_count(len(plan), 'step')}" if plan else f"{plan.phase}: nothing to do", style="bold")
    for note in plan.notes:
        screen.say(f"  # {note}", style="dim")
    for command in plan.commands:
        screen.say(f"  {command}")


def print_findings(screen: Screen, findings: Findings) -> None:
    """One line for each layer that is well; for anything else what was seen and what to do."""
    for layer in dict.fromkeys(finding.layer for finding in findings):
        found = [finding for finding in findings if finding.layer == layer]
        well = [finding for finding in found if finding.severity == "ok"]
        if well:
            _mark(screen, "ok", f"{layer}: {_count(len(well), 'check')}")
        for finding in found:
            if finding.severity != "ok":
                _print_finding(screen, finding)


def _print_finding(screen: Screen, finding: Finding) -> None:
    _mark(screen, finding.severity, f"{finding.title} ({finding.code})")
    told = [("seen", finding.evidence), ("do", finding.fix), ("try", finding.reproduce), ("read", (finding.doc,))]
    for word, sentences in told:
        for sentence in sentences:
            screen.say(f"         {word + ':':<6}{sentence}")


def _mark(screen: Screen, severity: str, text: str) -> None:
    screen.say(f"{_WORD[severity]:<9}{text}", style=_STYLE[severity])


def verdict(findings: Findings) -> str:
    """The last line: `23 checks: 21 ok, 1 failed, 1 unknown`."""
    if not len(findings):
        return "Nothing was checked."
    names: Mapping[str, str] = {"ok": "ok", "warning": "with a warning", "error": "failed", "unknown": "unknown"}
    counts = ", ".join(f"{count} {names[severity]}" for severity, count in findings.count().items() if count)
    return f"{_count(len(findings), 'check')}: {counts}"


def where_to_look(inventory: Inventory, port: int) -> list[str]:
    """The addresses at which this machine reaches the published port of each host."""
    return [address for host in inventory.hosts if (address := _address(host, port))]


def _address(host: Host, port: int) -> str:
    """Empty where only another port of the host is brought out to this machine."""
    if host.published is None:
        return f"http://{host.address}" + ("" if port == 80 else f":{port}")
    return f"http://{host.published}" if port == 80 else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
