"""Each control of each panel, turned in a browser: the stack that the panel exports says so, and says it no more."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import pytest
from lab_server import Server
from notebook import Notebook
from playwright.sync_api import Browser, Locator, expect
from tenacity import Retrying, retry_if_not_result, stop_after_delay, wait_fixed

from overlaykit.words.stack import parameters

pytest_plugins = ["browsing"]
pytestmark = pytest.mark.timeout(300)

#: Another value that is allowed, by the name beside the box; a number for which there is none is made greater by one.
OTHER = {
    "mtu": "1400",
    "address pool": "10.128.0.0/9",
    "name": "evening",
    "subnet": "10.21.0.0/24",
    "image": "registry.example/tier:2",
    "memory": "256M",
    "health": "none",
    "volume": "evening-data",
}
#: Where a panel is, and which tables of the stack it shows.
PANELS = {
    "SwarmPanel(": ("02_the_swarm", {"swarm"}),
    "NetworkPanel(": ("03_overlay_network", {"network"}),
    "TiersPanel(": ("04_services", {"database", "backend", "frontend"}),
}
#: Nobody's to see in a panel: it may hold what is secret.
HIDDEN = "environment"
#: Seconds in which a kernel has heard of what was turned on the page.
HEARD = 10


class Control(NamedTuple):
    """Something to turn, and to turn back."""

    turn: Callable[[], object]
    back: Callable[[], object]


@pytest.mark.parametrize("cell", PANELS)
def test_each_control_is_in_what_is_exported(browser: Browser, server: Server, cell: str) -> None:
    lesson, tables = PANELS[cell]
    with Notebook.open(browser, server, lesson) as notebook:
        panel = notebook.run_to(cell).locator(".jp-OutputArea").first  # the code is a textbox too
        for more in panel.get_by_text("more of the").all():
            more.click()
        first, turned = exported(panel, bool), set[str]()
        for control in list(controls(panel)):
            control.turn()
            changed = difference(first, exported(panel, lambda text: text != first))
            assert len(changed) == 1
            turned |= changed
            control.back()
            exported(panel, lambda text: text == first)
        shown = [dotted.rpartition(".") for dotted, _ in parameters()]
        assert turned == {f"{table}.{key}" for table, _, key in shown if table in tables and key != HIDDEN}
        assert notebook.faults == []


def exported(panel: Locator, is_so: Callable[[str], bool]) -> str:
    """The text of the file, as the panel shows it once that is so."""
    file = panel.locator(".okp-file")

    def look() -> str:
        panel.get_by_role("button", name="Export stack.toml").click()
        expect(file).not_to_be_empty()
        return file.inner_text()

    patience = Retrying(retry=retry_if_not_result(is_so), stop=stop_after_delay(HEARD), wait=wait_fixed(0.1))
    return patience(look)


def difference(before: str, after: str) -> set[str]:
    """The dotted names of what is another."""
    one, other = flat(tomllib.loads(before)), flat(tomllib.loads(after))
    return {dotted for dotted in one | other if one.get(dotted) != other.get(dotted)}


def flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values of a table and of those in it, by their dotted names."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def controls(panel: Locator) -> Iterator[Control]:
    """All of a panel's. Hosts that take part, and what may be made anew, are not the stack's."""
    for text in panel.get_by_role("textbox").all():
        yield Control(partial(text.fill, OTHER[label(text)]), partial(text.fill, text.input_value()))
    for number in panel.get_by_role("spinbutton").all():
        was = number.input_value()
        yield Control(partial(number.fill, OTHER.get(label(number), f"{float(was) + 1:g}")), partial(number.fill, was))
    for slider in panel.get_by_role("slider").all():
        yield Control(partial(slider.press, "ArrowRight"), partial(slider.press, "ArrowLeft"))
    for choice in panel.get_by_role("combobox").all():
        was = choice.input_value()
        yield Control(partial(choice.select_option, index=1), partial(choice.select_option, was))
    for box in panel.get_by_role("checkbox").all():
        about = str(box.evaluate("one => (one.closest('.okp-hosts') ?? one.closest('label')).textContent"))
        if "take part" not in about and "recreate" not in about:
            yield Control(box.click, box.click)


def label(box: Locator) -> str:
    """What stands beside it."""
    return str(box.evaluate("one => one.labels[0].textContent"))
