"""What was found: sentences with their evidence. A check that could not look says `unknown`, never `ok`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["ok", "warning", "error", "unknown"]
Layer = Literal["host", "underlay", "swarm", "network", "tiers", "discovery"]

SEVERITIES: tuple[Severity, ...] = ("ok", "warning", "error", "unknown")


@dataclass(frozen=True)
class Finding:
    """One sentence about the world.

    `title` holds only what is the same on every run; what changes (addresses, containers, times) is
    evidence. `code` is stable and never reused: docs/findings.md has a chapter for each.
    """

    code: str
    severity: Severity
    title: str
    hosts: tuple[str, ...] = ()
    layer: Layer = "host"
    evidence: tuple[str, ...] = ()
    fix: tuple[str, ...] = ()
    reproduce: tuple[str, ...] = ()

    @property
    def doc(self) -> str:
        """Where the code is explained."""
        return f"docs/findings.md#{self.code.lower()}"

    def as_json(self) -> dict[str, Any]:
        """The finding as it stands in `--json`."""
        return {**asdict(self), "doc": self.doc}

    def __repr__(self) -> str:
        return f"{self.severity:<8}{self.title}"


@dataclass(frozen=True)
class Findings:
    """Findings in the order they were made. True when nothing is wrong (see `ok`)."""

    all: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Findings:
        """Findings out of any iterable."""
        return cls(tuple(findings))

    @property
    def ok(self) -> bool:
        """Nothing is wrong; a warning or something that could not be seen is not wrong."""
        return not any(finding.severity == "error" for finding in self.all)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def __add__(self, other: Findings) -> Findings:
        return Findings(self.all + other.all)

    def __bool__(self) -> bool:
        return self.ok

    def count(self) -> dict[Severity, int]:
        """How many of each severity."""
        seen = Counter(finding.severity for finding in self.all)
        return {severity: seen[severity] for severity in SEVERITIES}

    def details(self) -> str:
        """Each finding with its evidence and what to do: what changes from run to run is here."""
        lines: list[str] = []
        for finding in self.all:
            lines.append(f"{finding.severity:<8}{finding.code}  {finding.title}")
            lines += [f"{'':8}  seen: {line}" for line in finding.evidence]
            lines += [f"{'':8}  do:   {line}" for line in finding.fix]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return "\n".join(repr(finding) for finding in self.all)
