"""Draws one host: its card with name and state, its published ports, and the chips of what runs on it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from overlaykit.ui.picture.ink import ICONS, MARKS, draw, ink, line_icon, text, wide
from overlaykit.ui.picture.layout import HEAD, LANE, Box, Place
from overlaykit.ui.picture.scene import Card
from overlaykit.ui.picture.tasks import Chip


def card_of(place: Place) -> str:
    """The card itself: dashed where the host is in no swarm of ours, faint where it does not answer."""
    card, box = place.card, place.box
    whole = card.member and card.power == "on"
    drained = card.availability == "drain"
    back = draw(
        "rect", width=box.w, height=box.h, rx=13, fill=ink("paper" if drained or card.power != "on" else "card"),
        stroke=ink("edge" if whole else "quiet"), stroke_width=1.3, stroke_dasharray=None if whole else "6 5",
        data_key=f"card {card.name}",
    )  # fmt: skip
    shade = draw("rect", y=2.5, width=box.w, height=box.h, rx=13, fill=ink("shade"), data_key=f"shade {card.name}")
    parts = [shade] * whole + [back, *_head(card, box.w)]
    return _group(f"host {card.name}", box, parts, faint=card.power != "on")


def _head(card: Card, width: float) -> Iterator[str]:
    word, colour = _state(card)
    room = width - 14 - LANE - (wide(word, 11.5) + 8 if word else 0)
    yield text(card.name, 14, 23, room=room, size=15, font_weight=650)
    if word:
        end = width - LANE - 6
        yield text(word, end, 22, size=11.5, fill=ink(colour), font_weight=600, text_anchor="end", data_key="state")
        if card.power == "off":
            yield line_icon(ICONS["power"], end - wide(word, 11.5) - 15, 12, 12, ink(colour))
    yield from _role(card)


def _state(card: Card) -> tuple[str, str]:
    """What is not ordinary about a host, in one word of Docker's where it has one."""
    if card.power != "on":
        return {"off": ("off", "quiet"), "starting": ("starting", "coming")}.get(card.power, ("no answer", "bad"))
    if not card.seen:
        return "down", "bad"
    return {"drain": ("drained", "coming"), "pause": ("paused", "coming")}.get(card.availability, ("", "ink"))


def _role(card: Card) -> Iterator[str]:
    """Manager filled, worker outlined, the others dashed; and the word in it."""
    leads = card.role in ("leader", "manager")
    said = "another swarm" if card.stranger else "manager" if leads else card.role or "no swarm"
    width = wide(said, 10.8) + 18
    colour = ink("swarm-edge" if card.member else "quiet")
    filled = card.member and leads
    yield draw(
        "rect", x=13, y=30, width=width, height=17, rx=8.5, fill=colour if filled else "none", stroke=colour,
        stroke_width=1.2, stroke_dasharray=None if card.member else "3 3",
    )  # fmt: skip
    yield text(said, 13 + width / 2, 42.3, size=10.8, font_weight=600, text_anchor="middle",
               fill=ink("on-colour") if filled else colour)  # fmt: skip
    if card.role == "leader":
        yield text("leader", 20 + width, 42.3, size=10.8, fill=ink("quiet"))


def doors_of(place: Place) -> str:
    """The ports that answer on this host, at its lane: this is where a request comes in."""
    card = place.card
    if not card.doors:
        return ""
    said = " ".join(f":{door.port}" for door in card.doors)
    width = wide(said, 11) + 14
    x, y = place.lane + 9 - width, place.box.y + HEAD + 4
    title = "; ".join(f"port {door.port} leads to {door.service}" for door in card.doors)
    return draw(
        "g",
        draw("title", escape(title)),
        draw("rect", x=x, y=y, width=width, height=18, rx=6, fill=ink("card"), stroke=ink("swarm-edge"),
             stroke_width=1.3),
        text(said, x + width / 2, y + 13, size=11, font_weight=650, text_anchor="middle", fill=ink("swarm-edge")),
        data_key=f"door {card.name}",
    )  # fmt: skip


def chips_of(place: Place) -> Iterator[str]:
    """What runs there. A key holds the host, for a task does not move: it ends, and another begins."""
    for chip, box in place.chips:
        key = f"chip {place.card.name} {chip.network} {chip.name}"
        yield _group(key, box, list(_chip(chip, box)), faint=chip.state == "lost")


def _chip(chip: Chip, box: Box) -> Iterator[str]:
    colour = ink(chip.kind)
    mark_colour, mark = MARKS[chip.state]
    said = chip.says or (chip.note if chip.kind == "container" else chip.state)
    dash = None if chip.state == "running" else "5 4"
    yield draw("title", escape(", ".join(part for part in (chip.name, chip.state, chip.note) if part)))
    if chip.says:  # several, one behind the other
        yield draw("rect", x=3, y=3, width=box.w, height=box.h, rx=9, fill=ink("card"), stroke=colour, stroke_width=1.4)
    yield draw("rect", width=box.w, height=box.h, rx=9, fill=ink("card"), stroke=colour, stroke_width=1.4,
               stroke_dasharray=dash)  # fmt: skip
    yield draw("rect", x=5, y=6, width=28, height=28, rx=6.5, fill=colour)
    yield line_icon(ICONS[chip.kind], 9.5, 10.5, 19, ink("on-colour"))
    yield text(_fitting(chip.name, box.w - 42), 39, 17, size=12.2, font_weight=650)
    yield line_icon(mark, 39, 23.5, 10, ink(mark_colour), box=10, weight=4.2)
    yield text(said, 52, 32.3, room=box.w - 60, size=11, fill=ink(mark_colour if mark_colour == "bad" else "quiet"))


def _fitting(name: str, room: float) -> str:
    """A task's name that keeps its number: `fronte….12`."""
    letters = int(room / wide("n", 12.2))
    if len(name) <= letters:
        return name
    service, dot, slot = name.rpartition(".")
    return f"{service[: letters - len(dot + slot) - 1]}…{dot}{slot}" if service else f"{name[: letters - 1]}…"


def _group(key: str, box: Box, parts: list[str], *, faint: bool) -> str:
    place = f"translate({box.x:.1f} {box.y:.1f})"
    return draw("g", *parts, transform=place, opacity=0.6 if faint else 1, data_key=key)
