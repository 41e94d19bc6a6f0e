"""What a clean-up left, and what it took that was not the kit's."""

from __future__ import annotations

from overlaykit.lessons.belongings import Thing, difference, table
from overlaykit.ui.notebook.shown import shown

OURS = Thing("node1", "container", "backend.1", kits=True)
THEIRS = Thing("node1", "container", "shop")
DATA = Thing("node2", "volume", "guestbook-data", kits=True)


def test_all_that_was_the_kits_is_gone_and_nothing_else() -> None:
    assert difference((OURS, THEIRS, DATA), (THEIRS,)) == ()


def test_what_is_left_is_named() -> None:
    assert difference((OURS, THEIRS, DATA), (THEIRS, DATA)) == ("left: node2: volume guestbook-data",)


def test_what_is_new_is_named() -> None:
    stray = Thing("node2", "network", "forgotten")
    assert difference((THEIRS,), (THEIRS, stray)) == ("new: node2: network forgotten",)


def test_what_was_somebody_elses_and_is_gone_is_named() -> None:
    assert difference((OURS, THEIRS), ()) == ("gone: node1: container shop",)


def test_the_table_counts_by_host_and_kind() -> None:
    assert table((OURS, THEIRS, DATA)) == (("node1", "container", 2, 1), ("node2", "volume", 1, 1))


def test_what_is_shown_is_escaped_and_reads_the_same_on_every_run() -> None:
    seen = shown("To be done", "node1$ docker rm <x>")
    assert repr(seen) == "Shown('To be done')"
    assert "docker rm &lt;x&gt;" in seen.value
    assert "<td" in shown("A table", rows=[("host",), ("node1",)]).value
