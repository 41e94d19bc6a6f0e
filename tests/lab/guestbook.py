"""The guest book as a guest meets it, through the port 80 of a practice host."""

from __future__ import annotations

from typing import Any

import requests
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from overlaykit.words.host import Host


class NotYet(Exception):
    """What is waited for is not so; the text says what is."""


#: Ask again and again for up to a minute, then fail with what was seen last.
eventually = retry(
    retry=retry_if_exception_type((NotYet, requests.RequestException)),
    stop=stop_after_delay(60),
    wait=wait_fixed(0.2),
    reraise=True,
)


def ask(host: Host, path: str, entry: dict[str, str] | None = None) -> dict[str, Any]:
    """One request; what is sent when there is an entry to write."""
    address = f"http://{host.published}/api/{path}"
    answer = requests.post(address, json=entry, timeout=10) if entry else requests.get(address, timeout=10)
    answer.raise_for_status()
    read: dict[str, Any] = answer.json()
    return read


def write(host: Host, message: str) -> str:
    """Sign the guest book; the entry's id is the receipt."""
    return str(ask(host, "entries", {"name": "a test", "message": message})["entry"]["id"])


@eventually
def read_back(host: Host, receipt: str) -> None:
    """Return once the entry is there."""
    there = [entry["id"] for entry in ask(host, "entries")["entries"]]
    if receipt not in there:
        raise NotYet(f"{host.name} shows {len(there)} entries, and not {receipt}")
