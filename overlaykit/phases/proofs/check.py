"""A check is data: its code, its sentence for each way it can end, and what to do.

>>> REACHES = Check("OK999", "discovery", "{who} reaches {name}", "{who} does not reach {name}", "is {name} reached?")
>>> REACHES.wrong(who="backend", name="database").title
'backend does not reach database'
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from overlaykit.words.findings import Finding, Layer, Severity


@dataclass(frozen=True)
class Check:
    """One thing that is true, not true, or could not be seen; each has its sentence.

    Sentences hold `{words}` that are the same on every run, such as a tier's name.
    """

    code: str
    layer: Layer
    good: str
    bad: str
    blind: str
    fix: tuple[str, ...] = ()
    severity: Severity = "error"  # of not being so

    def ok(self, evidence: Iterable[str] = (), hosts: Iterable[str] = (), **words: str) -> Finding:
        """It is so."""
        return self._finding("ok", self.good, evidence, hosts, words)

    def wrong(self, evidence: Iterable[str] = (), hosts: Iterable[str] = (), **words: str) -> Finding:
        """It is not so."""
        return self._finding(self.severity, self.bad, evidence, hosts, words)

    def unknown(self, evidence: Iterable[str] = (), hosts: Iterable[str] = (), **words: str) -> Finding:
        """Nobody could look; the evidence says why."""
        return self._finding("unknown", self.blind, evidence, hosts, words)

    def _finding(
        self, severity: Severity, title: str, evidence: Iterable[str], hosts: Iterable[str], words: dict[str, str]
    ) -> Finding:
        known = {"reproduce": "", **words}
        fix = tuple(line.format(**known) for line in self.fix) if severity in ("error", "warning") else ()
        return Finding(
            self.code,
            severity,
            title.format(**known),
            tuple(sorted(set(hosts))),
            self.layer,
            tuple(evidence),
            fix,
            (known["reproduce"],) if known["reproduce"] else (),
        )
