"""What is allowed: each check takes a value and returns the sentence that says what is wrong, or None.

>>> whole(1, 9)(12)
'12 is out of range: write a whole number from 1 to 9'
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from overlaykit.words.errors import Problem, StackError

Check = Callable[[Any], "str | None"]

#: TCP ports that Swarm has on every host: managers hear from nodes at the one, nodes from each other at the other.
MANAGER_PORT, GOSSIP_PORT = 2377, 7946

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62})")
_IMAGE = re.compile(r"[a-z0-9][a-zA-Z0-9._/:@-]*")
_MEMORY = re.compile(r"(\d+)([KMG]?)B?", re.IGNORECASE)
_ENVIRONMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


def whole(low: int, high: int) -> Check:
    """A whole number from `low` to `high`."""

    def check(value: Any) -> str | None:
        ok = isinstance(value, int) and not isinstance(value, bool)
        if ok and low <= value <= high:
            return None
        return f"{value!r} is {'out of range' if ok else 'not a number'}: write a whole number from {low} to {high}"

    return check


def published_port(value: Any) -> str | None:
    """A port that every host can publish: Swarm keeps two for itself (docs.docker.com, "Open protocols and ports")."""
    if value in (MANAGER_PORT, GOSSIP_PORT):
        return f"{value} is a port that Swarm needs for itself on every host: write another one"
    return whole(1, 65535)(value)


def zero_or(low: int, high: int) -> Check:
    """0, or a whole number from `low` to `high`."""
    inner = whole(low, high)

    def check(value: Any) -> str | None:
        said = inner(value)
        return None if value == 0 and not isinstance(value, bool) else said and f"{said}, or 0"

    return check


def number(low: float, high: float) -> Check:
    """A number from `low` to `high`."""

    def check(value: Any) -> str | None:
        ok = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
        return None if ok else f"{value!r} is not a number from {low:g} to {high:g}"

    return check


def yes_no(value: Any) -> str | None:
    """True or False."""
    return None if isinstance(value, bool) else f"{value!r} is neither true nor false"


def text(value: Any) -> str | None:
    """Any text but the empty one."""
    return None if isinstance(value, str) and value.strip() else f"{value!r} is not text"


def name(value: Any) -> str | None:
    """A name as Docker and DNS both take it."""
    ok = isinstance(value, str) and _NAME.fullmatch(value)
    return None if ok else f"{value!r} is not a name: write small letters, digits, - and _, at most 63"


def host(value: Any) -> str | None:
    """The inventory name of a host."""
    ok = isinstance(value, str) and _HOST.fullmatch(value)
    return None if ok else f"{value!r} is not a host's name: write it as the inventory does"


def hosts(value: Any) -> str | None:
    """A list of inventory names, each once."""
    said = _each(value, host, "hosts", '["node1", "node2"]')
    return said or (f"{list(value)!r} names a host twice" if len(set(value)) < len(value) else None)


def environment(value: Any) -> str | None:
    """A list of NAME=VALUE, each name once."""
    said = _each(value, _variable, "variables", '["LOG_LEVEL=debug"]')
    if said:
        return said
    names = [entry.partition("=")[0] for entry in value]
    twice = sorted({n for n in names if names.count(n) > 1})
    return f"{', '.join(twice)} is set twice" if twice else None


def image(value: Any) -> str | None:
    """An image reference."""
    ok = isinstance(value, str) and _IMAGE.fullmatch(value)
    return None if ok else f"{value!r} is not an image: write it like nginx:1.27 or registry.example/team/app:2"


def memory(value: Any) -> str | None:
    """An amount of memory; Docker's own least is 6M."""
    match = _MEMORY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return f"{value!r} is not an amount of memory: write it like 256M or 1G, or 0 for no limit"
    return f"{value} is too little: Docker wants at least 6M" if 0 < memory_bytes(value) < 6 * 1024**2 else None


def memory_bytes(value: str) -> int:
    """`256M` as bytes."""
    match = _MEMORY.fullmatch(value)
    return int(match[1]) * _UNITS[match[2].upper()] if match else 0


def subnet(value: Any) -> str | None:
    """An IPv4 network of private addresses, with room for the tiers."""
    try:
        network = ipaddress.IPv4Network(value)
    except (ValueError, TypeError):
        return f"{value!r} is not a subnet: {_subnet_hint(value)}"
    if not network.is_private:
        return f"{value!r} is public address space: take one of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16"
    return f"{value!r} is too small: take a /28 or larger" if network.prefixlen > 28 else None


def empty_or(inner: Check) -> Check:
    """Empty, or what `inner` allows."""

    def check(value: Any) -> str | None:
        return None if value == "" else inner(value)

    return check


def convert(dotted: str, check: Check, value: Any, default: Any) -> Any:
    """`value` as the type of `default`, checked; raises StackError naming the parameter."""
    typed = _from_text(value, default) if isinstance(value, str) else value
    if isinstance(default, tuple) and isinstance(typed, list):
        typed = tuple(typed)
    if isinstance(default, float) and isinstance(typed, int) and not isinstance(typed, bool):
        typed = float(typed)
    said = check(typed)
    if said:
        raise StackError([Problem(said, key=dotted)])
    return typed


def _from_text(value: str, default: Any) -> Any:
    """Text from a command line as the type of `default`, or unchanged where it cannot be."""
    if isinstance(default, bool):
        return {"true": True, "yes": True, "false": False, "no": False}.get(value.lower(), value)
    if isinstance(default, int | float):
        try:
            return type(default)(value)
        except ValueError:
            return value
    if isinstance(default, tuple):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _variable(value: Any) -> str | None:
    ok = isinstance(value, str) and _ENVIRONMENT.fullmatch(value)
    return None if ok else f"{value!r} is not NAME=VALUE: write it like LOG_LEVEL=debug"


def _each(value: Any, check: Check, what: str, example: str) -> str | None:
    if not isinstance(value, list | tuple):
        return f"{value!r} is not a list of {what}: write it like {example}, with --set without brackets and quotes"
    return next((said for said in map(check, value) if said), None)


def _subnet_hint(value: Any) -> str:
    """What to write instead; the network's own address where only the host bits were wrong."""
    try:
        return f"write {ipaddress.IPv4Network(value, strict=False)}"
    except (ValueError, TypeError):
        return "write it like 10.20.0.0/24"
