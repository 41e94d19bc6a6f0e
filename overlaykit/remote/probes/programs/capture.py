"""Runs on a host, in the host's own network: keeps the swarm's packets of one interface until it is told to stop.

    python3 -ISc "$(cat capture.py)" '{"interface": "eth0", "port": 4789, "seconds": 60, "most": 1000000, "snap": 4096}'

Standard output is a pcap file. Its header comes as soon as packets are being kept; the packets come when a line, or
the end, has been read from standard input: what had passed by then is in it. Standard error ends with a line of JSON.
VXLAN (UDP to `port`) and ESP alone are kept; the kernel drops everything else before it gets here. With `"protocol": 6`
it is TCP to `port`, and with `"interface": ""` whatever passes any interface of the network that it runs in.
"""

import ctypes
import fcntl
import json
import select
import socket
import struct
import sys
import time
from typing import Any

# From <linux/if_ether.h>, <linux/if_packet.h>, <linux/filter.h>, <asm/socket.h> and <linux/sockios.h>.
ETH_P_ALL, SOL_PACKET, PACKET_STATISTICS = 3, 263, 6
SO_ATTACH_FILTER, SO_TIMESTAMP, SIOCGIFADDR = 26, 29, 0x8915
SKF_NET_OFF = 0xFFF00000  # offsets from here count from the IP header, whatever the link before it looks like
LOAD_BYTE, LOAD_HALF, AND, JUMP_IF, RETURN = 0x30, 0x28, 0x54, 0x15, 0x06
WITH_ETHERNET, LINK_ETHERNET, LINK_IP = (1, 772), 1, 101  # ARPHRD_*, LINKTYPE_*
ESP, UDP = 50, 17
BUFFER = 8 << 20
LONGEST = 1 << 18  # an offloading interface shows packets that it has yet to cut


def open_tap(interface: str, port: int, protocol: int = UDP) -> socket.socket:
    """A socket that gets copies of the interface's packets, filtered from the first one on."""
    if interface:
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # 0: nothing yet
    else:  # every interface has its own kind of link: what all of them carry is IP
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    program = wanted(port, protocol)
    code = ctypes.create_string_buffer(program)
    tap.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(program) // 8, ctypes.addressof(code)))
    tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMP, 1)
    tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)  # as much of it as the host allows
    if interface:
        tap.bind((interface, ETH_P_ALL))
    tap.setblocking(False)
    return tap


def wanted(port: int, protocol: int) -> bytes:
    """IPv4 that is ESP, or UDP to the port (behind a header without options, as the kernel's VXLAN writes it); TCP
    has its port at the same place."""
    lines = [
        (LOAD_BYTE, 0, 0, SKF_NET_OFF),
        (AND, 0, 0, 0xF0),
        (JUMP_IF, 0, 5, 0x40),
        (LOAD_BYTE, 0, 0, SKF_NET_OFF + 9),
        (JUMP_IF, 4, 0, ESP),
        (JUMP_IF, 0, 2, protocol),
        (LOAD_HALF, 0, 0, SKF_NET_OFF + 22),
        (JUMP_IF, 1, 0, port),
        (RETURN, 0, 0, 0),
        (RETURN, 0, 0, 0xFFFFFFFF),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def pcap_header(tap: socket.socket, snap: int) -> bytes:
    """The first bytes of the file: what kind of link it was."""
    link = LINK_ETHERNET if tap.getsockname()[3] in WITH_ETHERNET else LINK_IP
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snap, link)


def keep(tap: socket.socket, seconds: float, most: int, snap: int) -> tuple[list[bytes], bool]:
    """Records until we are told to stop, or have enough; and whether we were told."""
    records: list[bytes] = []
    size, until, told = 0, time.monotonic() + seconds, False
    while not told and size < most and time.monotonic() < until:
        ready, _, _ = select.select([tap, sys.stdin], [], [], max(0, until - time.monotonic()))
        told = sys.stdin in ready
        for record in waiting(tap, snap, most - size):
            records.append(record)
            size += len(record)
    return records, told and size < most


def waiting(tap: socket.socket, snap: int, room: int) -> Any:
    """One record for each packet that has passed already."""
    while room > 0:
        try:
            frame, extra, _, _ = tap.recvmsg(LONGEST, 64)
        except BlockingIOError:
            return
        record = as_record(frame, extra, snap)
        room -= len(record)
        yield record


def as_record(frame: bytes, extra: Any, snap: int) -> bytes:
    """A packet as it stands in the file, with the kernel's own time."""
    stamps = [struct.unpack("ll", data) for level, kind, data in extra if (level, kind) == (1, SO_TIMESTAMP)]
    now = time.time()
    second, micro = stamps[0] if stamps else (int(now), int(now % 1 * 1e6))
    return struct.pack("<IIII", second, micro, min(len(frame), snap), len(frame)) + frame[:snap]


def own_address(tap: socket.socket, interface: str) -> str:
    """The interface's IPv4 address; empty where it has none."""
    try:
        answer = fcntl.ioctl(tap, SIOCGIFADDR, struct.pack("256s", interface.encode()))
    except OSError:
        return ""
    return socket.inet_ntoa(answer[20:24])


def main(asked: dict[str, Any]) -> None:
    """Keep, and tell."""
    with open_tap(asked["interface"], asked["port"], asked.get("protocol", UDP)) as tap:
        address = own_address(tap, asked["interface"])
        sys.stdout.buffer.write(pcap_header(tap, asked["snap"]))
        sys.stdout.buffer.flush()
        records, whole = keep(tap, asked["seconds"], asked["most"], asked["snap"])
        _, dropped = struct.unpack("II", tap.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    sys.stdout.buffer.write(b"".join(records))
    sys.stdout.buffer.flush()
    print(json.dumps({"address": address, "dropped": dropped, "whole": whole}), file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    except OSError as error:
        sys.exit(f"{error.strerror or error}")
