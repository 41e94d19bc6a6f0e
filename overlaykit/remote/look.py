"""Ask the hosts what is: their answers as they came, as plain JSON, nothing concluded.

    answers = gather(fleet, standing={})
    answers["hosts"]["node1"]["info"]["ServerVersion"]

`phases/facts.py` makes Facts of them. What could be a secret (join tokens) is dropped here already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import docker
from docker.errors import NotFound

from overlaykit.remote.engine import engine_errors
from overlaykit.remote.fleet import Fleet, FleetHost
from overlaykit.words.errors import HostError

Answers = dict[str, Any]

#: What the engine does not say, asked by one shell; reads only, needs no root. A line `@name` opens a part.
#: Starting a process is dear on small hosts: what does not change while a host is up is asked once (`_STANDING`).
_LISTENERS = """
PATH=$PATH:/usr/sbin:/sbin
echo @listeners; ss -Hltnp 2>/dev/null || cat /proc/net/tcp /proc/net/tcp6
"""
#: `kernel_part NAME MODULE SYMBOL`. A part that is built in has no folder where modules have theirs, and modprobe knows
#: of it only where the kernel's list of such parts is installed: the symbol, which it exports, is in the kernel itself.
_KERNEL_PART = r"""
kernel_part() {
echo "@$1"
[ -d "/sys/module/$2" ] && { echo loaded; return; }
if command -v modprobe >/dev/null; then modprobe -nq "$2" 2>/dev/null && { echo module; return; }; echo no module; fi
grep -qw "$3" /proc/kallsyms 2>/dev/null; case $? in 0) echo built in;; 1) echo not built in;; esac
}
"""
_STANDING = (
    _KERNEL_PART
    + r"""
echo @addresses; ip -o -4 addr show 2>/dev/null
echo @routes; ip -o -4 route show 2>/dev/null
echo @mtu; for f in /sys/class/net/*/mtu; do read n < "$f"; echo "$f $n"; done
kernel_part esp esp4 esp_input_done2; kernel_part ipvs ip_vs register_ip_vs_scheduler
"""
)


def gather(
    fleet: Fleet,
    standing: dict[str, str],
    silent: Mapping[str, HostError] | None = None,
    before: Mapping[str, Answers] | None = None,
) -> Answers:
    """What every host answers, side by side, and what the swarm's first reachable manager says of it.

    `standing` remembers by host, from one look to the next, what does not change while the host is up. Hosts in
    `silent` have just been tried, and are not tried again. On a host in `before`, which holds its last answer, only the
    engine is asked: no process is started.
    """
    silent, before = silent or {}, before or {}
    answered = fleet.each(
        lambda host: look_at_host(host, standing, before.get(host.name)),
        [name for name in fleet if name not in silent],
    )
    found = {name: silent[name] if name in silent else answered[name] for name in fleet}
    hosts = {name: _or_error(answer) for name, answer in found.items()}
    refused = ""
    for name, answer in hosts.items():
        if answer.get("info", {}).get("Swarm", {}).get("ControlAvailable"):
            try:
                return {"hosts": hosts, "swarm": look_at_swarm(fleet[name])}
            except HostError as error:  # without a quorum; another may be better off
                refused = refused or f"the swarm's managers do not answer: {error}"
    return {"hosts": hosts, "swarm": None, "swarm_error": refused}


def look_at_host(host: FleetHost, standing: dict[str, str], before: Answers | None = None) -> Answers:
    """One host: its engine, images, volumes, containers, and what its kernel and network look like."""
    with engine_errors(host.name):
        api = host.docker.api
        shell = before["shell"] if before and "shell" in before else _ask_shell(host, standing)
        return {
            "info": api.info(),
            "images": api.images(),
            "volumes": api.volumes()["Volumes"] or [],
            "containers": api.containers(all=True),
            "networks": api.networks(filters={"type": "custom"}),
            "shell": shell,
        }


def _ask_shell(host: FleetHost, standing: dict[str, str]) -> str:
    said = host.run(_LISTENERS + ("" if host.name in standing else _STANDING)).stdout
    listeners, _, rest = said.partition("@addresses")
    if rest:  # an account without a shell tells nothing, and nothing is no answer to remember
        standing.setdefault(host.name, "@addresses" + rest)
    return listeners + standing.get(host.name, "")


def look_at_swarm(host: FleetHost) -> Answers:
    """The swarm's objects as a manager lists them."""
    with engine_errors(host.name):
        api = host.docker.api
        swarm = api.inspect_swarm()
        services, overlays = api.services(), api.networks(filters={"driver": "overlay"})
        return {
            "host": host.name,
            "swarm": {key: swarm[key] for key in ("ID", "Spec", "DataPathPort", "DefaultAddrPool") if key in swarm},
            "nodes": api.nodes(),
            "networks": [*overlays, *_others(api, services, overlays)],
            "services": services,
            "tasks": api.tasks(),
            "secrets": [_named(one) for one in api.secrets()],
            "configs": [_named(one) for one in api.configs()],
        }


def _others(api: docker.APIClient, services: list[Answers], overlays: list[Answers]) -> Iterator[Answers]:
    """The hosts' own networks that services use: the swarm knows them by ids of its own, and lists them nowhere."""
    known = {network["Id"] for network in overlays}
    used = {one["Target"] for service in services for one in service["Spec"]["TaskTemplate"].get("Networks") or ()}
    for unknown in sorted(used - known):
        with suppress(NotFound):  # it was removed while we looked
            yield api.inspect_network(unknown)


def _named(item: Answers) -> Answers:
    """A secret or config without its content."""
    return {"Name": item["Spec"]["Name"], "Labels": item["Spec"].get("Labels") or {}}


def _or_error(answer: Answers | HostError) -> Answers:
    return {"error": answer.text} if isinstance(answer, HostError) else answer
