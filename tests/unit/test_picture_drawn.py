"""A scene as it is drawn and as it is said: the same each time, whole, and the one no less than the other."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree

import pytest
from test_picture_scene import PATH, scene

from overlaykit.ui.picture.layout import WIDTH, Box, Layout
from overlaykit.ui.picture.scene import Card, Overlay, Scene
from overlaykit.ui.picture.svg import drawing, static_svg
from overlaykit.ui.picture.tasks import Chip
from overlaykit.ui.picture.way import Stop, Way, read_way
from overlaykit.ui.picture.words import headline, in_words, news

SVG = "{http://www.w3.org/2000/svg}"


def hosts(count: int, tasks: int = 1) -> Scene:
    """So many hosts, all in a swarm, each with so many tasks, and a request that crosses them."""
    cards = tuple(
        Card(
            f"node{number}",
            role="worker",
            networks=("guestbook",),
            chips=tuple(_backend(f"backend.{number}{slot}") for slot in range(tasks)),
        )
        for number in range(1, count + 1)
    )
    way = Way("node1", tuple(Stop("backend", card.name, card.chips[0].name) for card in cards if card.chips))
    return Scene("guestbook", cards, (Overlay("guestbook", "10.20.0.0/24"),)).with_way(way)


def _backend(name: str) -> Chip:
    return Chip(name, "backend", "running", "guestbook", names=(name,))


def keys(svg: str) -> list[str]:
    return [key for element in ElementTree.fromstring(svg).iter() if (key := element.get("data-key"))]


@pytest.mark.parametrize("name", ["bare", "network", "tiers"])
def test_a_drawing_is_the_same_each_time_and_says_what_it_shows(name: str) -> None:
    svg = static_svg(scene(name))
    assert svg == static_svg(scene(name))
    root = ElementTree.fromstring(svg)
    assert root.findtext(f"{SVG}title") == headline(scene(name))
    assert root.findtext(f"{SVG}desc") == in_words(scene(name))
    for host in ("node1", "node2", "node3"):
        assert host in [text.text for text in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("count", range(1, 11))
@pytest.mark.parametrize("tasks", [0, 1, 4])
def test_everything_is_inside_and_nothing_overlaps(count: int, tasks: int) -> None:
    layout = Layout.of(hosts(count, tasks))
    cards = [place.box for place in layout.places.values()]
    assert len(cards) == count
    for box in cards:
        assert box.x >= 0 and box.right <= WIDTH and box.bottom < layout.height
    assert not any(overlap(one, other) for one in cards for other in cards if one is not other)
    for place in layout.places.values():
        chips = [box for _, box in place.chips]
        assert len(chips) == tasks
        assert all(place.box.x < box.x and box.right < place.lane and box.bottom < place.box.bottom for box in chips)
        assert not any(overlap(one, other) for one in chips for other in chips if one is not other)


def overlap(one: Box, other: Box) -> bool:
    return one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom


@pytest.mark.parametrize("count", [1, 3, 5, 10])
def test_what_is_drawn_twice_is_known_by_a_key_of_its_own(count: int) -> None:
    found = keys(drawing(hosts(count, 2)))
    assert "way" in found and "chip node1 guestbook backend.10" in found
    assert sorted(found) == sorted({*found})


def test_a_name_is_no_markup() -> None:
    mean = Card('<b>&"', role="worker", chips=(Chip("a<b", "container", "running", "", "<i>", ("a<b",)),))
    root = ElementTree.fromstring(static_svg(Scene("guestbook", (mean,))))
    assert {element.tag for element in root.iter()}.isdisjoint({f"{SVG}b", f"{SVG}i"})
    assert '<b>&"' in [text.text for text in root.iter(f"{SVG}text")]


def test_the_words_tell_all_that_is_drawn() -> None:
    way = read_way("node3", {"status": 200, "path": PATH})
    assert in_words(scene("tiers").with_way(way)).splitlines() == [
        "3 hosts, one swarm.",
        "node1: manager and leader of the swarm; backend.1 running.",
        "node2: worker of the swarm; frontend.1 running.",
        "node3: worker of the swarm; database.1 running.",
        "The overlay network guestbook (10.20.0.0/24) is on node1, node2 and node3.",
        "Port 80 of node1, node2 and node3 leads to frontend.",
        "The last request came in through node3; then frontend.1 on node2; then backend.1 on node1; "
        "then database.1 on node3.",
    ]


def test_news_is_what_has_changed() -> None:
    assert news(scene("tiers"), scene("tiers")) == []
    assert news(scene("bare"), scene("network")) == [
        "node1 joined the swarm as a manager",
        "node2 joined the swarm as a worker",
        "node3 joined the swarm as a worker",
        "network guestbook appeared on node1",
    ]
    assert news(scene("network"), scene("tiers")) == [
        "network guestbook appeared on node2 and node3",
        "backend.1 running on node1",
        "frontend.1 running on node2",
        "database.1 running on node3",
    ]
    gone = scene("tiers", {"hosts.node2.error": "is powered off"}, off={"node2"})
    assert news(scene("tiers"), gone)[0] == "node2 is powered off"
    back = scene("tiers", {"hosts.node2.error": "is powered off"}, starting={"node2"})
    assert news(gone, back) == ["node2 is starting"]
    drained = scene("tiers", {"swarm.nodes.1.Spec.Availability": "drain"})
    assert [line.split()[-1] for line in news(scene("tiers"), drained)] == ["drained"]


def test_a_drawing_needs_no_widgets() -> None:
    program = "import overlaykit.ui.picture.svg, overlaykit.ui.picture as p, sys; p.picture; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"ipywidgets", "anywidget", "paramiko"}.isdisjoint(done.stdout.split())
