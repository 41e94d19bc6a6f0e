"""The inventory: an Ansible INI file, or the JSON of `ansible-inventory --list`, as hosts with roles.

>>> inventory = read_inventory("[managers]\\nnode1\\n[workers]\\nnode[2:3]", source="hosts.ini", env={})
>>> [(host.name, host.role) for host in inventory]
[('node1', 'manager'), ('node2', 'worker'), ('node3', 'worker')]

Whatever is wrong is raised as one InventoryError that names all of it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from overlaykit.reading.groups import ALL, UNGROUPED, Groups
from overlaykit.reading.host_settings import HostSettings
from overlaykit.reading.inventory_ini import read_ini
from overlaykit.reading.inventory_json import read_json
from overlaykit.words.errors import InventoryError, Problem
from overlaykit.words.host import Host, Inventory, Role

MANAGERS, WORKERS = "managers", "workers"
_YAML = re.compile(r"---|[\w.-]+:(?:\s+#.*)?")
#: Folders in which Ansible looks for more variables.
BESIDE = ("group_vars", "host_vars")


def read_inventory(
    text: str,
    *,
    source: str,
    managers: str = MANAGERS,
    workers: str = WORKERS,
    env: Mapping[str, str],
    lab: str | None = None,
    beside: Collection[str] = (),
) -> Inventory:
    """The inventory that `text` describes.

    `source` is the file's name, for messages and as the place that relative paths start from; `beside`
    names what lies in its folder, so that a `group_vars` there is not passed over in silence.
    """
    text = text.removeprefix("\ufeff")
    problems = list(_not_read_here(text, source, beside))
    if problems:
        raise InventoryError(problems)
    read = read_json if text.lstrip().startswith("{") else read_ini
    groups, problems = read(text, source=source)
    roles = _Roles(groups, source, {"manager": managers, "worker": workers}, problems)
    hosts = roles.hosts(env)
    if roles.problems:
        raise InventoryError(sorted(dict.fromkeys(roles.problems), key=lambda problem: problem.line or 10**9))
    return Inventory(tuple(hosts), source, lab)


def _not_read_here(text: str, source: str, beside: Collection[str]) -> Iterator[Problem]:
    """What only Ansible itself can read, and the command by which it does."""
    lines = [line.strip() for line in text.splitlines()]
    first = next((line for line in lines if line and line[0] not in "#;"), "")
    way = f"run ansible-inventory -i {shlex.quote(source)} --list{{}} > hosts.json and use hosts.json"
    if text.startswith("#!"):
        yield Problem(f"this is a program, not an inventory: {way.format('')}", source)
    elif text.startswith("$ANSIBLE_VAULT"):
        yield Problem(f"this is encrypted with Ansible Vault: {way.format(' --ask-vault-pass')}", source)
    elif _YAML.fullmatch(first):
        yield Problem(f"this is YAML, and INI or JSON is read here: {way.format('')}", source)
    elif not first:
        yield Problem("there is no host in it: write [managers] and, below it, a host a line", source)
    for folder in BESIDE:
        if folder in beside and not text.lstrip().startswith("{"):
            yield Problem(f"{folder} beside it holds variables that are not read here: {way.format('')}", source)


class _Roles:
    """Which hosts are managers and workers, and what of each of them cannot be."""

    def __init__(self, groups: Groups, source: str, named: Mapping[Role, str], problems: list[Problem]) -> None:
        self.groups = groups
        self.source = source
        self.named = named
        self.problems = list(problems)
        self._unreadable = {problem.section.partition(":")[0] for problem in problems}

    def hosts(self, env: Mapping[str, str]) -> list[Host]:
        """The hosts of both roles, in the order of the file."""
        of_role = {role: self._members(role) for role in self.named}
        self._need_managers(of_role["manager"])
        self._need_one_role(of_role["manager"], of_role["worker"])
        found: list[Host] = []
        for name in self.groups.hosts:
            roles = [role for role, members in of_role.items() if name in members]
            found += [self._host(name, role, self.named[role], found, env) for role in roles]
            if not roles and not all(group in self.groups for group in self.named.values()):
                # Of no role for now, since its group has another name: what is wrong with it is said all the same.
                self._host(name, "worker", self.groups.of_host(name)[0], found, env)
        return found

    def _host(self, name: str, role: Role, group: str, others: list[Host], env: Mapping[str, str]) -> Host:
        place = self.groups.place(name, group)
        variables = self.groups.variables(name)
        settings = HostSettings(name, variables, source=self.source, env=env, place=place)
        host = settings.host(role, tuple(sorted(self.groups.of_host(name))))
        self.problems += settings.problems or self._twice(host, settings, others)
        return host

    def _members(self, role: Role) -> list[str]:
        group = self.named[role]
        if group in self.groups:
            return self.groups.members(group)
        everybody_manages = role == "worker" and group == WORKERS and self._all_are_managers()
        if not everybody_manages and "" not in self._unreadable and group not in self._unreadable:
            self._add(f"there is no group [{group}]{self._instead(role)}")
        return []

    def _all_are_managers(self) -> bool:
        group = self.named["manager"]
        return group in self.groups and set(self.groups.members(group)) == set(self.groups.hosts)

    def _instead(self, role: Role) -> str:
        there = [f"[{name}]" for name in self.groups.groups if name not in (ALL, UNGROUPED)]
        if not there:
            return f": write [{self.named[role]}] above the {role}s"
        return f"; there are: {', '.join(there)}; --{role}s GROUP names another"

    def _need_managers(self, managers: list[str]) -> None:
        group = self.named["manager"]
        if group in self.groups and not managers and group not in self._unreadable:
            line = self.groups.groups[group].line
            self._add("no host in it: a swarm needs at least one manager", section=group, line=line)

    def _need_one_role(self, managers: list[str], workers: list[str]) -> None:
        for name in managers:
            if name in workers:
                line, section = self.groups.place(name, self.named["worker"])
                said = f"in [{self.named['manager']}] already: a manager runs tasks as well, so take it out of one"
                self._add(said, section=section, host=name, line=line)

    def _twice(self, host: Host, settings: HostSettings, others: list[Host]) -> Iterator[Problem]:
        for other in others:
            if _way_in(other) == _way_in(host) and other.name != host.name:
                said = f"{host.address} port {host.port or 22} is {other.name} already: give each host its own"
                yield replace(settings.where("address"), text=said, host=host.name)
            if host.advertise_addr and other.advertise_addr == host.advertise_addr and other.name != host.name:
                said = f"{host.advertise_addr} is {other.name}'s already: give each host its own"
                yield replace(settings.where("advertise_addr"), text=said, host=host.name)

    def _add(self, text: str, *, section: str = "", host: str = "", line: int = 0) -> None:
        self.problems.append(Problem(text, self.source, line, section, host))


def _way_in(host: Host) -> tuple[str, int, str | None]:
    return host.address, host.port or 22, host.proxy_jump
