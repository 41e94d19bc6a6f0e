"""`overlaykit wire` at the command line: exit codes, the envelope, the file for Wireshark."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fake_kit import FakeKit, FakeWire
from scapy.utils import rdpcap
from test_wire_verdicts import ENCRYPTED, WORD, Case, encrypted, plaintext
from wire_packets import OnWire

from overlaykit.ui.cli import main
from overlaykit.words.errors import PlanRefused
from overlaykit.words.wire import Wire


@pytest.fixture
def type_(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Type `overlaykit wire …` where this is to be seen."""
    monkeypatch.chdir(tmp_path)

    def typed(seen: Wire | Exception, *words: str) -> Result:
        monkeypatch.setattr("overlaykit.ui.cli.connect", FakeKit(wire=FakeWire(seen)).connect)
        return CliRunner().invoke(main, ["wire", *words])

    return typed


def test_as_the_stack_says_is_0_with_the_word_in_its_packet(type_: Any) -> None:
    result = type_(Case(plaintext()).judged(), "--word", WORD)
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "guestbook 4097 plaintext 3 2 0 50 1450" in lines
    assert "frontend → backend node2 node1 guestbook readable" in lines
    assert "VXLAN: VXLAN id 4097 (guestbook)" in lines
    assert any(f"first line POST /api/entries?word={WORD}" in line for line in lines)


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Case(encrypted(), settings=ENCRYPTED).judged(), 0),
        (Case(encrypted()).judged(), 1),
        (Case(plaintext(), settings=ENCRYPTED).judged(), 1),
        (Case(OnWire()).judged(), 1),
        (Case(encrypted(), settings=ENCRYPTED, errors={"node2": "node2: it may not be captured"}).judged(), 1),
    ],
)
def test_exit_codes(type_: Any, seen: Wire, code: int) -> None:
    assert type_(seen).exit_code == code


def test_for_machines(type_: Any) -> None:
    result = type_(Case(encrypted(), settings=ENCRYPTED).judged(), "--json")
    told = json.loads(result.stdout)
    assert list(told) == ["schema", "command", "ok", "hosts", "steps", "findings", "wire"]
    assert (told["command"], told["ok"]) == ("wire", True)
    networks = {one["name"]: one for one in told["wire"]["networks"]}
    assert (networks["guestbook"]["verdict"], networks["guestbook"]["hits"]) == ("encrypted", 0)
    assert (networks["guestbook"]["overhead"], networks["guestbook"]["mtu"]) == (76, 1424)
    assert [layer["name"] for layer in told["wire"]["packet"]["layers"]] == ["Ethernet", "IP", "ESP"]


def test_a_capture_for_wireshark(type_: Any, tmp_path: Path) -> None:
    result = type_(Case(plaintext()).judged(), "--pcap", "wire.pcapng")
    assert result.exit_code == 0, result.output
    assert "wrote wire.pcapng" in result.stdout
    assert len(rdpcap(str(tmp_path / "wire.pcapng"))) == 10
    assert [one.name for one in tmp_path.iterdir()] == ["wire.pcapng"]


def test_a_file_that_is_there_is_not_overwritten(type_: Any, tmp_path: Path) -> None:
    (tmp_path / "wire.pcapng").write_text("mine")
    result = type_(Case(plaintext()).judged(), "--pcap", "wire.pcapng")
    assert result.exit_code == 2
    assert result.stderr.startswith("wire.pcapng is there already and was left as it is")
    assert (tmp_path / "wire.pcapng").read_text() == "mine"


@pytest.mark.parametrize("folder", [".", "/", ""])
def test_a_folder_is_no_file_to_write(type_: Any, folder: str) -> None:
    result = type_(AssertionError("it was captured"), "--pcap", folder)
    assert result.exit_code == 2
    assert "is there already and was left as it is: choose another name" in result.stderr


def test_what_was_seen_is_told_though_its_file_cannot_be_written(type_: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(captures: Any) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("overlaykit.wire.as_pcapng", full)
    result = type_(Case(plaintext()).judged(), "--pcap", "wire.pcapng")
    assert result.exit_code == 2
    assert "guestbook" in result.stdout and "plaintext" in result.stdout
    assert result.stderr == "wire.pcapng: the capture was not written: No space left on device\n"


def test_where_it_cannot_be_written_is_said_before_anything_is_captured(type_: Any) -> None:
    result = type_(AssertionError("it was captured"), "--pcap", "nowhere/wire.pcapng")
    assert result.exit_code == 2
    assert result.stderr == ("nowhere/wire.pcapng: the capture cannot be written there: No such file or directory\n")


def test_nothing_half_made_is_left_where_nothing_was_captured(type_: Any, tmp_path: Path) -> None:
    result = type_(PlanRefused("no frontend runs"), "--pcap", "wire.pcapng")
    assert (result.exit_code, result.stderr) == (1, "no frontend runs\n")
    assert list(tmp_path.iterdir()) == []


def test_a_word_that_cannot_be_sent(type_: Any) -> None:
    result = type_(AssertionError("it was captured"), "--word", "two words")
    assert result.exit_code == 2
    assert result.stderr.startswith("the word 'two words' cannot be sent: take 6 to 60")
