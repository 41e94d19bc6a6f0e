"""The first word of a host's line: `node1`, `node1:2222`, `[2001:db8::1]:22`, `node[01:10:2].example.com`.

>>> hosts_of("node[1:3]:2222")
(['node1', 'node2', 'node3'], 2222)
>>> hosts_of("rack-[a:b]-[08:09]")
(['rack-a-08', 'rack-a-09', 'rack-b-08', 'rack-b-09'], None)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import ascii_letters

from overlaykit.reading.values import NotUsable, is_ipv6, port

#: `[address]:port`, the only way to give an IPv6 address a port.
_BRACKETED_PORT = re.compile(r"\[(?P<name>.+)\]:(?P<port>[^\]:]*)")
#: `name:port`, where colons inside the brackets of a range do not count.
_PORT = re.compile(r"(?P<name>(?:[^:\[\]]|\[[^\]]*\])*):(?P<port>.*)")
_ONE_RANGE = re.compile(r"\[[^\]]*\]")
_MOST_HOSTS = 10_000


def hosts_of(pattern: str) -> tuple[list[str], int | None]:
    """The host names that a pattern stands for, and the port it gives them."""
    name, written = _split_port(pattern)
    names = _expand(name)
    if (":" in names[0] and not is_ipv6(names[0])) or pattern == "---":
        raise NotUsable(f"{pattern!r} is not a host: write it like node1, node[1:3] or node1:2222")
    return names, None if written is None else port(written)


def _split_port(pattern: str) -> tuple[str, str | None]:
    if is_ipv6(_ONE_RANGE.sub("1", pattern)):
        return pattern, None
    match = _BRACKETED_PORT.fullmatch(pattern) or _PORT.fullmatch(pattern)
    return (match["name"], match["port"]) if match else (pattern, None)


def _expand(pattern: str) -> list[str]:
    """Names from the first range of a pattern, then from each of them those of its next range."""
    if "[" not in pattern:
        return [pattern]
    head, _, rest = pattern.partition("[")
    bounds, closed, tail = rest.partition("]")
    if not closed:
        raise NotUsable(f"the bracket of {pattern!r} is not closed: write a range like node[1:3]")
    names = [name for item in _range(bounds) for name in _expand(head + item + tail)]
    if len(names) > _MOST_HOSTS:
        raise NotUsable(f"{pattern!r} stands for more than {_MOST_HOSTS} hosts: shorten its range")
    return names


def _range(written: str) -> Sequence[str]:
    """What stands between the brackets: first:last or first:last:step, numbers or single letters."""
    first, last, step = _bounds(written)
    if first.isdecimal() and last.isdecimal():
        return _numbers(written, first, last, step)
    if len(first) == len(last) == 1 and first in ascii_letters and last in ascii_letters:
        letters = ascii_letters[ascii_letters.index(first) : ascii_letters.index(last) + 1 : step]
        if letters:
            return letters
        raise NotUsable(f"the range [{written}] runs backwards: write the smaller letter first")
    raise NotUsable(f"[{written}] is not a range: write two numbers or two letters, like [1:3] or [a:c]")


def _bounds(written: str) -> tuple[str, str, int]:
    parts = written.split(":")
    if len(parts) not in (2, 3) or not parts[1]:
        raise NotUsable(f"[{written}] is not a range: write [first:last] or [first:last:step], like node[1:3]")
    step = parts[2] if len(parts) == 3 else "1"
    if not step.isdecimal() or int(step) == 0:
        raise NotUsable(f"{step!r} is not the step of a range: write a whole number from 1 up, like [1:9:2]")
    return parts[0] or "0", parts[1], int(step)


def _numbers(written: str, first: str, last: str, step: int) -> Sequence[str]:
    padded = len(first) > 1 and first.startswith("0")
    if padded and len(first) != len(last):
        raise NotUsable(f"the range [{written}] has ends of unequal length: write them like [01:10]")
    numbers = range(int(first), int(last) + 1, step)
    if not numbers:
        raise NotUsable(f"the range [{written}] runs backwards: write the smaller number first")
    if len(numbers) > _MOST_HOSTS:
        raise NotUsable(f"the range [{written}] stands for more than {_MOST_HOSTS} hosts: shorten it")
    return [str(number).zfill(len(first) if padded else 0) for number in numbers]
