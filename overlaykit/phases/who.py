"""Whose the numbers in a packet are: outer addresses of hosts, inner ones of tasks, VXLAN ids of networks, SPIs of
the kernels that have such an association.

named(packet, seen, facts.swarm)
# IP: from 10.77.0.12 (node2), … VXLAN: VXLAN id 4097 (guestbook), … IP: from 10.20.0.13 (frontend.1), …
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from overlaykit.phases.sightings import Sightings
from overlaykit.words.facts import NetworkFacts, SwarmFacts
from overlaykit.words.wire import Packet, PacketLayer


def named(packet: Packet, seen: Sightings, swarm: SwarmFacts) -> Packet:
    """The packet, with a name beside each number that has one."""
    hosts = seen.hosts
    network = next((one for one in swarm.networks if packet.vxlan_id in one.vxlan_ids), None)
    inside = {
        packet.inner_source: _task(packet.inner_source, packet.source, network, hosts, swarm),
        packet.inner_target: _task(packet.inner_target, packet.target, network, hosts, swarm),
    }
    names: list[Mapping[str, str]] = [hosts, inside]  # of the first IP, and of the one within
    layers = []
    for layer in packet.layers:
        if layer.name == "IP" and names:
            layers.append(_with(layer, names.pop(0)))
        elif layer.name == "VXLAN" and network:
            layers.append(_with(layer, dict.fromkeys(map(str, network.vxlan_ids), network.name)))
        elif layer.name == "ESP":
            holders = sorted(host for host, spis in seen.associations.items() if packet.spi in spis)
            whose = f"association of {' and '.join(holders)}" if holders else ""
            layers.append(_with(layer, {layer.values["SPI"]: whose}))
        else:
            layers.append(layer)
    return replace(packet, layers=tuple(layers))


def _with(layer: PacketLayer, names: Mapping[str, str]) -> PacketLayer:
    told = {key: f"{value} ({names[value]})" if names.get(value) else value for key, value in layer.values.items()}
    return replace(layer, values=told)


def _task(address: str, outer: str, network: NetworkFacts | None, hosts: Mapping[str, str], swarm: SwarmFacts) -> str:
    """Who has an address on the network. On ingress, what is no task's is a host's own end of the routing mesh."""
    if network is None:
        return ""
    for task in swarm.tasks:
        if task.state == task.desired == "running" and (network.name, address) in task.addresses:
            return task.name if task.service else ""
    for service in swarm.services:
        if service.virtual_ips.get(network.name) == address:
            return f"{service.spec.name}, its virtual IP"
    return f"routing mesh of {hosts[outer]}" if network.ingress and outer in hosts else ""
