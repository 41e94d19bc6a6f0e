"""The form of a panel: every parameter has its control, which takes what the stack takes and says what it says."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import ipywidgets as widgets
import pytest

from overlaykit.ui.panels.form import Form
from overlaykit.ui.panels.inputs import SLIDER_END, Count, HostChoice, make_input
from overlaykit.words.stack import TIERS, Stack, parameters

HOSTS = ["node1", "node2", "node3"]
TABLES = ("swarm", "network", *TIERS)
SPECS = dict(parameters())
#: Environment variables may hold what is nobody's to see; a stack's name is on all that was made already.
NOT_SHOWN = {"name", *(f"{tier}.environment" for tier in TIERS)}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    widgets.Widget.close_all()


def form(stack: Stack | None = None, turned: Any = lambda: None, tables: tuple[str, ...] = TABLES) -> Form:
    return Form(stack or Stack(), tables, hosts=HOSTS, turned=turned)


def is_seen(widget: Any) -> bool:
    return bool(widget.layout.display != "none")


def input_of(name: str, value: Any = None) -> Any:
    return make_input(name, SPECS[name], Stack().get(name) if value is None else value, HOSTS)


@pytest.mark.parametrize("name", sorted(set(SPECS) - NOT_SHOWN))
def test_every_parameter_has_a_control_that_holds_its_value(name: str) -> None:
    control = form(tables=(name.partition(".")[0],))[name]
    assert control.input.value == Stack().get(name)
    html = "".join(one.value for one in control.children[0].children if isinstance(one, widgets.HTML))
    assert escape(SPECS[name].metadata["doc"]) in html


def test_what_is_not_shown_is_kept() -> None:
    stack = Stack().set("backend.environment", ["LOG=debug"]).set("name", "mine")
    shown = form(stack)
    shown["backend.replicas"].input.value = 2
    assert shown.stack == stack.set("backend.replicas", 2)
    for name in NOT_SHOWN:
        with pytest.raises(KeyError):
            shown[name]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("network.subnet", "8.8.8.0/24", "'8.8.8.0/24' is public address space"),
        ("network.mtu", 100, "100 is out of range: write a whole number from 1280 to 9000, or 0"),
        ("frontend.replicas", 101, "101 is out of range: write a whole number from 0 to 100"),
        ("frontend.published_port", 0, "0 is out of range"),
        ("backend.memory", "1M", "1M is too little"),
        ("backend.cpus", -1.0, "-1.0 is not a number from 0 to 512"),
        ("database.image", "No Image", "'No Image' is not an image"),
    ],
)
def test_a_refused_value_is_told_beneath_and_the_last_allowed_one_stays(name: str, value: Any, sentence: str) -> None:
    turns: list[bool] = []
    shown = form(turned=lambda: turns.append(True), tables=(name.partition(".")[0],))
    shown[name].input.value = value
    beneath = shown[name].children[1]
    assert is_seen(beneath)
    assert 'role="alert"' in beneath.value
    assert shown.refused[name].startswith(sentence)
    assert shown.stack == Stack()
    shown[name].input.value = Stack().get(name)
    assert not shown.refused
    assert not is_seen(beneath)
    assert not beneath.value
    assert turns == [True, True]


def test_the_slider_follows_the_number_and_the_number_the_slider() -> None:
    count = input_of("frontend.replicas")
    assert isinstance(count, Count)
    number, slider = count.children
    assert slider.label == "frontend replicas"
    slider.value = 4
    assert (count.value, number.value) == (4, 4)
    number.value = 30
    assert (count.value, slider.value, slider.max) == (30, 30, 30)
    number.value = -1
    assert (count.value, slider.value) == (-1, 30)  # refused: the slider stays
    slider.value = 2
    assert (count.value, number.value) == (2, 2)


def test_a_slider_is_as_long_as_what_is_set() -> None:
    assert input_of("frontend.replicas", 40).children[1].max == 40
    assert input_of("frontend.replicas", 1).children[1].max == SLIDER_END


def test_hosts_are_ticked_and_those_unknown_to_the_inventory_are_not_lost() -> None:
    choice = input_of("backend.placement", ("node2", "node9"))
    assert isinstance(choice, HostChoice)
    boxes = {box.description: box for box in choice.children if isinstance(box, widgets.Checkbox)}
    assert [name for name, box in boxes.items() if box.value] == ["node2", "node9"]
    boxes["node1"].value = True
    assert choice.value == ("node1", "node2", "node9")
    for box in boxes.values():
        box.value = False
    assert not choice.value


def test_the_databases_host_is_chosen_from_the_inventory() -> None:
    choice = input_of("database.host")
    assert dict(choice.options) == {"node3, the last": "", "node1": "node1", "node2": "node2", "node3": "node3"}
    assert "node9" in dict(input_of("database.host", "node9").options)


def test_a_tier_shows_the_little_that_is_turned_often_and_folds_the_rest() -> None:
    folded = [part for part in form().children if isinstance(part, widgets.Accordion)]
    assert [part.titles[0] for part in folded] == [f"more of the {tier}" for tier in TIERS]
    assert all(part.selected_index is None for part in folded)
