"""Practice hosts as containers on the machine's Docker: each with an engine and an sshd of its own, all on one kernel.

containers = Containers()
containers.connect(lab)
containers.power_on(lab, lab.node("node1"))

Containers, volumes and the network carry a label with the lab's folder, by which they are found and removed.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import socket
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import docker
import psutil
from docker.errors import NotFound
from docker.types import EndpointConfig, IPAMConfig, IPAMPool, Mount

from overlaykit.lab.container_build import Box, has_image, has_volume, read_box
from overlaykit.lab.engine import at_work, is_found
from overlaykit.lab.layout import Lab, Node
from overlaykit.lab.rights import modules, programs, put, rights_of
from overlaykit.lab.wire import require_ports
from overlaykit.words.errors import LabError

Json = dict[str, Any]

DISK = 400 * 10**6  # bytes that a host may write
_ON = ("running", "restarting")  # the latter for a moment, where it reboots from within
_NEVER = "0001-"  # the year in which an engine says that a container started which never has
_LAB, _NODE = "overlaykit.lab", "overlaykit.node"
_NANOSECONDS = re.compile(r"(\.\d{6})\d+")


class Containers:
    """The back end of containers; see `Backend`."""

    def connect(self, lab: Lab) -> None:
        with at_work(f"the wire of lab {lab.name} cannot be laid") as engine:
            if not engine.networks(filters={"label": _mark(lab.folder)}):
                wire = ipaddress.ip_network(f"{lab.nodes[0].address}/24", strict=False)
                pool = IPAMPool(subnet=str(wire), gateway=str(wire[1]))
                ipam = IPAMConfig(pool_configs=[pool])
                engine.create_network(_name(lab), driver="bridge", ipam=ipam, labels=_labels(lab))

    def power_on(self, lab: Lab, node: Node) -> None:
        if node.name in self.running(lab):
            return
        require_ports(lab, [node])
        with at_work(f"{node.name} cannot be started") as engine:
            made = _container(engine, lab, node)
            if not made:
                made = _create(engine, lab, node, read_box(lab.build))
            elif is_found(partial(engine.start, made)):
                return
            else:  # its network was removed, and was made anew by the same name
                engine.disconnect_container_from_network(made, _name(lab), force=True)
                engine.connect_container_to_network(made, _name(lab), ipv4_address=node.address)
            engine.start(made)

    def power_off(self, lab: Lab, node: Node) -> None:
        with at_work(f"{node.name} cannot be ended") as engine:
            if node.name in self.running(lab):
                engine.stop(_name(lab, node), timeout=0)  # `kill` refuses one that is just rebooting

    def wipe(self, lab: Lab, node: Node) -> None:
        with at_work(f"{node.name} cannot be given a fresh disk") as engine:
            for one in _containers(engine, lab.folder):
                if one["Labels"][_NODE] == node.name:  # whole, or what a start that was killed has left
                    engine.remove_container(one["Id"], force=True)
            if has_volume(engine, _name(lab, node)):
                engine.remove_volume(_name(lab, node))

    def running(self, lab: Lab) -> Collection[str]:
        with at_work(f"it cannot be seen which hosts of lab {lab.name} run") as engine:
            return {one["Labels"][_NODE] for one in _containers(engine, lab.folder) if one["State"] in _ON}

    def console(self, lab: Lab, node: Node) -> str:
        with at_work(f"the console of {node.name} cannot be read") as engine:
            try:
                started = engine.inspect_container(_name(lab, node))["State"]["StartedAt"]
            except NotFound:
                return ""
            if started.startswith(_NEVER):
                return ""
            said: bytes = engine.logs(_name(lab, node), since=_seconds(started))
            return said.decode(errors="replace")

    def remove(self, lab: Lab) -> None:
        remove_of(lab.folder)


def remove_of(folder: Path) -> None:
    """Remove the containers, volumes and the network of the lab in that folder, whether its note can be read or not."""
    with at_work(f"lab {folder.name} cannot be removed") as engine:
        mark = {"label": _mark(folder)}
        containers = [one["Id"] for one in _containers(engine, folder)]
        volumes = [one["Name"] for one in engine.volumes(filters=mark)["Volumes"] or []]
        with ThreadPoolExecutor() as pool:  # an engine takes seconds for each
            list(pool.map(partial(engine.remove_container, force=True), containers))
            list(pool.map(engine.remove_volume, volumes))
        for network in engine.networks(filters=mark):
            engine.remove_network(network["Id"])


def free_wire(labs: Collection[str]) -> str:
    """How the addresses of a wire begin that no lab has, and no network of the engine or the machine overlaps."""
    with at_work("it cannot be seen which networks this machine's Docker has") as engine:
        taken = [*_subnets(engine.networks()), *_own_subnets()]
    taken += [ipaddress.IPv4Network(f"{wire}.0/24") for wire in labs]
    for number in range(255):
        wire = ipaddress.ip_network(f"10.77.{number}.0/24")
        if not any(wire.overlaps(one) for one in taken):
            return f"10.77.{number}"
    raise LabError("no wire is left: the networks of this machine and its Docker take all of 10.77.0.0/16")


def _create(engine: docker.APIClient, lab: Lab, node: Node, box: Box) -> str:
    for what, is_there in _grounds(engine, box):
        if not is_there:
            raise LabError(
                f"{what}, which {node.name} is made from, is gone from this machine's Docker: remove the lab with "
                f"`overlaykit lab down --name {lab.name}`, and `overlaykit lab up` makes it anew"
            )
    address, draft = EndpointConfig(engine.api_version, ipv4_address=node.address), f"{_name(lab, node)}-part"
    for one in _containers(engine, lab.folder):
        if f"/{draft}" in one["Names"]:  # what a kill has left
            engine.remove_container(one["Id"], force=True)
    made: str = engine.create_container(
        box.image, name=draft, hostname=node.name, entrypoint=["/usr/sbin/lab-init"],
        labels={**_labels(lab), _NODE: node.name}, ports=[22, 80], host_config=_settings(lab, node, box),
        networking_config={"EndpointsConfig": {_name(lab): address}},
    )["Id"]  # fmt: skip
    put(engine, made, {**programs(), "lab/identity.tar": lab.node_folder(node) / "identity.tar"})
    engine.rename(made, _name(lab, node))  # now it is whole
    return made


def _grounds(engine: docker.APIClient, box: Box) -> Iterator[tuple[str, bool]]:
    """What a host is made from, and whether it is there: somebody may have cleaned up while the hosts were off."""
    yield f"the image {box.image}", has_image(engine, box.image)
    for volume in (box.seed, box.whole):
        yield f"the volume {volume}", has_volume(engine, volume)


def _settings(lab: Lab, node: Node, box: Box) -> Json:
    ports = {"22/tcp": node.ssh_port, "80/tcp": node.web_port}
    return {
        **rights_of(box.rights),
        "Mounts": [
            Mount("/var/lib/docker", _name(lab, node), labels=_labels(lab)),
            Mount("/seed", box.seed, read_only=True),
            Mount("/seed-whole", box.whole, read_only=True),  # so that it goes no sooner than what it tells of
            *modules(),
        ],
        "NetworkMode": _name(lab),
        "PortBindings": {inner: [{"HostIp": "127.0.0.1", "HostPort": str(port)}] for inner, port in ports.items()},
        "Dns": ["127.0.0.1"],
        "RestartPolicy": {"Name": "on-failure"},  # a reboot from within; a plug that was pulled stays pulled
    }


def _container(engine: docker.APIClient, lab: Lab, node: Node) -> str | None:
    name = f"/{_name(lab, node)}"
    return next((one["Id"] for one in _containers(engine, lab.folder) if name in one["Names"]), None)


def _containers(engine: docker.APIClient, folder: Path) -> list[Json]:
    found: list[Json] = engine.containers(all=True, filters={"label": _mark(folder)})
    return found


def _seconds(moment: str) -> float:
    """When it was, for the engine, which writes more digits of a second than Python reads."""
    return datetime.fromisoformat(_NANOSECONDS.sub(r"\1", moment)).timestamp()


def _name(lab: Lab, node: Node | None = None) -> str:
    """Of a lab's network, or of a host's container and volume: labs of one name may live in several state folders."""
    own = hashlib.sha256(str(lab.folder).encode()).hexdigest()[:6]
    return "-".join(["overlaykit", lab.name, own, *([node.name] if node else [])])


def _labels(lab: Lab) -> dict[str, str]:
    return {_LAB: str(lab.folder)}


def _mark(folder: Path) -> str:
    return f"{_LAB}={folder}"


def _own_subnets() -> Iterator[ipaddress.IPv4Network]:
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family == socket.AF_INET and one.netmask:
                yield ipaddress.IPv4Network(f"{one.address}/{one.netmask}", strict=False)


def _subnets(networks: list[Json]) -> Iterator[ipaddress.IPv4Network]:
    for network in networks:
        for pool in (network.get("IPAM") or {}).get("Config") or ():
            subnet = ipaddress.ip_network(pool.get("Subnet", "::/128"))
            if isinstance(subnet, ipaddress.IPv4Network):
                yield subnet
