"""Groups, hosts and their variables as an inventory names them, before anything is made of them.

>>> groups = Groups()
>>> groups.add_host("node1", "managers")
>>> groups.set_for_group("managers", "ansible_user", Setting("ops", line=4, section="managers:vars"))
>>> groups.variables("node1")["ansible_user"].value
'ops'

Which variable wins is Ansible's rule: the host's own, else that of the group deepest below `all`,
else, of groups equally deep, the one with the higher ansible_group_priority, else the later name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

ALL = "all"
UNGROUPED = "ungrouped"
PRIORITY = "ansible_group_priority"


@dataclass(frozen=True)
class Setting:
    """One variable as it was written, and where. `host` is empty where a whole group was given it."""

    value: Any = field(repr=False)  # it may be a password
    line: int = 0
    section: str = ""
    host: str = ""


@dataclass
class Group:
    """One group: its own hosts (each with the line that put it there) and children, in the file's order."""

    name: str
    line: int = 0
    hosts: dict[str, int] = field(default_factory=dict)
    children: dict[str, None] = field(default_factory=dict)
    parents: dict[str, None] = field(default_factory=dict)
    variables: dict[str, Setting] = field(default_factory=dict)
    priority: int = 1


class Groups:
    """All groups of an inventory. `all` and `ungrouped` are always there."""

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {}
        self.hosts: dict[str, dict[str, Setting]] = {}
        self.declare(ALL)
        self.declare(UNGROUPED)

    def __contains__(self, group: str) -> bool:
        return group in self.groups

    def declare(self, group: str, line: int = 0) -> Group:
        """The group of that name, made where it is new."""
        return self.groups.setdefault(group, Group(group, line))

    def add_host(self, host: str, group: str, line: int = 0) -> None:
        """Put a host, new or known, into a group."""
        self.hosts.setdefault(host, {})
        self.declare(group).hosts.setdefault(host, line)

    def add_child(self, parent: str, child: str) -> bool:
        """Put one group into another; False where that would close a circle."""
        if child in (parent, ALL) or child in self._above(parent):
            return False
        self.declare(parent).children[child] = None
        self.declare(child).parents[parent] = None
        return True

    def set_for_host(self, host: str, key: str, setting: Setting) -> None:
        """A host's own variable; the last one written counts."""
        self.hosts[host][key] = setting

    def set_for_group(self, group: str, key: str, setting: Setting) -> None:
        """A variable of all hosts of a group; the last one written counts."""
        owner = self.declare(group)
        if key == PRIORITY:
            owner.priority = int(setting.value)
        else:
            owner.variables[key] = setting

    def members(self, group: str) -> list[str]:
        """Hosts of a group and of the groups below it, in the order of the file."""
        if group == ALL:
            return list(self.hosts)
        if group == UNGROUPED:
            return [host for host in self.hosts if self.of_host(host) == [UNGROUPED]]
        within = {host for name in self._below(group) for host in self.groups[name].hosts}
        return [host for host in self.hosts if host in within]

    def place(self, host: str, group: str) -> tuple[int, str]:
        """The line that put a host into a group, or into one below it, and the section it stands in."""
        found = [
            (self.groups[name].hosts[host], name) for name in self._below(group) if host in self.groups[name].hosts
        ]
        return found[0] if found else (0, group)

    def of_host(self, host: str) -> list[str]:
        """Names of the groups a host is in, those above them too, `all` left out."""
        direct = [group.name for group in self.groups.values() if host in group.hosts]
        named = [name for name in direct if name not in (ALL, UNGROUPED)]
        found = dict.fromkeys(above for name in named or [UNGROUPED] for above in (name, *self._above(name)))
        return [name for name in found if name != ALL]

    def variables(self, host: str) -> dict[str, Setting]:
        """What counts for a host after all groups have had their say."""
        merged = dict(self.groups[ALL].variables)
        for group in sorted(map(self.groups.__getitem__, self.of_host(host)), key=self._weight):
            merged |= group.variables
        return merged | self.hosts[host]

    def _weight(self, group: Group) -> tuple[int, int, str]:
        return self._depth(group), group.priority, group.name

    def _depth(self, group: Group) -> int:
        above = [self._depth(self.groups[name]) for name in group.parents]
        return 0 if group.name == ALL else 1 + max(above, default=0)

    def _above(self, group: str) -> Iterator[str]:
        for parent in self.declare(group).parents:
            yield parent
            yield from self._above(parent)

    def _below(self, group: str) -> Iterator[str]:
        yield group
        for child in self.groups[group].children:
            yield from self._below(child)
