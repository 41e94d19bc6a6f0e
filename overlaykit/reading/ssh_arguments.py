"""ansible_ssh_common_args and its like: the few arguments of ssh that mean something here.

>>> jump_and_known_hosts("-J ops@bastion:2222 -o UserKnownHostsFile=~/.ssh/lab_hosts")
{'proxyjump': 'ops@bastion:2222', 'userknownhostsfile': '~/.ssh/lab_hosts'}
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

from overlaykit.reading.values import NotUsable, text

JUMP = "proxyjump"
KNOWN_HOSTS = "userknownhostsfile"
_CHECKING = "stricthostkeychecking"
#: What changes neither which host answers nor who we are to it, so that it may go unheeded.
_ONLY_PACE = frozenset(
    [
        *("controlmaster", "controlpersist", "controlpath", "compression", "loglevel", "tcpkeepalive"),
        *("serveraliveinterval", "serveralivecountmax", "connecttimeout", "connectionattempts"),
    ]
)
_FLAGS = ("-C", "-q", "-T", "-x")
_OPTION = re.compile(r"\s*(?P<name>\w+)(?:\s*=\s*|\s+)(?P<value>.+)")
_INSTEAD = "only -J, -o ProxyJump= and -o UserKnownHostsFile= are honoured, so put it into ~/.ssh/config"


def jump_and_known_hosts(value: Any) -> dict[str, str]:
    """The way through other hosts and the file of known keys; the first of each counts, as for ssh."""
    try:
        words = iter(shlex.split(text(value)))
    except ValueError:
        raise NotUsable("a quote is opened and not closed: close it") from None
    found: dict[str, str] = {}
    for name, setting in _options(words):
        if name.lower() in (JUMP, KNOWN_HOSTS):
            found.setdefault(name.lower(), setting)
        else:
            _refuse_unless_harmless(name, setting)
    return found


def _refuse_unless_harmless(name: str, setting: str) -> None:
    if name.lower() == _CHECKING and setting.lower() not in ("yes", "ask"):
        raise NotUsable(f"{name}={setting} is never done here, keys of hosts are always checked: take it out")
    if name.lower() != _CHECKING and name.lower() not in _ONLY_PACE:
        raise NotUsable(f"-o {name} is not taken from here: {_INSTEAD}")


def _options(words: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Each argument as the option it stands for."""
    for word in words:
        if word.startswith("-J"):
            yield "ProxyJump", _value(word, words)
        elif word.startswith("-o"):
            match = _OPTION.fullmatch(_value(word, words))
            if match is None:
                raise NotUsable("-o is followed by no option: write it like -o ProxyJump=bastion")
            yield match["name"], match["value"].strip()
        elif word not in _FLAGS:
            raise NotUsable(f"{word!r} is not taken from here: {_INSTEAD}")


def _value(word: str, words: Iterator[str]) -> str:
    """What an argument is given: the rest of its word, else the next word."""
    found = word[2:] or next(words, "")
    if not found:
        raise NotUsable(f"{word} is followed by nothing: write it like -J bastion")
    return found
