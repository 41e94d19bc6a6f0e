"""Draws the way of a request: in at one host's door, along the ribbon, then from task to task on the bands' rails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from overlaykit.ui.picture.ink import ICONS, MARKS, draw, ink, line_icon, text
from overlaykit.ui.picture.layout import RAIL, Box, Layout, Place
from overlaykit.ui.picture.way import Stop, Way

_SPINE = 14.0  # where the line comes down from row to row
_BEND = 7.0
_APART = 4.5  # between two legs that run side by side

Point = tuple[float, float]


def route(layout: Layout) -> Iterator[str]:
    """The browser, the line and its stops, numbered; a cross where it ended early."""
    way = layout.scene.way
    if way is None or way.entered not in layout.places:
        return
    entry = layout.places[way.entered]
    points = list(_points(layout, way, entry))
    high = entry.box.y - 34
    yield line_icon(ICONS["browser"], entry.lane - 11, high, 22, ink("way"))
    yield text("a request", entry.lane - 17, high + 15, size=11.5, fill=ink("way"), text_anchor="end")
    yield draw(
        "path", d=_rounded(points), fill="none", stroke=ink("way"), stroke_width=2.6, stroke_linecap="round",
        stroke_linejoin="round", data_key="way",
    )  # fmt: skip
    yield from (_stop(number, *_at(layout, stop)) for number, stop in enumerate(way.stops, 1))
    if way.error:
        x, y = points[-1]
        yield draw("circle", cx=x, cy=y, r=8.5, fill=ink("bad"), data_key="way end")
        yield line_icon(MARKS["failed"][1], x - 5, y - 5, 10, ink("on-colour"), box=10, weight=4.8)


def _stop(number: int, place: Place, box: Box) -> str:
    x, y = box.right, box.y + box.h / 2
    return draw(
        "g",
        draw("circle", cx=x, cy=y, r=9, fill=ink("way"), stroke=ink("card"), stroke_width=1.5),
        text(str(number), x, y + 4, size=11.5, font_weight=700, text_anchor="middle", fill=ink("on-colour")),
        data_key=f"stop {number}",
    )


def _points(layout: Layout, way: Way, entry: Place) -> Iterator[Point]:
    """All the corners of the line."""
    lane = entry.lane
    yield lane, entry.box.y - 10
    mesh = _ribbon(layout, entry)
    yield lane, mesh
    if not way.stops:
        return
    place, box = _at(layout, way.stops[0])
    if place is not entry:
        yield from _across(entry.row, place.row, (lane, mesh), (place.lane, _ribbon(layout, place)), 0)
    middle = box.y + box.h / 2
    yield place.lane, middle
    yield box.right, middle
    for number, (one, other) in enumerate(pairwise(way.stops), 1):
        yield from _leg(layout, _at(layout, one), _at(layout, other), number)


def _leg(layout: Layout, one: tuple[Place, Box], other: tuple[Place, Box], number: int) -> Iterator[Point]:
    """From one task to the next: straight down the lane on the same host, else along the rail of their network."""
    (here, begin), (there, end) = one, other
    aside = (number - 1.5) * _APART
    out, into = begin.y + begin.h / 2, end.y + end.h / 2
    yield here.lane + aside, out
    if here is not there:
        rails = [_rail(layout, place, box) + aside - _APART / 2 for place, box in (one, other)]
        yield here.lane + aside, rails[0]
        yield from _across(here.row, there.row, (here.lane + aside, rails[0]), (there.lane + aside, rails[1]), number)
    yield there.lane + aside, into
    yield end.right, into


def _across(row: int, other: int, begin: Point, end: Point, number: int) -> Iterator[Point]:
    """Between hosts: straight along the row, or down the spine to another one."""
    if row != other:
        x = _SPINE + number * 4
        yield x, begin[1]
        yield x, end[1]
    yield end


def _ribbon(layout: Layout, place: Place) -> float:
    return layout.rows[place.row].ribbon.bottom - 4.5


def _rail(layout: Layout, place: Place, box: Box) -> float:
    """The rail of the network that a task sits in."""
    bands = layout.rows[place.row].bands.values()
    return next((band.bottom - RAIL / 2 for band in bands if band.y <= box.y <= band.bottom), box.bottom + RAIL / 2)


def _at(layout: Layout, stop: Stop) -> tuple[Place, Box]:
    place = layout.places[stop.host]
    box = place.chip(stop.task)
    assert box is not None  # Scene.with_way lets no other way in
    return place, box


def _rounded(points: Sequence[Point]) -> str:
    """A line through the points whose corners are round."""
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        near, far = _towards(corner, before), _towards(corner, after)
        path += f"L{near[0]:.1f} {near[1]:.1f}Q{corner[0]:.1f} {corner[1]:.1f} {far[0]:.1f} {far[1]:.1f}"
    return f"{path}L{points[-1][0]:.1f} {points[-1][1]:.1f}"


def _towards(corner: Point, other: Point) -> Point:
    """A little way from a corner to the next point, never more than half."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = (dx * dx + dy * dy) ** 0.5
    step = min(_BEND, length / 2) / length if length else 0
    return corner[0] + dx * step, corner[1] + dy * step
