"""A packet as boxes in boxes, and three kinds of network as bars: all that was seen is drawn, and is on the sheet."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest
from wire_packets import OnWire

from overlaykit.reading.packets import read_packets
from overlaykit.ui.notebook.wire import boxes, compare
from overlaykit.ui.picture import bars, packet
from overlaykit.ui.picture.sheet import WIDTH
from overlaykit.words.errors import InputError
from overlaykit.words.speed import KINDS, Speed, Speeds
from overlaykit.words.wire import Packet

SVG = "{http://www.w3.org/2000/svg}"
WORD = "open-sesame"
REQUEST = f"POST /api/entries?word={WORD} HTTP/1.1\r\nHost: backend\r\n\r\n".encode()
FIGURES = ((305.0, 0.0004), (210.0, 0.0006), (60.0, 0.0009))
SPEEDS = Speeds(tuple(Speed(kind, "node2", "node3", *seen) for kind, seen in zip(KINDS, FIGURES, strict=True)))


def clear() -> Packet:
    """The frontend's request, as it leaves the frontend's host."""
    wire = OnWire()
    wire.say("frontend", "backend", REQUEST)
    (seen,) = read_packets(wire.captures()["node2"], 4789, WORD)
    return seen


def sealed() -> Packet:
    """The same in ESP."""
    wire = OnWire()
    wire.esp("node1", "node2", size=412)
    (seen,) = read_packets(wire.captures()["node2"], 4789, WORD)
    return seen


def said(svg: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("seen", [clear(), sealed()], ids=repr)
def test_each_box_is_inside_the_one_before(seen: Packet) -> None:
    placed = packet.placed(seen)
    assert [box.layer.name for box in placed] == [layer.name for layer in seen.layers]
    for outer, inner in pairwise(placed):
        assert outer.x < inner.x and inner.x + inner.w < outer.x + outer.w
        assert outer.y < inner.y and inner.y + inner.h < outer.y + outer.h
    assert placed[-1].h > packet.HEAD
    assert placed[0].y + placed[0].h < packet.sheet(seen, WORD).height


def test_the_values_are_those_that_were_captured() -> None:
    drawn = packet.sheet(clear(), WORD)
    told = "\n".join(said(drawn.alone()))
    for value in ("10.77.0.12", "to port 4789", "VXLAN id 4097", "10.20.0.13", "to port 8000", "UDP · 8 bytes"):
        assert value in told
    assert clear().details() == drawn.told


def test_the_word_stands_out_and_nothing_is_lost_around_it() -> None:
    parts = said(packet.sheet(clear(), WORD).alone())
    at = parts.index(WORD)
    assert "".join(parts[at - 1 : at + 2]) == f"POST /api/entries?word={WORD} HTTP/1.1"
    assert "underline" in packet.sheet(clear(), WORD).alone()
    assert "underline" not in packet.sheet(clear(), "another-word").alone()


def test_what_is_sealed_is_one_box_with_nothing_in_it() -> None:
    told = said(packet.sheet(sealed(), WORD).alone())
    assert any(text.startswith("encrypted: 384 bytes") for text in told)
    assert not any("VXLAN id" in text or WORD in text for text in told)


@pytest.mark.parametrize("fits", [20, 33, 34, 60])
def test_a_long_text_is_cut_around_the_word(fits: int) -> None:
    shown = packet.around(f"0123456789 {WORD} 0123456789", WORD, fits)
    assert WORD in shown
    assert len(shown) == min(fits, 33)


def test_a_long_text_without_the_word_shows_how_it_begins() -> None:
    assert packet.around("0123456789", "word", 5) == "0123…"


def test_a_packet_in_a_notebook_reads_the_same_on_every_run() -> None:
    assert repr(boxes(clear(), WORD)) == "Ethernet > IP > UDP > VXLAN > Ethernet > IP > TCP > HTTP"
    assert repr(boxes(sealed(), WORD)) == "Ethernet > IP > ESP"
    bundle = boxes(clear(), WORD)._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg") and bundle["text/plain"] == repr(clear())


def test_where_nothing_was_captured_nothing_is_drawn() -> None:
    with pytest.raises(InputError, match="no packet was captured that could be shown"):
        boxes(None, WORD)


def test_a_drawing_follows_the_page_that_it_stands_on() -> None:
    sheet = packet.sheet(clear(), WORD)
    assert "prefers-color-scheme: dark" in sheet.alone()
    assert "data-jp-theme-light" in sheet.themed() and "prefers-color-scheme" not in sheet.themed()
    for svg in (sheet.alone(), sheet.themed()):
        assert ElementTree.fromstring(svg).get("class") == packet.NAME


def test_each_kind_of_network_has_its_two_figures() -> None:
    told = said(bars.sheet(SPEEDS).alone())
    for text in (
        *KINDS,
        "305 Mbit/s",
        "60 Mbit/s",
        "0.40 ms",
        "0.90 ms",
        "From one host to another, on each kind of network",
    ):
        assert text in told
    assert repr(compare(SPEEDS)) == "host network, overlay, encrypted overlay"


def test_bars_are_as_long_as_their_figures_and_stay_on_the_sheet() -> None:
    rects = list(ElementTree.fromstring(bars.sheet(SPEEDS).alone()).iter(f"{SVG}rect"))[1:]
    throughput, trips = ([float(one.get("width", 0)) for one in rects[begin : begin + 3]] for begin in (0, 3))
    assert throughput[0] / throughput[2] == pytest.approx(305 / 60, rel=0.01)
    assert trips == sorted(trips)
    assert all(float(one.get("x", 0)) + float(one.get("width", 0)) + bars.FIGURE <= WIDTH for one in rects)
