"""From what the hosts answered to Facts: pure reading, no conclusions.

facts = read_facts(gather(fleet), inventory)
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from overlaykit.phases.service_facts import read_service
from overlaykit.words.facts import Facts, HostFacts, Listener, NetworkFacts, NodeFacts, SwarmFacts, TaskFacts
from overlaykit.words.host import Host, Inventory
from overlaykit.words.steps import HOST_LABEL

Json = Mapping[str, Any]
#: What an engine in a swarm makes for itself.
_OWN_NETWORKS = ("docker_gwbridge", "ingress")
_VXLAN_IDS = "com.docker.network.driver.overlay.vxlanid_list"


def read_facts(answers: Json, inventory: Inventory) -> Facts:
    """All that one look saw."""
    hosts = tuple(read_host(host, answers["hosts"][host.name]) for host in inventory)
    swarm = answers.get("swarm")
    told = read_swarm(swarm, hosts, inventory) if swarm else None
    return Facts(hosts, told, inventory.lab, answers.get("swarm_error", ""))


def read_host(host: Host, answer: Json) -> HostFacts:
    """One host's facts, or the sentence that says why there are none."""
    if "error" in answer:
        return HostFacts(host.name, error=answer["error"], **_remembered(answer.get("info") or {}))
    info, swarm, shell = answer["info"], answer["info"].get("Swarm") or {}, _parts(answer["shell"])
    address = host.data_path_addr or host.advertise_addr or swarm.get("NodeAddr") or host.address
    device = _device_of(address, shell)
    return HostFacts(
        host.name,
        hostname=info["Name"],
        kernel=info.get("KernelVersion", ""),
        engine=info.get("ServerVersion", ""),
        cpus=info.get("NCPU", 0),
        memory=info.get("MemTotal", 0),
        swarm_state=swarm.get("LocalNodeState") or "inactive",
        node_id=swarm.get("NodeID") or "",
        node_addr=swarm.get("NodeAddr") or "",
        is_manager=bool(swarm.get("ControlAvailable")),
        warnings=tuple(info.get("Warnings") or ()),
        images=dict(_references(answer["images"])),
        keeps_in_containerd=any("containerd" in value for _, value in info.get("DriverStatus") or ()),
        volumes={volume["Name"]: volume.get("Labels") or {} for volume in answer["volumes"]},
        containers={_called(container): container.get("Labels") or {} for container in answer["containers"]},
        networks={n["Name"]: n["Driver"] for n in answer.get("networks", ()) if n["Name"] not in _OWN_NETWORKS},
        addresses={_called(container): tuple(_attached(container)) for container in answer["containers"]},
        running=frozenset(c["Id"] for c in answer["containers"] if c.get("State") == "running"),
        listeners=tuple(_listeners(shell["listeners"])) if shell["listeners"] else None,
        can_encrypt=has_part(shell["esp"]),
        has_ipvs=has_part(shell["ipvs"]),
        underlay=device,
        underlay_mtu=_mtu_of(device, shell),
        subnets=tuple(_subnets(shell["routes"])),
    )


def _remembered(info: Json) -> dict[str, Any]:
    """What a host that does not answer was when it last did, if it did."""
    swarm = info.get("Swarm") or {}
    return {
        "swarm_state": swarm.get("LocalNodeState") or "inactive",
        "node_id": swarm.get("NodeID") or "",
        "is_manager": bool(swarm.get("ControlAvailable")),
    }


def read_swarm(answer: Json, hosts: tuple[HostFacts, ...], inventory: Inventory) -> SwarmFacts:
    """The swarm as its manager listed it, with inventory names in place of node ids."""
    names = {node["ID"]: _host_of(node, hosts, inventory) for node in answer["nodes"]}
    networks = {network["Id"]: network["Name"] for network in answer["networks"]}
    services = tuple(read_service(service, networks) for service in answer["services"])
    called = {service.id: service.spec.name for service in services}
    return SwarmFacts(
        answer["swarm"]["ID"],
        answer["host"],
        labels=answer["swarm"]["Spec"].get("Labels") or {},
        data_path_port=answer["swarm"].get("DataPathPort") or 4789,
        address_pool=next(iter(answer["swarm"].get("DefaultAddrPool") or ()), ""),
        nodes=tuple(_node(node, names) for node in answer["nodes"]),
        networks=tuple(read_network(network) for network in answer["networks"] if network["Driver"] == "overlay"),
        services=services,
        tasks=tuple(read_task(task, called, names) for task in answer["tasks"]),
        secrets={secret["Name"]: secret["Labels"] for secret in answer["secrets"]},
        configs={config["Name"]: config["Labels"] for config in answer["configs"]},
    )


def read_network(network: Json) -> NetworkFacts:
    """An overlay network. The engine writes its options as text."""
    options = network.get("Options") or {}
    pools = (network.get("IPAM") or {}).get("Config") or [{}]
    return NetworkFacts(
        network["Id"],
        network["Name"],
        network["Driver"],
        subnet=pools[0].get("Subnet", ""),
        attachable=network.get("Attachable", False),
        internal=network.get("Internal", False),
        encrypted="encrypted" in options and options["encrypted"] != "false",
        mtu=int(options.get("com.docker.network.driver.mtu", 0)),
        ingress=network.get("Ingress", False),
        labels=network.get("Labels") or {},
        vxlan_ids=tuple(int(one) for one in options.get(_VXLAN_IDS, "").split(",") if one),
    )


def read_task(task: Json, services: Mapping[str, str], hosts: Mapping[str, str]) -> TaskFacts:
    """A task, with its service's and its host's names. A probe's container is a task of no service."""
    status = task["Status"]
    return TaskFacts(
        task["ID"],
        services.get(task.get("ServiceID", ""), ""),
        task.get("Slot", 0),
        hosts.get(task.get("NodeID", ""), ""),
        status["State"],
        task["DesiredState"],
        error=status.get("Err", ""),
        container=(status.get("ContainerStatus") or {}).get("ContainerID", ""),
        image=((task.get("Spec") or {}).get("ContainerSpec") or {}).get("Image", ""),
        since=status.get("Timestamp", ""),
        addresses=tuple(_addresses(task)),
    )


def _node(node: Json, names: Mapping[str, str]) -> NodeFacts:
    spec = node["Spec"]
    return NodeFacts(
        node["ID"],
        names[node["ID"]],
        node["Description"].get("Hostname", ""),
        spec["Role"],
        spec["Availability"],
        node["Status"]["State"],
        leader=(node.get("ManagerStatus") or {}).get("Leader", False),
        labels=spec.get("Labels") or {},
    )


def _host_of(node: Json, hosts: tuple[HostFacts, ...], inventory: Inventory) -> str:
    """The inventory name of a node: the host that says it is this node, else the label the kit wrote on it."""
    for host in hosts:
        if host.node_id == node["ID"]:
            return host.name
    label = (node["Spec"].get("Labels") or {}).get(HOST_LABEL, "")
    return label if label in {host.name for host in inventory} else ""


def _parts(text: str) -> dict[str, list[str]]:
    """The shell's answer by its `@name` lines; a part that is missing is empty."""
    parts: dict[str, list[str]] = {name: [] for name in ("listeners", "addresses", "routes", "mtu", "esp", "ipvs")}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("@"):
            current = parts.setdefault(line[1:], [])
        elif line.strip():
            current.append(line)
    return parts


def has_part(lines: list[str]) -> bool | None:
    """Has the kernel a part? As a module, loaded or not, or built in; None where nobody could look at both.

    >>> has_part(["no module", "built in"])
    True
    >>> has_part(["no module"])         # where the kernel's symbols cannot be read
    """
    seen = {line.strip() for line in lines}
    if seen & {"loaded", "module", "built in"}:
        return True
    return False if {"no module", "not built in"} <= seen else None


def _references(images: list[Json]) -> Iterator[tuple[str, str]]:
    for image in images:
        yield image["Id"], image["Id"]
        yield from ((reference, image["Id"]) for reference in image.get("RepoTags") or ())


def _called(container: Json) -> str:
    """Its name; the id where it has none, as one that is going away."""
    return str((container.get("Names") or [container.get("Id", "?")])[0]).lstrip("/")


def _attached(container: Json) -> Iterator[tuple[str, str]]:
    """Where a running container is attached, and with which address."""
    for name, end in ((container.get("NetworkSettings") or {}).get("Networks") or {}).items():
        if end.get("IPAddress"):
            yield name, end["IPAddress"]


_LISTEN = "0A"  # how the kernel writes the state in /proc/net/tcp
#: What an engine makes: its bridges (`br-` and twelve digits of the network's id) and their containers' ends.
_DOCKERS_DEVICE = re.compile(r"docker|veth|br-[0-9a-f]{12}$")
_PROCESS = re.compile(r'\("([^"]+)"')


def _listeners(lines: list[str]) -> Iterator[Listener]:
    """`ss -Hltnp`: state, two queues, local address, peer, and the process where it may be seen; else /proc/net/tcp."""
    for line in lines:
        columns = line.split()
        if columns[0].rstrip(":").isdigit() and columns[3] == _LISTEN:
            yield Listener(int(columns[1].rpartition(":")[2], 16))
        elif columns[0] == "LISTEN":
            address, _, port = columns[3].rpartition(":")
            process = _PROCESS.search(line)
            yield Listener(int(port), address.strip("[]"), process[1] if process else "")


def _subnets(lines: list[str]) -> Iterator[tuple[str, str]]:
    """`ip -o -4 route`: the networks that a host reaches by an interface, outside Docker's own bridges."""
    for line in lines:
        columns = line.split()
        device = columns[columns.index("dev") + 1] if "dev" in columns else ""
        if columns[0][0].isdigit() and "/" in columns[0] and not _DOCKERS_DEVICE.match(device):
            yield device, columns[0]


def _device_of(address: str, shell: dict[str, list[str]]) -> str:
    """The interface that has the address (behind NAT none has: then the one with the default route)."""
    device = next((line.split()[1] for line in shell["addresses"] if f" {address}/" in line), "")
    return device or next((line.split()[4] for line in shell["routes"] if line.startswith("default via")), "")


def _mtu_of(device: str, shell: dict[str, list[str]]) -> int | None:
    sizes = {line.split()[0].split("/")[4]: int(line.split()[1]) for line in shell["mtu"]}
    return sizes.get(device) if device else None


def _addresses(task: Json) -> Iterator[tuple[str, str]]:
    """The task's addresses, as (network name, address without its prefix)."""
    for attachment in task.get("NetworksAttachments") or ():
        name = (attachment["Network"].get("Spec") or {}).get("Name", "")
        for address in attachment.get("Addresses") or ():
            yield name, str(ipaddress.ip_interface(address).ip)
