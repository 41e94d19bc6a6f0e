"""Lessons in a browser: run, turned, applied, cancelled, looked at; at the root and behind a hub's address.

Their hosts are a lab of this run. What a person should see is kept in test-logs/screenshots.
"""

from __future__ import annotations

import re

import pytest
from lab_server import Server
from notebook import Notebook
from playwright.sync_api import Browser, Locator, expect

from overlaykit import connect

pytest_plugins = ["browsing"]
pytestmark = pytest.mark.timeout(300)

#: Milliseconds for a plan that is carried out and proven.
APPLIED = 90_000
#: Milliseconds in which a panel has looked at the hosts and says what is to do, or is so.
PLANNED = 30_000
#: Milliseconds in which the picture follows what happens on the hosts: two seconds, and what the page takes itself.
FOLLOWS = 2_500
#: What a panel says between Apply and its end.
AT_WORK = re.compile("^(applying|proving)")


def status(panel: Locator) -> Locator:
    """What a panel says of its work."""
    return panel.locator(".okp-status")


def press(panel: Locator, name: str) -> None:
    panel.get_by_role("button", name=name, exact=True).click()


def test_a_refused_value_is_explained(browser: Browser, server: Server) -> None:
    with Notebook.open(browser, server, "03_overlay_network") as notebook:
        notebook.run_all()
        panel = notebook.show("NetworkPanel(")
        subnet = panel.get_by_role("textbox", name="subnet")
        allowed = subnet.input_value()
        subnet.fill("10.20.0.0/33")
        expect(panel.get_by_role("alert").first).to_contain_text("'10.20.0.0/33' is not a subnet: write it like")
        expect(panel.get_by_role("button", name="Apply", exact=True)).to_be_disabled()
        notebook.keep("03-refused-light", panel)
        subnet.fill(allowed)
        planned(panel)
        expect(panel.get_by_role("button", name="Apply", exact=True)).to_be_enabled()
        assert notebook.faults == []


def test_apply_is_cancelled_then_completed(browser: Browser, server: Server) -> None:
    """And the picture beneath follows."""
    with Notebook.open(browser, server, "04_services") as notebook:
        panel = notebook.run_to("TiersPanel(")
        planned(panel)
        press(panel, "Apply")
        expect(panel.get_by_text("done").first).to_be_visible()
        press(panel, "Cancel")
        expect(status(panel)).to_have_text("cancelled", timeout=APPLIED)
        notebook.keep("04-cancelled-light", panel)
        press(panel, "Apply")
        applied(panel)
        notebook.keep("04-applied-light", panel)
        assert notebook.faults == []


def test_a_slider_is_turned_and_applied(browser: Browser, server: Server) -> None:
    """The plan follows the slider, the picture follows the hosts, and what is wanted is proven."""
    with Notebook.open(browser, server, "04_services") as notebook:
        notebook.run_to("picture(")
        panel = notebook.show("TiersPanel(")
        panel.get_by_role("slider", name="backend replicas").press("ArrowRight")
        planned(panel, "--replicas 2")
        press(panel, "Apply")
        applied(panel)
        press(panel, "Prove")
        expect(status(panel)).to_have_text("proven", timeout=PLANNED)
        picture = notebook.show("picture(")
        expect(picture.locator("svg text", has_text="backend.2").first).to_be_visible(timeout=FOLLOWS)
        notebook.keep("04-picture-light", picture)
        assert notebook.faults == []


def test_a_tab_that_is_closed_stops_nothing(browser: Browser, server: Server) -> None:
    """And who comes back sees in the panel where the work is."""
    with Notebook.open(browser, server, "04_services") as notebook:
        panel = notebook.run_to("TiersPanel(")
        panel.get_by_role("slider", name="frontend replicas").press("ArrowRight")
        planned(panel, "--replicas 2")
        notebook.save()
        press(panel, "Apply")
        expect(status(panel)).to_have_text(re.compile("^applying"), timeout=PLANNED)
    with Notebook.open(browser, server, "04_services") as again:
        applied(again.show("TiersPanel("))
        assert again.faults == []


def test_a_tab_that_is_closed_before_it_was_saved_is_found_again_by_its_cell(browser: Browser, server: Server) -> None:
    """The page knows nothing of the panel, so its cell is run again: it is the same panel, at the same work."""
    with Notebook.open(browser, server, "04_services") as notebook:
        panel = notebook.run_to("TiersPanel(")
        for _ in range(4):  # so much work that it goes on when the page is there again
            panel.get_by_role("slider", name="backend replicas").press("ArrowRight")
        planned(panel, "--replicas 5")
        press(panel, "Apply")
        expect(status(panel)).to_have_text(AT_WORK, timeout=PLANNED)
    with Notebook.open(browser, server, "04_services") as again:
        again.run_cell("TiersPanel(")
        panel = again.show("TiersPanel(")
        expect(panel.get_by_role("slider", name="backend replicas")).to_have_value("5")
        expect(panel.get_by_role("button", name="Apply", exact=True)).to_be_disabled()
        applied(panel)
        assert again.faults == []


def test_hosts_are_chosen_and_who_must_take_part_is_told(browser: Browser, server: Server) -> None:
    with Notebook.open(browser, server, "02_the_swarm") as notebook:
        panel = notebook.run_to("SwarmPanel(")
        planned(panel, "overlaykit.host=node3")
        panel.get_by_role("checkbox", name="node3").uncheck()
        expect(panel.get_by_text("Nothing is done on node3")).to_be_visible()
        expect(panel.locator("code", has_text="overlaykit.host=node3")).to_have_count(0, timeout=PLANNED)
        notebook.keep("02-hosts-light", panel)
        panel.get_by_role("checkbox", name="node1").uncheck()
        expect(panel.get_by_role("alert").first).to_contain_text("choose at least one of node1")
        expect(panel.get_by_role("button", name="Apply", exact=True)).to_be_disabled()
        notebook.keep("02-no-manager-light", panel)
        panel.get_by_role("checkbox", name="node1").check()
        press(panel, "Apply")
        applied(panel)
        assert notebook.faults == []


def test_asking_who_finds_whom_is_watched_and_cancelled(browser: Browser, server: Server) -> None:
    with Notebook.open(browser, server, "05_names") as notebook:
        panel = notebook.run_to("DiscoveryPanel(")
        press(panel, "Refresh")
        press(panel, "Cancel")
        expect(status(panel)).to_have_text("cancelled", timeout=PLANNED)
        press(panel, "Refresh")
        expect(status(panel)).to_have_text("proven", timeout=PLANNED)
        notebook.keep("05-matrix-light", panel)
        assert notebook.faults == []


def test_the_picture_follows_what_somebody_types_on_a_host(browser: Browser, server: Server) -> None:
    """With the motion that most browsers show: what comes grows in, what goes fades away."""
    with (
        Notebook.open(browser, server, "03_overlay_network", motion="no-preference") as notebook,
        connect("lab") as hosts,
    ):
        picture = notebook.run_to("picture(hosts")
        network = picture.locator("svg text", has_text="later")
        expect(picture.get_by_text("follows the hosts")).to_be_visible()
        hosts["node1"].run("docker network create --driver overlay later", check=True)
        expect(network.first).to_be_visible(timeout=FOLLOWS)
        hosts["node1"].run("docker network rm later", check=True)
        expect(network).to_have_count(0, timeout=FOLLOWS)
        assert notebook.faults == []


def test_the_guest_book_opens_inside_the_lesson(browser: Browser, server: Server) -> None:
    sign_the_guest_book(browser, server)


def test_the_guest_book_is_the_same_behind_a_hub(browser: Browser, hub: Server) -> None:
    sign_the_guest_book(browser, hub)


def test_a_panel_and_the_picture_are_the_same_behind_a_hub(browser: Browser, hub: Server) -> None:
    with Notebook.open(browser, hub, "04_services") as notebook:
        notebook.run_to("picture(")
        panel = notebook.show("TiersPanel(")
        port = panel.get_by_role("spinbutton", name="published port")
        port.fill("2377")
        expect(panel.get_by_role("alert").first).to_contain_text("2377")
        notebook.keep("04-refused-dark", panel)
        port.fill("80")
        panel.get_by_role("slider", name="frontend replicas").press("ArrowRight")
        planned(panel, "--replicas 2")
        press(panel, "Apply")
        applied(panel)
        notebook.keep("04-applied-dark", panel)
        picture = notebook.show("picture(")
        expect(picture.locator("svg text", has_text="frontend.2").first).to_be_visible(timeout=FOLLOWS)
        notebook.keep("04-picture-dark", picture)
        assert notebook.faults == []


def sign_the_guest_book(browser: Browser, server: Server) -> None:
    """Through JupyterLab's proxy, in the frame and in a tab; the page says which way the entry took."""
    with Notebook.open(browser, server, "00_start") as notebook:
        notebook.run_all()
        book = notebook.show("guestbook(")
        page = book.frame_locator("iframe")
        page.get_by_label("Name").fill("Grace")
        page.get_by_label("Message").fill(f"from the {server.theme} side")
        page.get_by_role("button", name="Sign").click()
        expect(page.get_by_text(f"from the {server.theme} side")).to_be_visible()
        assert f"{server.base_url}proxy/" in str(book.get_by_role("link").get_attribute("href"))
        with notebook.page.expect_popup() as opened:
            book.get_by_role("link").click()
        tab = opened.value
        tab.get_by_label("Name").fill("Ada")
        tab.get_by_label("Message").fill(f"from a tab of its own, on the {server.theme} side")
        tab.get_by_role("button", name="Sign").click()
        expect(tab.get_by_text(f"from a tab of its own, on the {server.theme} side")).to_be_visible()
        expect(tab.get_by_text(f"from the {server.theme} side")).to_be_visible()
        tab.close()
        notebook.keep(f"00-guestbook-{server.theme}", book)
        notebook.keep(f"00-picture-{server.theme}", notebook.show("picture("))
        assert notebook.faults == []


def planned(panel: Locator, words: str = "docker") -> None:
    """It has looked at the hosts, and shows a step with these words; long ones are folded."""
    expect(panel.locator("code", has_text=words).first).to_be_attached(timeout=PLANNED)
    expect(status(panel)).to_have_text(re.compile(r"to do\b"), timeout=PLANNED)


def applied(panel: Locator) -> None:
    """It came to its end, and is so."""
    expect(status(panel)).to_have_text(re.compile("^applied"), timeout=APPLIED)
    expect(panel.get_by_text("FAILED")).to_have_count(0)
