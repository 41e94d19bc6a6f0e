"""docs/your-own-servers.md holds together: every block is rehearsed, and its table, its rules and the kit's agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from page import steps

from overlaykit.words.allowed import GOSSIP_PORT, MANAGER_PORT
from overlaykit.words.stack import Stack

ROOT = Path(__file__).parents[2]
REHEARSAL = ROOT / "tests" / "servers"
PAGE = (ROOT / "docs" / "your-own-servers.md").read_text()
STEPS = steps()


def test_every_block_is_rehearsed() -> None:
    assert len(STEPS) == PAGE.count("```") // 2
    rehearsal = "".join(path.read_text() for path in REHEARSAL.glob("test_*.py"))
    assert [name for name in STEPS if f'"{name}"' not in rehearsal] == []


def test_the_table_names_the_ports_that_the_kit_means() -> None:
    table = {(kind, int(port)) for kind, port in re.findall(r"^\| (TCP|UDP) (\d+) \|", PAGE, re.MULTILINE)}
    stack = Stack()
    swarm = {("TCP", MANAGER_PORT), ("TCP", GOSSIP_PORT), ("UDP", GOSSIP_PORT), ("UDP", stack.swarm.data_path_port)}
    assert table == {("TCP", 22), *swarm, ("TCP", stack.frontend.published_port)}


@pytest.mark.parametrize("tool", ["iptables", "nft", "ufw"])
def test_each_set_of_rules_opens_what_the_table_says(tool: str) -> None:
    rules = STEPS[tool]
    for kind, first, second in (("tcp", MANAGER_PORT, GOSSIP_PORT), ("udp", GOSSIP_PORT, Stack().swarm.data_path_port)):
        assert re.search(rf"{kind} .*{first}, ?{second}\b", rules)
    assert "esp" in rules
    assert rules.count("192.0.2.1") == 3


def test_the_readme_leads_here() -> None:
    assert "(docs/your-own-servers.md)" in (ROOT / "README.md").read_text()
