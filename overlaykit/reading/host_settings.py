"""One host, from the variables that count for it.

>>> said = HostSettings("node1", {"ansible_port": Setting(2222)}, source="hosts.ini", env={})
>>> said.host("manager", ("managers",)).port, said.problems
(2222, [])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any, TypeVar

from overlaykit.reading import values
from overlaykit.reading.groups import Setting
from overlaykit.reading.host_variables import SPELLINGS, SSH_ARGUMENTS, near_miss
from overlaykit.reading.ssh_arguments import JUMP, KNOWN_HOSTS, jump_and_known_hosts
from overlaykit.words.errors import Problem
from overlaykit.words.host import Become, Host, Role
from overlaykit.words.secret import Secret

BECOME_PASSWORD = "OVERLAYKIT_BECOME_PASSWORD"
_VAULT = ("!vault", "$ANSIBLE_VAULT")
_T = TypeVar("_T")


class HostSettings:
    """The variables of one host; `problems` fills while they are read."""

    def __init__(
        self,
        name: str,
        variables: Mapping[str, Setting],
        *,
        source: str,
        env: Mapping[str, str],
        place: tuple[int, str] = (0, ""),
    ) -> None:
        self.name = name
        self.variables = variables
        self.problems: list[Problem] = []
        self._source = source
        self._env = env
        self._place = place

    def host(self, role: Role, groups: tuple[str, ...]) -> Host:
        """The host; where `problems` is not empty afterwards, it is not to be used."""
        self._refuse_what_is_not_for_us()
        arguments = self._ssh_arguments()
        return Host(
            name=self.name,
            address=self._address(),
            role=role,
            port=self._take("port", values.port),
            user=self._take("user", values.user) or None,
            key_file=self._take("key_file", self._path),
            password=self._take("password", lambda value: Secret(values.text(value))),
            proxy_jump=arguments.get(JUMP),
            known_hosts=self._take("known_hosts", self._path) or arguments.get(KNOWN_HOSTS),
            become=self._become(),
            advertise_addr=self._take("advertise_addr", values.ip_address),
            data_path_addr=self._take("data_path_addr", values.ip_address),
            docker_socket=self._take("docker_socket", values.socket_path) or Host.docker_socket,
            published=self._take("published", values.endpoint),
            groups=groups,
        )

    def where(self, what: str) -> Problem:
        """An empty problem at the place where something was written."""
        key, setting = self._written(what)
        return self._problem("", key, setting)

    def _address(self) -> str:
        given = self._take("address", values.address)
        if given is None and self._written("address")[1] is None:
            try:
                return values.address(self.name)
            except values.NotUsable as fault:
                self.problems.append(self._problem(f"{fault}, or give it as ansible_host", "", None))
        return given or self.name

    def _become(self) -> Become | None:
        wanted = self._take("become", values.yes_no)
        if wanted:
            self._take("become_method", values.by_sudo)
        password = self._env.get(BECOME_PASSWORD)
        if password is None:
            self._take("become_password", _not_from_a_file)
        if not wanted:
            return None
        user = self._take("become_user", values.user) or Become.user
        return Become(user=user, password=Secret(password) if password else None)

    def _refuse_what_is_not_for_us(self) -> None:
        self._take("connection", values.over_ssh)
        for key, setting in self.variables.items():
            meant = near_miss(key)
            if meant:
                self.problems.append(self._problem(f"no such variable: did you mean {meant}?", key, setting))

    def _ssh_arguments(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for key in SSH_ARGUMENTS:
            if key in self.variables:
                found = (self._read(key, self.variables[key], jump_and_known_hosts) or {}) | found
        if KNOWN_HOSTS in found:
            found[KNOWN_HOSTS] = self._path(found[KNOWN_HOSTS])
        return found

    def _path(self, value: Any) -> str:
        return values.path(value, str(PurePosixPath(self._source).parent), self._env.get("HOME", ""))

    def _take(self, what: str, convert: Callable[[Any], _T]) -> _T | None:
        """What was written, converted; None where nothing was, or where it cannot be used."""
        key, setting = self._written(what)
        return None if setting is None else self._read(key, setting, convert)

    def _written(self, what: str) -> tuple[str, Setting | None]:
        given = [key for key in SPELLINGS[what] if key in self.variables and self.variables[key].value is not None]
        return (given[-1], self.variables[given[-1]]) if given else ("", None)

    def _read(self, key: str, setting: Setting, convert: Callable[[Any], _T]) -> _T | None:
        try:
            _refuse_unread(setting.value)
            return convert(setting.value)
        except values.NotUsable as fault:
            hint = _comment_hint(setting)
            self.problems.append(self._problem(f"{fault}{hint}", key, setting))
            return None

    def _problem(self, text: str, key: str, setting: Setting | None) -> Problem:
        if setting is None:
            return Problem(text, self._source, *self._place, self.name)
        return Problem(text, self._source, setting.line, setting.section, setting.host, key)


def _refuse_unread(value: Any) -> None:
    """Templates and vaulted values: `ansible-inventory --list` prints them as they are, so it is no way out."""
    sealed = "__ansible_vault" in value if isinstance(value, dict) else str(value).startswith(_VAULT)
    if sealed:
        raise values.NotUsable("this is encrypted with Ansible Vault, which is not opened here: write the value itself")
    if isinstance(value, str) and ("{{" in value or "{%" in value):
        raise values.NotUsable("this is a template, which only a playbook evaluates: write the value itself")


def _not_from_a_file(value: Any) -> None:
    raise values.NotUsable(
        f"the password of sudo is not taken from a file: give it in the environment as {BECOME_PASSWORD}, "
        "or take it out here and be asked"
    )


def _comment_hint(setting: Setting) -> str:
    """In a `:vars` section a comment cannot follow a value: it is part of it."""
    commented = isinstance(setting.value, str) and " #" in setting.value
    return " (here a comment needs a line of its own)" if commented and setting.section.endswith(":vars") else ""
