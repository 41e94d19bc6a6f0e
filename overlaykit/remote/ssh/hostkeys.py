"""Is this the host we know? Strict host keys, as `ssh` checks them; nothing is ever accepted silently.

known = KnownHosts(route.known_hosts)
known.key_types(route.known_as)           # ask the server for the kind of key that is on record
known.check("node1", route, key)          # or HostKeyUnknown, HostKeyChanged
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import paramiko

from overlaykit.remote.ssh.route import Route
from overlaykit.words.errors import HostKeyChanged, HostKeyUnknown


class KnownHosts:
    """The keys on record in some known_hosts files: plain, hashed, `[host]:port`, patterns, @revoked."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = tuple(file for file in files if file.is_file())
        self._entries = [entry for file in self._files for entry in _entries(file)]

    def key_types(self, name: str) -> list[str]:
        """Which kinds of key are on record for `name`, as key exchange names them."""
        found = dict.fromkeys(key.get_name() for key in self._keys(name))
        # An RSA key is on record as ssh-rsa, whatever hash signs with it.
        return [
            algorithm
            for kind in found
            for algorithm in (("rsa-sha2-512", "rsa-sha2-256") if kind == "ssh-rsa" else (kind,))
        ]

    def check(self, host: str, route: Route, key: paramiko.PKey) -> None:
        """Pass silently, or say what is wrong and which command accepts the key."""
        shown = _shown(key)
        if key in self._keys(route.known_as, "@revoked"):
            raise HostKeyChanged(host, f"{route.login} shows a key that {self._place} revokes: {shown}")
        on_record = self._keys(route.known_as)
        if key in on_record:
            return
        if not on_record:
            raise HostKeyUnknown(
                host,
                f"nobody has vouched for the key of {route.login} yet; it shows {shown}. Compare that with the"
                f" host's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then accept it: {_accepting(route)}",
            )
        raise HostKeyChanged(
            host,
            f"{route.login} shows {shown}, but {self._place} has {', '.join(map(_shown, on_record))}: either the"
            f" host was made anew, or somebody is in between. If it was made anew: {_forgetting(route)}",
        )

    def _keys(self, name: str, marker: str = "") -> list[paramiko.PKey]:
        return [key for mark, patterns, key in self._entries if mark == marker and _names(patterns, name)]

    @property
    def _place(self) -> str:
        return " or ".join(str(file) for file in self._files) or "known_hosts"


def _accepting(route: Route) -> str:
    words = ["ssh", *_options(route), "-p", str(route.port)]
    words += ["-J", route.proxy_jump] if route.proxy_jump else []
    return shlex.join([*words, f"{route.user}@{route.hostname}", "true"])


def _forgetting(route: Route) -> str:
    file = ["-f", str(route.known_hosts[0])] if route.known_hosts else []
    return shlex.join(["ssh-keygen", "-R", route.known_as, *file]) + f", then {_accepting(route)}"


def _options(route: Route) -> list[str]:
    """What the address alone does not tell ssh: the name under which the key is kept, and where."""
    options = ["-o", f"HostKeyAlias={route.key_alias}"] if route.key_alias else []
    default = Path("~/.ssh/known_hosts").expanduser()
    if not route.known_hosts or route.known_hosts[0] == default:
        return options
    return [*options, "-o", f"UserKnownHostsFile={route.known_hosts[0]}"]


def _shown(key: paramiko.PKey) -> str:
    return f"{key.algorithm_name} {key.fingerprint}"


def _entries(file: Path) -> Iterator[tuple[str, list[str], paramiko.PKey]]:
    # paramiko's own reader ends at lines with a marker, and knows one key per host and kind; ssh takes several.
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#"):
            continue
        with suppress(paramiko.hostkeys.InvalidHostKey, paramiko.SSHException, ValueError):
            if entry := paramiko.hostkeys.HostKeyEntry.from_line(" ".join(words)):
                yield marker, words[0].split(","), entry.key


def _names(patterns: Sequence[str], name: str) -> bool:
    """Whether a line that starts with these patterns speaks of `name`."""
    hits = [p for p in patterns if _matches(p.removeprefix("!"), name)]
    return bool(hits) and not any(p.startswith("!") for p in hits)


def _matches(pattern: str, name: str) -> bool:
    if pattern.startswith("|1|"):
        return paramiko.HostKeys.hash_host(name, pattern) == pattern
    literal = "".join(letter if letter in "*?" else re.escape(letter) for letter in pattern)
    return re.fullmatch(literal.replace("*", ".*").replace("?", "."), name, re.IGNORECASE) is not None
