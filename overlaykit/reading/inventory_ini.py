"""An Ansible INI inventory, read as Ansible reads it.

>>> groups, problems = read_ini("[managers]\\nnode1 ansible_port=2222", source="hosts.ini")
>>> groups.members("managers"), problems
(['node1'], [])

Two habits of the format that surprise: in a host's line values are split and unquoted as a shell does
it, and `#` starts a comment; in a `:vars` section all that follows `=` is the value. In both, a value
that Python would read as a number, a list or a quoted text is that.
"""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from overlaykit.reading.groups import PRIORITY, UNGROUPED, Groups, Setting
from overlaykit.reading.host_patterns import hosts_of
from overlaykit.reading.host_variables import honoured, near_miss
from overlaykit.reading.values import NotUsable
from overlaykit.words.errors import Problem

_HEADER = re.compile(r"\[(?P<group>[^:\]\s]+)(?::(?P<kind>\w+))?\]\s*(?:#.*)?")
#: Begins like a header, and cannot be a host: no bracket closes, or nothing but a comment follows it.
_BROKEN_HEADER = re.compile(r"\[(?:[^\]]*|.*\]|[^\]]*\]\s*[;#].*)")
_MEANT = re.compile(r"\[\s*(?P<group>[^:;\]\s]*)(?::(?P<kind>\w+))?")
_CHILD = re.compile(r"(?P<group>[^:\]\s]+)\s*(?:#.*)?")
_KINDS = ("hosts", "vars", "children")
#: Where a host is reached: what differs in these is another host.
_WHERE = (("ansible_host", "ansible_ssh_host"), ("ansible_port", "ansible_ssh_port"))


def read_ini(text: str, *, source: str) -> tuple[Groups, list[Problem]]:
    """The groups of an INI inventory, and every line that cannot be read."""
    reader = _Reader(source)
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and line.strip()[0] not in "#;":
            reader.read(number, line.strip())
    reader.finish()
    return reader.groups, reader.problems


def value_of(written: str) -> Any:
    """A value as Ansible types it: a Python literal where it is one, else the text itself."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return _plain(ast.literal_eval(written))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return written  # not a literal; these are all that literal_eval says it raises


class _Reader:
    """Where in the file we are, and what has been found so far."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.groups = Groups()
        self.problems: list[Problem] = []
        self._declared = {"all", UNGROUPED}
        self._children: list[tuple[int, str, str]] = []
        self._variables: dict[str, int] = {}
        self._number = 0
        self._section, self._group, self._kind = "", UNGROUPED, "hosts"

    def read(self, number: int, line: str) -> None:
        """One line that is neither empty nor a comment."""
        self._number = number
        if match := _HEADER.fullmatch(line):
            self._enter(match["group"], match["kind"] or "hosts")
        elif _BROKEN_HEADER.fullmatch(line):
            self._enter_broken(line)
        else:
            {"hosts": self._host, "vars": self._variable, "children": self._child}[self._kind](line)

    def finish(self) -> None:
        """Join what could be written in any order: a group may be named before it is declared."""
        for number, parent, child in self._children:
            self._join(number, parent, child)
        for group, number in self._variables.items():
            if group not in self._declared:
                text = f"there is no group [{group}]: declare it with a line [{group}]{self._near(group)}"
                self._add(text, line=number, section=f"{group}:vars")
        self.problems.sort(key=lambda problem: problem.line)

    def _enter(self, group: str, kind: str) -> None:
        self._section = group if kind == "hosts" else f"{group}:{kind}"
        if kind not in _KINDS:
            near = get_close_matches(kind, _KINDS, n=1)
            hint = (
                f"did you mean [{group}:{near[0]}]?"
                if near
                else f"write [{group}], [{group}:vars] or [{group}:children]"
            )
            self._add(f"':{kind}' is no kind of section: {hint}")
            kind = near[0] if near else "hosts"
        self._group, self._kind = group, kind
        if kind == "vars":
            self._variables.setdefault(group, self._number)
        else:
            self._declared.add(group)
            self.groups.declare(group, self._number)

    def _enter_broken(self, line: str) -> None:
        """A header that Ansible refuses; what follows is read as if it were whole, to find the other faults."""
        self._section = ""
        if "]" not in line:
            self._add(f"the bracket of {line!r} is not closed: write it like [managers]")
        else:
            self._add(f"{line!r} is not a section: write [GROUP], [GROUP:vars] or [GROUP:children], without spaces")
        meant = _MEANT.match(line)
        group, kind = (meant["group"], meant["kind"]) if meant else ("", None)
        self._enter(group or UNGROUPED, kind if kind in _KINDS else "hosts")

    def _host(self, line: str) -> None:
        words = self._words(line)
        names, number = self._names(words[0]) if words else ([], None)
        settings = self._settings(words[0], words[1:]) if names else {}
        for name in names:
            new = name not in self.groups.hosts
            here = settings if number is None else {"ansible_port": number, **settings}
            self._refuse_two_hosts_of_one_name(name, here)
            self.groups.add_host(name, self._group, self._number)
            if new and number is not None:
                self.groups.set_for_host(name, "ansible_port", self._setting(number, name))
            for key, value in settings.items():
                self.groups.set_for_host(name, key, self._setting(value, name))

    def _refuse_two_hosts_of_one_name(self, name: str, settings: Mapping[str, Any]) -> None:
        """Ansible takes the later line, and one of two servers is never reached: nobody can have meant that."""
        before = self.groups.hosts.get(name, {})
        for key, other in ((key, other) for names in _WHERE for key in names for other in names):
            if key in settings and other in before and settings[key] != before[other].value:
                self._add(f"line {before[other].line} gives it another: two hosts need two names", host=name, key=key)

    def _words(self, line: str) -> list[str]:
        try:
            return shlex.split(line, comments=True)
        except ValueError:
            self._add("a quote is opened and not closed: close it, or escape it with \\", host=_first_word(line))
            return []

    def _names(self, pattern: str) -> tuple[list[str], int | None]:
        key, equals, _ = pattern.partition("=")
        if equals:
            where = "all" if self._group == UNGROUPED else self._group
            self._add(f"a setting stands where a host's name belongs: move it under [{where}:vars]", key=key)
            return [], None
        try:
            return hosts_of(pattern)
        except NotUsable as fault:
            self._add(str(fault), host=pattern)
            return [], None

    def _settings(self, host: str, words: Iterable[str]) -> dict[str, Any]:
        settings = {}
        for place, word in enumerate(words, start=2):
            key, equals, written = word.partition("=")
            if not equals or not key:  # not shown: it may be the rest of a password
                hint = "write key=value without spaces around =, and quote a value that has spaces"
                self._add(f"word {place} of the line is not key=value: {hint}", host=host, key=_known(word))
                break
            settings[key] = value_of(written)
        return settings

    def _variable(self, line: str) -> None:
        key, equals, written = (part.strip() for part in line.partition("="))
        if not equals or not key:
            self._add("this line is not key=value: write it like ansible_user=ops", key=_known(_first_word(line)))
        elif key == PRIORITY and not written.isdecimal():
            self._add("this is not a number: write one, like 10", key=key)
        else:
            self.groups.set_for_group(self._group, key, self._setting(value_of(written)))

    def _child(self, line: str) -> None:
        if match := _CHILD.fullmatch(line):
            self._children.append((self._number, self._group, match["group"]))
        else:
            self._add(
                f"only names of groups stand here, one a line: hosts stand under [{self._group}]", key=_first_word(line)
            )

    def _join(self, number: int, parent: str, child: str) -> None:
        section = f"{parent}:children"
        if child not in self._declared:
            hint = (
                f"a host stands under [{parent}]" if child in self.groups.hosts else f"declare it with a line [{child}]"
            )
            self._add(f"there is no group [{child}]: {hint}{self._near(child)}", line=number, section=section)
        elif not self.groups.add_child(parent, child):
            self._add(f"[{child}] would contain itself: take one of the two out", line=number, section=section)

    def _near(self, group: str) -> str:
        near = get_close_matches(group, sorted(self._declared - {group}), n=1)
        return f", or did you mean [{near[0]}]?" if near else ""

    def _setting(self, value: Any, host: str = "") -> Setting:
        return Setting(value, self._number, self._section, host)

    def _add(self, text: str, *, line: int = 0, section: str = "", host: str = "", key: str = "") -> None:
        self.problems.append(Problem(text, self.source, line or self._number, section or self._section, host, key))


def _first_word(line: str) -> str:
    return line.split(maxsplit=1)[0]


def _known(word: str) -> str:
    """A word that may be shown; anything but the name of a variable could be a secret."""
    return word if word in honoured() or near_miss(word) else ""


def _plain(value: Any) -> Any:
    """What a literal becomes in an inventory: lists for tuples and sets, text for what JSON cannot hold."""
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if value is ...:
        return "..."
    return str(value) if isinstance(value, complex) else value
