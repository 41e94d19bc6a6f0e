"""What a cell needs that not every host has: as it says so, and what stands there where it is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from overlaykit.lessons.needs import Need, needs_of, reasons, run_up_to
from overlaykit.ui.notebook.needs import NotHere, stand_in
from overlaykit.words.facts import Facts, HostFacts

CELL = "wide = 2\n# needs IPVS: a virtual IP\nwide = 3\nprint(wide)\n"
SCRIPT = "%%on node1\nhostname\n# needs IPVS: a virtual IP\ndate\n"
REASON = "The kernel of node1 has no IPVS"
SAID = f"not available here: a virtual IP. {REASON}."


def facts(*, has_ipvs: bool | None, can_encrypt: bool | None) -> Facts:
    """Of two hosts, the second of which has everything."""
    whole = HostFacts("node2", has_ipvs=True, can_encrypt=True)
    return Facts((replace(whole, name="node1", has_ipvs=has_ipvs, can_encrypt=can_encrypt), whole))


@pytest.fixture
def shell() -> Iterator[Any]:
    """The notebook's kernel, as far as it reads cells."""
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_a_cell_says_what_it_needs() -> None:
    need = Need("IPVS", "a virtual IP")
    assert needs_of(CELL) == needs_of(SCRIPT) == [need]
    assert needs_of("    # needs IPVS: this is no line of its own") == []
    assert needs_of("# needs patience: this is no kind of need") == []
    assert run_up_to(CELL, ["IPVS"]) == ("wide = 2\n", need)
    assert run_up_to(SCRIPT, ["IPVS"]) == ("", need)
    assert run_up_to(CELL, ["ESP"]) is None


def test_a_cell_may_need_two_things() -> None:
    both = "one\n# needs ESP: an encrypted network\ntwo\n# needs IPVS: a virtual IP\nthree\n"
    esp, ipvs = needs_of(both)
    assert run_up_to(both, ["ESP", "IPVS"]) == ("one\n", esp)
    assert run_up_to(both, ["IPVS"]) == ("one\n# needs ESP: an encrypted network\ntwo\n", ipvs)


def test_what_is_missing_is_said_with_the_hosts() -> None:
    assert reasons(facts(has_ipvs=True, can_encrypt=True), one_kernel=False) == {}
    assert reasons(facts(has_ipvs=None, can_encrypt=None), one_kernel=False) == {}
    found = reasons(facts(has_ipvs=False, can_encrypt=False), one_kernel=True)
    assert found == {
        "IPVS": REASON,
        "ESP": "The kernel of node1 has no ESP",
        "kernels": "node1, node2 are containers on one machine, and share its kernel",
    }


def test_the_rest_of_the_cell_is_left_out(shell: Any) -> None:
    stand_in({"IPVS": REASON})
    done = shell.run_cell(CELL)
    assert (repr(done.result), shell.user_ns["wide"]) == (SAID, 2)
    assert repr(shell.run_cell(SCRIPT).result) == SAID
    assert shell.run_cell("# needs ESP: an encrypted network\n5").result == 5


def test_where_nothing_is_missing_it_is_a_comment(shell: Any) -> None:
    stand_in({"IPVS": REASON})
    stand_in({})
    assert shell.run_cell(CELL.replace("print(wide)", "wide")).result == 3


def test_it_is_readable_in_a_notebook_too() -> None:
    assert "&lt;one&gt; network" in NotHere(Need("ESP", "<one> network"), REASON)._repr_html_()
