"""Draws a scene: the same scene, the same text, wherever it is drawn.

    >>> Path("swarm.svg").write_text(static_svg(scene))
    >>> widget.drawing = drawing(scene)                      # the same without a style sheet: the page has one

What keeps its identity from one drawing to the next has a `data-key`: the live picture moves it to its new place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import pairwise

from overlaykit.ui.picture.cards import card_of, chips_of, doors_of
from overlaykit.ui.picture.ink import FONT, ICONS, MARKS, NETWORK_COLOURS, dark_rules, draw, ink, line_icon, text, wide
from overlaykit.ui.picture.layout import INSET, LINE, MARGIN, WIDTH, Layout, Piece, written
from overlaykit.ui.picture.route import route
from overlaykit.ui.picture.scene import Overlay, Scene
from overlaykit.ui.picture.words import headline, in_words


def static_svg(scene: Scene) -> str:
    """A picture that stands alone: dark where the reader's system is."""
    return drawing(
        scene, draw("style", f"@media (prefers-color-scheme: dark){{{dark_rules('svg.overlaykit-picture')}}}")
    )


def drawing(scene: Scene, style: str = "") -> str:
    """The picture, in the colours of whatever it is put into."""
    layout = Layout.of(scene)
    return draw(
        "svg",
        draw("title", escape(headline(scene))),
        draw("desc", escape(in_words(scene))),
        style,
        draw("rect", width=WIDTH, height=layout.height, rx=14, fill=ink("paper"), data_key="paper"),
        text(headline(scene), MARGIN, 28, size=15, font_weight=650, data_key="headline"),
        _layer("wires", _wires(layout)),
        _layer("tunnels", _tunnels(layout)),
        _layer("cards", map(card_of, layout.places.values())),
        _layer("bands", _bands(layout)),
        _layer("chips", (chip for place in layout.places.values() for chip in chips_of(place))),
        _layer("way", route(layout)),
        _layer("doors", map(doors_of, layout.places.values())),
        _layer("lines", _lines(layout)),
        xmlns="http://www.w3.org/2000/svg",
        class_="overlaykit-picture",
        viewBox=f"0 0 {WIDTH:.0f} {layout.height:.0f}",
        width="100%",
        style="display:block;max-width:960px",
        role="img",
        font_family=FONT,
    )


def _layer(name: str, parts: Iterable[str]) -> str:
    return draw("g", "".join(parts), data_key=f"layer {name}")


def _wires(layout: Layout) -> Iterator[str]:
    """The network between the hosts, which all traffic of an overlay really takes."""
    for number, row in enumerate(layout.rows):
        middles = [place.box.x + place.box.w / 2 for place in row.places]
        ends = f"M{min(middles):.0f} {row.wire:.0f}H{max(middles):.0f}"
        yield _line(f"wire {number}", ends, ink("wire"), 3)
        for place, middle in zip(row.places, middles, strict=True):
            plugged = place.card.power == "on"
            down = f"M{middle:.0f} {place.box.bottom:.0f}V{row.wire:.0f}"
            yield _line(f"plug {place.card.name}", down, ink("wire"), 3, dash=None if plugged else "1 6")
            yield draw("circle", cx=middle, cy=row.wire, r=4.5, fill=ink("wire"), data_key=f"dot {place.card.name}")
    for number, (row, below) in enumerate(pairwise(layout.rows)):
        first, second = (one.places[0].box.x + one.places[0].box.w / 2 for one in (row, below))
        joint = f"M{first:.0f} {row.wire:.0f}H7V{below.wire:.0f}H{second:.0f}"
        yield _line(f"joint {number}", joint, ink("wire"), 3)
    last = layout.rows[-1]
    said = "the wire between the hosts" if len(layout.places) > 1 else ""
    x = WIDTH - MARGIN
    yield text(said, x, last.wire + 16, size=10.5, fill=ink("quiet"), text_anchor="end", data_key="wire name")


def _tunnels(layout: Layout) -> Iterator[str]:
    """Where a network passes hosts that do not have it: inside the wire, in VXLAN packets."""
    for number, band in enumerate((layout.ribbon, *layout.bands)):
        colour = _edge(number)
        for tunnel in band.tunnels:
            across = f"M{tunnel.x:.0f} {tunnel.y:.1f}H{tunnel.right:.0f}"
            yield _line(f"tunnel {band.network} {tunnel.x:.0f} {tunnel.y:.0f}", across, colour, 2, dash="4 4")


def _bands(layout: Layout) -> Iterator[str]:
    for piece in layout.ribbon.pieces:
        yield _band(layout, piece, "ribbon", "swarm", [text("swarm · ingress", *_label(layout, piece, 18), **_LABEL,
                                                            fill=ink("swarm-edge"))])  # fmt: skip
    for number, (overlay, band) in enumerate(zip(layout.scene.overlays, layout.bands, strict=True)):
        colour = f"net{number % NETWORK_COLOURS}"
        for piece in band.pieces:
            yield _band(layout, piece, f"band {overlay.name}", colour, list(_called(layout, piece, overlay, colour)))


_LABEL = {"size": 11.5, "font_weight": 650}


def _band(layout: Layout, piece: Piece, name: str, colour: str, label: list[str]) -> str:
    edge = ink(f"{colour}-edge")
    box = piece.box
    shape = {"x": box.x, "y": box.y, "width": box.w, "height": box.h, "rx": min(11, box.h / 2)}
    rect = draw("rect", **shape, fill=ink(colour), stroke=edge, stroke_width=1.3, data_key=f"{name} {piece.key} box")
    return draw("g", rect, *label, data_key=f"{name} {piece.key}")


def _called(layout: Layout, piece: Piece, overlay: Overlay, colour: str) -> Iterator[str]:
    x, y = _label(layout, piece, 16)
    edge = ink(f"{colour}-edge")
    told = [overlay.name, overlay.subnet]
    if overlay.encrypted:
        yield line_icon(ICONS["lock"], x - 2, y - 10, 13, edge)
        x, told = x + 14, [*told, "encrypted"]
    room = piece.box.right - x - 6
    while len(told) > 1 and wide(" · ".join(told), _LABEL["size"]) > room:
        told.pop()
    yield text(" · ".join(filter(None, told)), x, y, room=room, fill=edge, **_LABEL)


def _label(layout: Layout, piece: Piece, down: float) -> tuple[float, float]:
    return layout.places[piece.hosts[0]].box.x + INSET + 1, piece.box.y + down


def _edge(number: int) -> str:
    """The colour of the ribbon (0) or of a network (from 1)."""
    return ink("swarm-edge" if number == 0 else f"net{(number - 1) % NETWORK_COLOURS}-edge")


def _line(key: str, path: str, colour: str, width: float, dash: str | None = None) -> str:
    return draw(
        "path", d=path, fill="none", stroke=colour, stroke_width=width, stroke_linecap="round",
        stroke_linejoin="round", stroke_dasharray=dash, data_key=key,
    )  # fmt: skip


def _lines(layout: Layout) -> Iterator[str]:
    """What does not run, and why: one sentence a line."""
    top = layout.rows[-1].wire + 38
    colour = ""
    for number, (mark, said) in enumerate(written(layout.scene)):
        y = top + number * LINE
        if mark:
            colour, outline = MARKS[mark]
            yield line_icon(outline, MARGIN, y - 9, 10, ink(colour), box=10, weight=4.2)
        yield text(said, MARGIN + 17, y, size=12.5, fill=ink(colour))
