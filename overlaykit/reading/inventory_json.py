"""The JSON that `ansible-inventory --list` prints, or a dynamic inventory's script.

>>> groups, problems = read_json('{"managers": {"hosts": ["node1"]}}', source="hosts.json")
>>> groups.members("managers"), problems
(['node1'], [])
"""

from __future__ import annotations

import json
from typing import Any

from overlaykit.reading.groups import PRIORITY, Groups, Setting
from overlaykit.words.errors import Problem

_META = "_meta"
_KEYS = ("hosts", "children", "vars")


def read_json(text: str, *, source: str) -> tuple[Groups, list[Problem]]:
    """The groups of a JSON inventory, and all in it that is not as it should be."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as fault:
        said = f"this is not whole JSON ({fault.msg}): run ansible-inventory --list again, into this file"
        return Groups(), [Problem(said, source, fault.lineno)]
    reader = _Reader(source)
    for name, group in data.items():
        if name != _META:
            reader.group(name, group)
    reader.host_variables(data.get(_META, {}))
    return reader.groups, reader.problems


class _Reader:
    """The groups found so far, and what was wrong on the way."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.groups = Groups()
        self.problems: list[Problem] = []

    def group(self, name: str, group: Any) -> None:
        """One group: an object of hosts, children and vars, or, as old scripts print it, a list of hosts."""
        self.groups.declare(name)
        parts = {"hosts": group} if isinstance(group, list) else group
        if not isinstance(parts, dict):
            self._add(f"this is neither an object nor a list: write {{{', '.join(_KEYS)}}}", section=name)
            return
        for host in self._names(name, "hosts", parts.get("hosts", [])):
            self.groups.add_host(host, name)
        for child in self._names(name, "children", parts.get("children", [])):
            if not self.groups.add_child(name, child):
                self._add(f"[{child}] would contain itself: take one of the two out", section=name, key="children")
        for key, value in self._object(name, "vars", parts.get("vars", {})).items():
            self._group_variable(name, key, value)

    def host_variables(self, meta: Any) -> None:
        """What `_meta.hostvars` says of each host."""
        known = self._object(_META, "hostvars", self._object(_META, "", meta).get("hostvars", {}))
        for host, variables in known.items():
            if host in self.groups.hosts:
                for key, value in self._object(_META, host, variables).items():
                    self.groups.set_for_host(host, key, Setting(_unwrapped(value), host=host))

    def _group_variable(self, group: str, key: str, value: Any) -> None:
        if key == PRIORITY and not str(value).isdecimal():
            self._add("this is not a number: write one, like 10", section=group, key=key)
        else:
            self.groups.set_for_group(group, key, Setting(_unwrapped(value), section=group))

    def _names(self, group: str, key: str, value: Any) -> list[str]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
        self._add('this is not a list of names: write ["node1", "node2"]', section=group, key=key)
        return []

    def _object(self, group: str, key: str, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self._add("this is not an object: write {…}", section=group, key=key)
        return {}

    def _add(self, text: str, *, section: str, key: str = "") -> None:
        self.problems.append(Problem(text, self.source, section=section, key=key))


def _unwrapped(value: Any) -> Any:
    """Text that Ansible marked as not to be templated comes in an object of its own."""
    return value["__ansible_unsafe"] if isinstance(value, dict) and "__ansible_unsafe" in value else value
