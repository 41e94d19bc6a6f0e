"""Values of an inventory, read as what they stand for; NotUsable carries the sentence when they do not.

>>> port("2222")
2222
>>> endpoint("127.0.0.1:8081")
'127.0.0.1:8081'
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import PurePosixPath
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")
_NUMBERS = re.compile(r"[0-9.]+")
_YES = ("y", "yes", "on", "1", "true", "t")
_NO = ("n", "no", "off", "0", "false", "f")
_SSH = ("ssh", "smart", "paramiko", "paramiko_ssh")


class NotUsable(Exception):
    """A value that cannot be used; its text is the sentence that says why and what to write."""


def text(value: Any) -> str:
    """Any value as text, the way Ansible hands numbers and booleans on."""
    if isinstance(value, dict | list) or value is None:
        raise NotUsable("this is not a single value: write plain text")
    return str(value)


def user(value: Any) -> str:
    """An account's name."""
    written = text(value)
    if len(written.split()) > 1:
        raise NotUsable(f"{written!r} is no user's name: write one word")
    return written


def port(value: Any) -> int:
    """A TCP port."""
    written = str(value)
    if written.isdecimal() and 1 <= int(written) <= 65535 and not isinstance(value, bool):
        return int(written)
    raise NotUsable(f"{written!r} is not a port: write a number from 1 to 65535")


def address(value: Any) -> str:
    """An address or name at which SSH reaches a host."""
    written = text(value).strip()
    if is_ipv6(written) or is_ipv4(written):
        return written
    name, _, number = written.partition(":")
    if number.isdecimal():
        raise NotUsable(f"{written!r} is address and port in one: write ansible_host={name} ansible_port={number}")
    if not _NAME.fullmatch(written) or _NUMBERS.fullmatch(written):
        raise NotUsable(f"{written!r} is neither an IP address nor a host name: write it like 192.0.2.11")
    return written


def ip_address(value: Any) -> str:
    """An IP address that other hosts reach; an interface's name would mean another on each of them."""
    written = text(value).strip()
    try:
        found = ipaddress.ip_address(written)
    except ValueError:
        raise NotUsable(f"{written!r} is not an IP address: write the host's own, like 192.0.2.11") from None
    if found.is_unspecified or found.is_loopback or found.is_multicast:
        raise NotUsable(f"{written} cannot be reached by other hosts: write the host's own address")
    return written


def endpoint(value: Any) -> str:
    """ADDRESS:PORT; an IPv6 address in brackets."""
    written = text(value).strip()
    name, colon, number = written.rpartition(":")
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    if not colon or not bare or (is_ipv6(bare) and bare == name):
        raise NotUsable(f"{written!r} is not ADDRESS:PORT: write it like 127.0.0.1:8081")
    address(bare)
    port(number)
    return written


def yes_no(value: Any) -> bool:
    """true or false, in the words Ansible takes for them."""
    written = str(value).strip().lower()
    if written in _YES or written in _NO:
        return written in _YES
    raise NotUsable(f"{str(value)!r} is neither true nor false: write true or false")


def socket_path(value: Any) -> str:
    """Where the engine's socket is on the host."""
    written = text(value).removeprefix("unix://")
    if not written.startswith("/"):
        raise NotUsable(f"{written!r} is not the path of a socket: write it like /var/run/docker.sock")
    return written


def path(value: Any, folder: str, home: str) -> str:
    """A path on this machine: `~` is `home`, and what is not absolute lies in `folder`."""
    written = text(value).strip()
    if not written:
        raise NotUsable("the path is empty: write one, or take the line out")
    if home and (written == "~" or written.startswith("~/")):
        return home.rstrip("/") + written[1:]
    return written if written.startswith("~") else str(PurePosixPath(folder, written))


def over_ssh(value: Any) -> None:
    """The way Ansible reaches the host; ours is SSH alone."""
    if text(value).rpartition(".")[2] not in _SSH:
        raise NotUsable(f"{text(value)!r} is not SSH, the only way hosts are reached here: write ssh, or take it out")


def by_sudo(value: Any) -> None:
    """The way to another user; ours is sudo alone."""
    if text(value).rpartition(".")[2] != "sudo":
        raise NotUsable(f"{text(value)!r} is not supported: write sudo, or log in as a user that may use Docker")


def is_ipv4(written: str) -> bool:
    """True for a dotted IPv4 address."""
    try:
        return bool(ipaddress.IPv4Address(written))
    except ValueError:
        return False


def is_ipv6(written: str) -> bool:
    """True for an IPv6 address, with or without a scope (`%eth0`)."""
    try:
        return bool(ipaddress.IPv6Address(written))
    except ValueError:
        return False
