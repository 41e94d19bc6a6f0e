"""Captures read: VXLAN opened, ESP as far as it shows, files that break off, words that TCP cut in two."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.layers.vxlan import VXLAN
from scapy.utils import rdpcap
from wire_packets import OnWire, pcap

from overlaykit.reading.packets import read_packets
from overlaykit.reading.pcap import as_pcapng, records
from overlaykit.words.errors import InputError
from overlaykit.words.wire import Capture, Packet, usable_word

WORD = "open-sesame"
REQUEST = f"GET /api/path?word={WORD} HTTP/1.1\r\nHost: node1\r\n\r\n".encode()


def read(wire: OnWire, host: str = "node1", port: int = 4789) -> tuple[Packet, ...]:
    return read_packets(wire.captures()[host], port, WORD)


def test_a_request_is_opened_layer_by_layer() -> None:
    wire = OnWire()
    wire.say("frontend", "backend", REQUEST)
    (packet,) = read(wire)
    assert repr(packet) == "Ethernet > IP > UDP > VXLAN > Ethernet > IP > TCP > HTTP"
    assert [layer.size for layer in packet.layers] == [14, 20, 8, 8, 14, 20, 32, len(REQUEST)]
    assert packet.size == sum(layer.size for layer in packet.layers)
    assert (packet.source, packet.target, packet.vxlan_id) == ("10.77.0.12", "10.77.0.11", 4097)
    assert (packet.inner_source, packet.inner_target) == ("10.20.0.13", "10.20.0.11")
    assert packet.layers[2].values["to port"] == "4789"
    assert packet.layers[3].values == {"VXLAN id": "4097"}
    assert packet.layers[-1].values["first line"] == f"GET /api/path?word={WORD} HTTP/1.1"
    assert packet.length - packet.inner_length == 50
    assert packet.readable
    assert packet.payload == REQUEST
    assert "10.20.0.13" in packet.details()


def test_esp_shows_its_spi_and_nothing_else() -> None:
    wire = OnWire()
    wire.esp("node1", "node2", spi=0x5C3B1D7E, size=128)
    (packet,) = read(wire)
    assert repr(packet) == "Ethernet > IP > ESP"
    assert (packet.spi, packet.vxlan_id, packet.length, packet.readable) == (0x5C3B1D7E, None, 128, False)
    assert packet.layers[-1].values["SPI"] == "0x5c3b1d7e"


def test_vxlan_is_what_goes_to_the_swarms_own_port() -> None:
    wire = OnWire(data_port=7789)
    wire.say("frontend", "backend", REQUEST)
    (theirs,) = read(wire, port=7789)
    assert theirs.vxlan_id == 4097
    (other,) = read(wire, port=4789)
    assert (other.vxlan_id, other.readable) == (None, True)
    usual = OnWire()
    usual.say("frontend", "backend", REQUEST)
    (not_ours,) = read(usual, port=7789)
    assert not_ours.vxlan_id is None


@pytest.mark.parametrize("at", range(1, len(WORD)))
@pytest.mark.parametrize("swapped", [False, True])
def test_a_word_that_is_cut_in_two_is_found_in_both_parts(at: int, swapped: bool) -> None:
    cut = REQUEST.index(WORD.encode()) + at
    parts = [(REQUEST[:cut], 1000), (REQUEST[cut:], 1000 + cut)]
    wire = OnWire()
    for part, sequence in reversed(parts) if swapped else parts:
        wire.say("frontend", "backend", part, sequence=sequence)
    wire.say("frontend", "backend", b"more", sequence=1000 + len(REQUEST))
    assert [packet.readable for packet in read(wire)] == [True, True, False]


def test_parts_that_are_not_neighbours_make_no_word() -> None:
    cut = REQUEST.index(WORD.encode()) + 4
    gap, other, again = OnWire(), OnWire(), OnWire()
    gap.say("frontend", "backend", REQUEST[:cut], sequence=1000)
    gap.say("frontend", "backend", REQUEST[cut:], sequence=1001 + cut)
    other.say("frontend", "backend", REQUEST[:cut], sequence=1000)
    other.say("database", "backend", REQUEST[cut:], sequence=1000 + cut)
    assert not any(packet.readable for wire in (gap, other) for packet in read(wire))
    for part, sequence in [(REQUEST[:cut], 1000), (REQUEST[:cut], 1000), (REQUEST[cut:], 1000 + cut)]:
        again.say("frontend", "backend", part, sequence=sequence)
    assert [packet.readable for packet in read(again)].count(True) == 2


def test_mongodbs_messages_and_answers_are_told_apart() -> None:
    wire = OnWire()
    wire.say(
        "backend", "database", (60).to_bytes(4, "little") + bytes(8) + (2013).to_bytes(4, "little") + WORD.encode()
    )
    wire.say("backend", "frontend", b"HTTP/1.1 201 Created\r\n\r\n")
    wire.say("backend", "frontend", b"\x00\x01\x02")
    assert [packet.layers[-1].name for packet in read(wire)] == ["MongoDB", "HTTP", "data"]


def test_a_file_that_breaks_off_is_read_as_far_as_it_goes() -> None:
    wire = OnWire()
    wire.say("frontend", "backend", REQUEST)
    wire.say("frontend", "backend", REQUEST)
    whole = wire.captures()["node1"].pcap
    assert records(whole).whole
    for end in range(len(whole)):
        found = records(whole[:end])
        assert len(found.frames) <= 1 or end == len(whole)
        assert len(read_packets(Capture("node1", pcap=whole[:end]), 4789, WORD)) == len(found.frames)
    assert not records(whole[:-1]).whole
    assert not records(b"GIF89a" + bytes(40)).whole


def test_no_frame_is_too_short_or_too_strange() -> None:
    frame = bytes(Ether() / IP(src="10.77.0.12", dst="10.77.0.11") / UDP(sport=1, dport=4789) / VXLAN(vni=4097))
    frames = [frame[:end] for end in range(len(frame) + 1)]
    frames += [frame + bytes(Ether() / ARP()), frame + b"x", b"", bytes(Ether() / ARP())]
    frames += [frame + bytes(Ether(type=0x8847)) + b"\x00\x00\x01\x40"]  # one MPLS label, and nothing behind it
    packets = read_packets(Capture("node1", pcap=pcap([(1.0, one) for one in frames])), 4789, WORD)
    assert len(packets) == len(frames)
    assert all(repr(packet) is not None and packet.details() for packet in packets)


def test_an_interface_without_ethernet_is_read_too() -> None:
    bare = bytes(IP(src="10.77.0.12", dst="10.77.0.11") / UDP(dport=4789) / VXLAN(vni=4097) / Ether() / IP() / TCP())
    (packet,) = read_packets(Capture("node1", pcap=pcap([(1.0, bare)], link=101)), 4789, WORD)
    assert repr(packet) == "IP > UDP > VXLAN > Ethernet > IP > TCP"
    assert packet.length - packet.inner_length == 50


def test_one_file_for_all_hosts_names_them(tmp_path: Path) -> None:
    wire = OnWire()
    wire.say("frontend", "backend", REQUEST)
    wire.esp("node1", "node3")
    captures = list(wire.captures(node2="node2: may not").values())
    file = tmp_path / "wire.pcapng"
    file.write_bytes(as_pcapng(captures))
    assert [(packet.sniffed_on, round(float(packet.time), 3)) for packet in rdpcap(str(file))] == [
        ("node1: eth0", 1000.001),
        ("node1: eth0", 1000.002),
        ("node3: eth0", 1000.002),
    ]
    assert as_pcapng([replace(one, pcap=b"") for one in captures])  # nothing captured is a file without packets


@pytest.mark.parametrize("word", ["short", "two words", "quote'd-word", "naïve-word", "a" * 61, "per%20cent", ""])
def test_a_word_that_would_change_on_its_way_is_refused(word: str) -> None:
    with pytest.raises(InputError, match="take 6 to 60 of the letters"):
        usable_word(word)


def test_a_word_is_taken_as_it_is() -> None:
    assert usable_word("Open-Sesame_1.0~") == "Open-Sesame_1.0~"
