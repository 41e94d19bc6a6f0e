"""Where everything is: from a scene to boxes and points, in units of which a picture is 720 wide.

    >>> plan = Layout.of(scene)
    >>> plan.places["node2"].box
    Box(x=254.0, y=62.0, w=212.0, h=182.0)

Hosts stand side by side on a wire, at most four in a row. A network is a band that runs through the hosts where it
exists; a task sits in the band of its network. Each host keeps a lane free at its right, and each band a rail at its
foot: the way of a request runs there and crosses nothing.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from overlaykit.ui.picture.scene import Card, Scene
from overlaykit.ui.picture.tasks import Chip

WIDTH = 720.0
MARGIN = 18.0
GUTTER = 34.0  # at the left of several rows: what joins them runs there
TOP = 62.0  # room for the headline, and for the browser whose request comes in
MOST_IN_A_ROW = 4
WIDEST_CARD = 300.0

HEAD = 52.0  # a host's name and state
RIBBON = 30.0  # the swarm's routing mesh
LABEL = 22.0  # a network's name, at the head of its band
CHIP = 40.0
STEP = CHIP + 6
RAIL = 16.0
LANE = 20.0
INSET = 8.0
LOWER = 14.0  # hosts outside the swarm stand lower: joining, they rise
WIRE = 26.0
LINE = 20.0
LETTERS = 96  # in a line of text below the picture


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.h


@dataclass(frozen=True)
class Place:
    """Where one host is: its card, its row, and its chips by name."""

    card: Card
    row: int
    box: Box
    chips: tuple[tuple[Chip, Box], ...]

    @property
    def lane(self) -> float:
        """The middle of what is kept free at its right."""
        return self.box.right - LANE / 2 - 1

    def chip(self, task: str) -> Box | None:
        """Where a task is drawn, alone or among its like."""
        return next((box for chip, box in self.chips if task in chip.names), None)


@dataclass(frozen=True)
class Piece:
    """A part of a band: from one host on over its neighbours that have the network too."""

    row: int
    box: Box
    hosts: tuple[str, ...]

    @property
    def key(self) -> str:
        """What stays the same while the piece grows."""
        return self.hosts[0]


@dataclass(frozen=True)
class Band:
    """A network through the rows: its pieces, and the gaps that its tunnels bridge."""

    network: str
    pieces: tuple[Piece, ...]
    tunnels: tuple[Box, ...]


@dataclass(frozen=True)
class Layout:
    """Where everything of a scene is."""

    scene: Scene
    places: dict[str, Place]
    rows: tuple[Row, ...]
    ribbon: Band
    bands: tuple[Band, ...]
    height: float

    @classmethod
    def of(cls, scene: Scene) -> Layout:
        """Lay a scene out."""
        rows = tuple(_rows(scene))
        places = {place.card.name: place for row in rows for place in row.places}
        ribbon = _band("", [card.name for card in scene.members if card.power == "on"], rows, places)
        bands = tuple(
            _band(one.name, [card.name for card in scene.hosts if one.name in card.networks], rows, places)
            for one in scene.overlays
        )
        return cls(scene, places, rows, ribbon, bands, rows[-1].wire + 30 + LINE * len(written(scene)))


@dataclass(frozen=True)
class Row:
    """Hosts side by side: where the bands run through them, and the wire below them."""

    places: tuple[Place, ...]
    ribbon: Box
    bands: dict[str, Box]
    wire: float


def lines(scene: Scene) -> list[tuple[str, str]]:
    """What stands below the picture, as (mark, sentence): what does not run, and why."""
    told = [("waiting", f"{chip.name} waits for a host{_why(chip)}") for chip in scene.waiting]
    for card in scene.hosts:
        told += [
            ("failing", f"{chip.name} {chip.state} on {card.name}{_why(chip)}")
            for chip in card.chips
            if chip.state in ("failed", "failing")
        ]
    if scene.blind:
        told.append(("waiting", "No manager of the swarm answers: this is what the hosts themselves say"))
    if scene.others:
        told.append(("waiting", f"The swarm has {scene.others} more that the inventory does not name"))
    if scene.way and scene.way.error:
        told.append(("failing", f"{scene.way.entered}: {scene.way.error}"))
    return told


def written(scene: Scene) -> list[tuple[str, str]]:
    """The same as lines of text that fit; what goes on from the line before has no mark."""
    told = []
    for mark, said in lines(scene):
        pieces = textwrap.wrap(said, LETTERS)
        told += [(mark if number == 0 else "", piece) for number, piece in enumerate(pieces)]
    return told


def _why(chip: Chip) -> str:
    return f": {chip.note}" if chip.note else ""


def _rows(scene: Scene) -> Iterator[Row]:
    count = max(1, len(scene.hosts))
    columns = ceil(count / ceil(count / MOST_IN_A_ROW))
    gap = 24.0 if columns < MOST_IN_A_ROW else 15.0
    left = GUTTER if count > columns else MARGIN
    room = WIDTH - left - MARGIN - gap * (columns - 1)
    width = min(WIDEST_CARD, room / columns)
    left += (room - width * columns) / 2
    top = TOP
    for number, begin in enumerate(range(0, count, columns)):
        cards = scene.hosts[begin : begin + columns]
        boxes = [Box(left + column * (width + gap), top, width, 0) for column in range(len(cards))]
        row = _row(scene, number, cards, boxes)
        yield row
        top = row.wire + 22


def _row(scene: Scene, number: int, cards: Sequence[Card], boxes: Sequence[Box]) -> Row:
    """One row: all its hosts are as high as the fullest needs, so that the bands run straight."""
    first = boxes[0]
    top = first.y + HEAD
    ribbon = Box(0, top, WIDTH, RIBBON if scene.members else 0)
    top = ribbon.bottom + (10 if scene.members else 0)
    bands: dict[str, Box] = {}
    for overlay in scene.overlays:
        most = max((len(card.inside(overlay.name)) for card in cards), default=0)
        bands[overlay.name] = Box(0, top, WIDTH, LABEL + max(1, most) * STEP + RAIL)
        top = bands[overlay.name].bottom + 10
    loose = max((len(card.inside("")) for card in cards), default=0)
    bottom = top + (loose * STEP + 8 if loose else 0 if scene.overlays or scene.members else 22)
    places = []
    for card, room in zip(cards, boxes, strict=True):
        lower = LOWER if scene.members and not card.member else 0
        box = Box(room.x, room.y + lower, room.w, bottom - room.y)
        places.append(Place(card, number, box, tuple(_chips(card, box, bands, top + lower))))
    return Row(tuple(places), ribbon, bands, bottom + LOWER + WIRE)


def _chips(card: Card, box: Box, bands: dict[str, Box], loose: float) -> Iterator[tuple[Chip, Box]]:
    for network in (*bands, ""):
        top = bands[network].y + LABEL if network else loose
        for number, chip in enumerate(card.inside(network)):
            yield chip, Box(box.x + INSET, top + number * STEP, box.w - INSET - LANE - 6, CHIP)


def _band(name: str, hosts: Sequence[str], rows: Sequence[Row], places: dict[str, Place]) -> Band:
    pieces, tunnels = [], []
    for number, row in enumerate(rows):
        level = row.bands[name] if name else row.ribbon
        runs = list(_runs([place.card.name for place in row.places], hosts))
        for run in runs:
            left, right = places[run[0]].box.x - 5, places[run[-1]].box.right + 5
            pieces.append(Piece(number, Box(left, level.y, right - left, level.h), tuple(run)))
        for one, other in pairwise(pieces[-len(runs) :] if runs else ()):
            tunnels.append(Box(one.box.right, level.bottom - RAIL / 2, other.box.x - one.box.right, 0))
    return Band(name, tuple(pieces), tuple(tunnels))


def _runs(row: Sequence[str], hosts: Sequence[str]) -> Iterator[list[str]]:
    """Neighbours that all are among `hosts`."""
    run: list[str] = []
    for name in row:
        if name in hosts:
            run.append(name)
        elif run:
            yield run
            run = []
    if run:
        yield run
