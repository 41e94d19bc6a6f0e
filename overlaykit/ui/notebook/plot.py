"""Requests over time as SVG: how long each took, and which failed. Pure: dots in, text out.

>>> summary([Dot(0.0, 0.02, True), Dot(0.1, 0.03, True)])
'2 requests, none failed'
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

WIDTH, HEIGHT = 680, 210
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 34, 54
#: The axes are at least this long, so that a quiet stretch does not look like an uproar.
LEAST_SECONDS, LEAST_MILLISECONDS = 10.0, 200.0
FONT = "font:12px var(--jp-ui-font-family, system-ui, sans-serif)"
INK = "var(--jp-ui-font-color1, #333)"
PALE = "var(--jp-border-color2, #ccc)"
GOOD = "var(--jp-success-color1, #2e7d32)"
BAD = "var(--jp-error-color1, #c62828)"


@dataclass(frozen=True)
class Dot:
    """One request: when it was sent and how long it took, in seconds, and whether it was served."""

    at: float
    seconds: float
    served: bool


def summary(dots: Sequence[Dot]) -> str:
    """What the plot shows, in words."""
    failed = sum(not dot.served for dot in dots)
    gap = f"; the longest time without an answer: {longest_gap(dots):.1f} s" if failed else ""
    return f"{len(dots)} request{'' if len(dots) == 1 else 's'}, {failed or 'none'} failed{gap}"


def longest_gap(dots: Sequence[Dot]) -> float:
    """The longest time without an answer, in seconds: from the first request that failed to the next one served."""
    longest, begin = 0.0, None
    for dot in dots:
        begin = dot.at if begin is None and not dot.served else begin
        if begin is not None:
            longest = max(longest, dot.at + dot.seconds - begin)
        begin = None if dot.served else begin
    return longest


def plot(dots: Sequence[Dot]) -> str:
    """A dot for each request that was served, as high as it took long; a cross along the top for each that failed."""
    across = max(LEAST_SECONDS, ceil(max((dot.at for dot in dots), default=0.0)))
    up = max(LEAST_MILLISECONDS, max((dot.seconds for dot in dots if dot.served), default=0.0) * 1000)
    good = "".join(_dot(dot, across, up) for dot in dots if dot.served)
    bad = "".join(_cross(dot, across) for dot in dots if not dot.served)
    told = summary(dots)
    body = (
        f"{''.join(_axes(across, up))}{_text(LEFT, HEIGHT - 8, told, 'start')}"
        f'<g style="fill:{GOOD};fill-opacity:.75">{good}</g>'
        f'<g style="stroke:{BAD};stroke-width:2;fill:none">{bad}</g>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{told}" style="width:100%;max-width:{WIDTH}px;{FONT}">'
        f"<title>{told}</title>{body}</svg>"
    )


def _x(at: float, across: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * at / across


def _y(milliseconds: float, up: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * milliseconds / up


def _dot(dot: Dot, across: float, up: float) -> str:
    return f'<circle cx="{_x(dot.at, across):.1f}" cy="{_y(dot.seconds * 1000, up):.1f}" r="2.6"/>'


def _cross(dot: Dot, across: float) -> str:
    """Told from a dot by its place and its shape as well as by its colour."""
    return f'<path d="M{_x(dot.at, across) - 4:.1f} {TOP - 18}l8 8m0 -8l-8 8"/>'


def _axes(across: float, up: float) -> Iterator[str]:
    for milliseconds in (0, up / 2, up):
        y = _y(milliseconds, up)
        yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" style="stroke:{PALE}"/>'
        yield _text(LEFT - 6, y + 4, f"{milliseconds:.0f} ms", "end")
    for part in range(5):
        at = across * part / 4
        yield _text(_x(at, across), HEIGHT - BOTTOM + 18, f"{at:g} s", "end" if part == 4 else "middle")
    yield _text(LEFT - 6, TOP - 10, "failed", "end")


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="fill:{INK}">{words}</text>'
