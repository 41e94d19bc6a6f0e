"""Plans, findings and the matrix as HTML: words and signs beside every colour, evidence where it is asked for.

>>> plan_html(Plan("network"))
'<p class="okp-well"><b>✓</b> network: nothing to do, it is so already</p>'

All text is escaped here; nothing else makes HTML of what hosts answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from overlaykit.ui.tables import verdict
from overlaykit.words.findings import Finding, Findings, Severity
from overlaykit.words.plan import Plan
from overlaykit.words.probes import Row
from overlaykit.words.steps import SendImage, Step

_SIGN: dict[Severity, tuple[str, str]] = {
    "ok": ("✓", "ok"),
    "warning": ("!", "warning"),
    "error": ("✗", "FAILED"),
    "unknown": ("?", "unknown"),
}
#: Characters of a command that are read at a glance.
_LONG = 220
_MATRIX = ("from task", "on", "name", "resolves to", "connects", "answers", "answered by")


def plan_html(plan: Plan) -> str:
    """The commands in their order, each beside the host that it would be typed on."""
    notes = "".join(f"<li>{escape(note)}</li>" for note in plan.notes)
    told = f'<ul class="okp-notes">{notes}</ul>' if notes else ""
    if not plan:
        return f'<p class="okp-well"><b>✓</b> {escape(plan.phase)}: nothing to do, it is so already</p>{told}'
    rows = "".join(_stage(stage) for stage in plan.stages)
    return (
        f'<table class="okp-plan"><caption>{escape(plan.phase)}: {count(len(plan), "step")}</caption>'
        f'<thead><tr><th scope="col">on</th><th scope="col">what would be typed</th></tr></thead>{rows}</table>{told}'
    )


def _stage(steps: Sequence[Step]) -> str:
    """The steps of a stage run side by side; a line parts it from the next."""
    rows = "".join(
        f'<tr><th scope="row">{escape(_typed_on(step))}</th><td>{_command(step)}</td></tr>' for step in steps
    )
    return f"<tbody>{rows}</tbody>"


def _command(step: Step) -> str:
    """A long one opens beneath what it does."""
    code = f"<code>{escape(step.command)}</code>"
    return code if len(step.command) <= _LONG else _folded(escape(step.title), code)


def _folded(head: str, body: str, *, is_open: bool = False) -> str:
    """What opens with a click or a key; JupyterLab would take Enter for its own."""
    opened = " open" if is_open else ""
    return f'<details data-lm-suppress-shortcuts="true"{opened}><summary>{head}</summary>{body}</details>'


def _typed_on(step: Step) -> str:
    return "here" if isinstance(step, SendImage) else step.host


def findings_html(findings: Findings) -> str:
    """Each finding as a sentence; what was seen, and what to do, opens beneath it."""
    items = "".join(f"<li>{_finding(finding)}</li>" for finding in findings)
    return f'<p class="okp-verdict">{escape(verdict(findings))}</p><ul class="okp-findings">{items}</ul>'


def _finding(finding: Finding) -> str:
    sign, word = _SIGN[finding.severity]
    said = f'<b class="okp-{finding.severity}">{sign} {word}</b> <span>{escape(finding.title)}</span>'
    told = [("seen", finding.evidence), ("do", finding.fix), ("try", finding.reproduce)]
    lines = "".join(f"<dt>{what}</dt><dd>{escape(line)}</dd>" for what, lines in told for line in lines)
    if not lines:
        return f'<div class="okp-line">{said}</div>'
    read = f"<dt>read</dt><dd>{escape(finding.doc)}</dd>"
    return _folded(said, f"<dl>{lines}{read}</dl>", is_open=finding.severity != "ok")


def matrix_html(rows: Iterable[Row]) -> str:
    """What each task sees under each name that it needs."""
    head = "".join(f'<th scope="col">{column}</th>' for column in _MATRIX)
    body = "".join(map(_matrix_row, rows))
    return (
        '<table class="okp-matrix"><caption>What each task sees under each name that it needs</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _matrix_row(row: Row) -> str:
    cells = [
        f'<th scope="row">{escape(row.task)}</th>',
        _cell(row.host),
        _cell(row.name, code=True),
        _cell(" ".join(row.resolves_to) or "nothing", code=bool(row.resolves_to)),
        _truth(row.connects),
        _truth(row.answers),
        _cell(" ".join(row.peers)),
    ]
    error = f'<tr class="okp-why"><td colspan="{len(cells)}">{escape(row.error)}</td></tr>' if row.error else ""
    return f"<tr>{''.join(cells)}</tr>{error}"


def _cell(text: str, *, code: bool = False) -> str:
    return f"<td><code>{escape(text)}</code></td>" if code else f"<td>{escape(text)}</td>"


def _truth(truth: bool | None) -> str:
    """Yes, NO or unknown, with the sign and colour of a finding."""
    severity: Severity = "unknown" if truth is None else "ok" if truth else "error"
    word = {"ok": "yes", "error": "NO", "unknown": "unknown"}[severity]
    return f'<td><b class="okp-{severity}">{_SIGN[severity][0]} {word}</b></td>'


def alert_html(sentences: str, *, calm: bool = False) -> str:
    """What went wrong, or with `calm` what was wished for; a sentence a line, read out at once."""
    lines = "".join(f"<p>{escape(line)}</p>" for line in sentences.splitlines())
    calmly = " okp-calm" if calm else ""
    return f'<div class="okp-alert{calmly}" role="alert">{lines}</div>' if lines else ""


def status_html(words: str) -> str:
    """What is going on, in a few words."""
    return f'<span class="okp-status" role="status">{escape(words)}</span>'


def count(number: int, what: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{number} {what}" + ("" if number == 1 else "s")
