"""A guest at the guest book: one request to the published port of a host, and the way that it took.

>>> visit(hosts, stack, "node2")
200: through frontend, backend and database
>>> visit(hosts, stack, "node2", sign="Ada was here").way
{'frontend': 'node1', 'backend': 'node2', 'database': 'node3'}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from overlaykit.kit import Hosts
from overlaykit.lessons.patience import until
from overlaykit.words.errors import InputError
from overlaykit.words.host import Host
from overlaykit.words.stack import REQUEST_WAY, Stack

#: Seconds that one request may take; the backend itself says after a few that it finds no database.
LONGEST = 10.0
#: Seconds that `wait_for` waits.
PATIENCE = 30.0


@dataclass(frozen=True)
class Visit:
    """What a guest got. `status` is HTTP's, 0 where nothing answered; its text is the same on every run."""

    host: str
    status: int
    answer: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def ok(self) -> bool:
        """Did the guest get what was asked for?"""
        return self.status in (200, 201)

    @property
    def way(self) -> dict[str, str]:
        """The host of each tier that served the request, as the tier itself says."""
        path = self.answer.get("path") or {}
        return {tier: str(path[tier]["host"]) for tier in REQUEST_WAY if path.get(tier)}

    def __repr__(self) -> str:
        if self.ok:
            *others, last = self.way or ("an unknown way",)
            return f"{self.status}: through {', '.join(others)}{' and ' if others else ''}{last}"
        return f"{self.status or 'no answer'}: {self.error}"


def visit(hosts: Hosts, stack: Stack, name: str, *, sign: str = "", wait_for: int | None = None) -> Visit:
    """Ask through the published port of the host `name`; with `sign`, write that into the guest book.

    With `wait_for`, ask again until that status comes, for up to half a minute; what came last is returned.
    """
    address = guest_address(hosts.inventory[name], stack.frontend.published_port)

    def once() -> Visit:
        return _read(name, lambda: _ask(address, sign))

    if wait_for is None:
        return once()
    return until(lambda seen: seen.status == wait_for, once, PATIENCE)


def guest_address(host: Host, port: int) -> str:
    """Where this machine reaches the published port of a host. Raises InputError where it cannot."""
    if host.published is None:
        return f"http://{host.address}:{port}"
    if port != 80:
        raise InputError(
            f"{host.name}: only its port 80 is brought out to this machine, and frontend.published_port is {port}: "
            "set it to 80, or ask from the host itself"
        )
    return f"http://{host.published}"


def straight() -> requests.Session:
    """To the hosts themselves: a proxy that this machine uses for the internet does not know them."""
    session = requests.Session()
    session.trust_env = False
    return session


def _ask(address: str, sign: str) -> requests.Response:
    if sign:
        entry = {"name": "a lesson", "message": sign}
        return straight().post(f"{address}/api/entries", json=entry, timeout=LONGEST)
    return straight().get(f"{address}/api/path", timeout=LONGEST)


def _read(name: str, ask: Any) -> Visit:
    """An answer that is no JSON comes from a program of one's own: its status counts all the same."""
    try:
        answer: requests.Response = ask()
    except requests.Timeout:
        return Visit(name, 0, error=f"{name} does not answer within {LONGEST:g} seconds")
    except requests.RequestException:
        return Visit(name, 0, error=f"nothing listens at the guest book's port of {name}")
    try:
        said = answer.json()
    except requests.JSONDecodeError:
        said = {}
    return Visit(name, answer.status_code, said, str(said.get("error") or answer.reason))
