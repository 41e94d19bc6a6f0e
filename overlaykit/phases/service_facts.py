"""From the engine's JSON of a service to the ServiceSpec that it was made from.

The kit's own words on both sides make a plan a comparison: wanted spec against actual spec.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from overlaykit.words.facts import ServiceFacts
from overlaykit.words.service import MONITOR, FileRef, Health, Mount, Port, ServiceSpec

Json = Mapping[str, Any]

_NANO = 1_000_000_000


def read_service(service: Json, networks: Mapping[str, str]) -> ServiceFacts:
    """A service; `networks` names the networks by id."""
    spec = read_spec(service["Spec"], networks)
    addresses = (service.get("Endpoint") or {}).get("VirtualIPs") or ()
    return ServiceFacts(
        service["ID"],
        service["Version"]["Index"],
        spec,
        virtual_ips={
            networks.get(ip["NetworkID"], ip["NetworkID"]): ip["Addr"].partition("/")[0]
            for ip in addresses
            if "Addr" in ip
        },
        update=(service.get("UpdateStatus") or {}).get("State", ""),
    )


def read_spec(spec: Json, networks: Mapping[str, str]) -> ServiceSpec:
    """The part of a service's spec that the kit has words for."""
    template = spec["TaskTemplate"]
    container = template["ContainerSpec"]
    limits = (template.get("Resources") or {}).get("Limits") or {}
    endpoint = spec.get("EndpointSpec") or {}
    update = spec.get("UpdateConfig") or {}
    attached = template.get("Networks") or spec.get("Networks") or ()
    return ServiceSpec(
        spec["Name"],
        container["Image"],
        command=tuple(container.get("Command") or ()),
        args=tuple(container.get("Args") or ()),
        env=tuple(sorted(container.get("Env") or ())),
        hostname=container.get("Hostname", ""),
        replicas=_replicas(spec.get("Mode") or {}),
        networks=tuple(networks.get(one["Target"], one["Target"]) for one in attached),
        constraints=tuple((template.get("Placement") or {}).get("Constraints") or ()),
        mounts=tuple(_mount(mount) for mount in container.get("Mounts") or ()),
        secrets=_files(container.get("Secrets"), "SecretName"),
        configs=_files(container.get("Configs"), "ConfigName"),
        ports=tuple(_port(port) for port in endpoint.get("Ports") or ()),
        health=_health(container.get("Healthcheck")),
        cpus=limits.get("NanoCPUs", 0) / _NANO,
        memory=limits.get("MemoryBytes", 0),
        endpoint_mode=endpoint.get("Mode") or "vip",
        stop_first=update.get("Order", "stop-first") == "stop-first",
        monitor=update.get("Monitor", 0) / _NANO or MONITOR,
        labels=spec.get("Labels") or {},
    )


def _replicas(mode: Json) -> int | None:
    return None if "Global" in mode else (mode.get("Replicated") or {}).get("Replicas", 1)


def _mount(mount: Json) -> Mount:
    return Mount(mount.get("Source", ""), mount["Target"], (mount.get("VolumeOptions") or {}).get("Labels") or {})


def _files(references: list[Json] | None, name: str) -> tuple[FileRef, ...]:
    found = (
        FileRef(one[name], one["File"]["Name"], one["File"]["Mode"], one["File"]["UID"])
        for one in references or ()
        if one.get("File")
    )
    return tuple(sorted(found, key=lambda ref: ref.name))


def _port(port: Json) -> Port:
    return Port(port.get("PublishedPort", 0), port["TargetPort"], port.get("PublishMode", "ingress"))


def _health(check: Json | None) -> Health | None:
    if not check or not check.get("Test"):
        return None
    return Health(
        tuple(check["Test"]),
        interval=check.get("Interval", 0) / _NANO,
        timeout=check.get("Timeout", 0) / _NANO,
        retries=check.get("Retries", 0),
        start_period=check.get("StartPeriod", 0) / _NANO,
        start_interval=check.get("StartInterval", 0) / _NANO,
    )
