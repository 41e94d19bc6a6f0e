"""A lab before it is processes: its hosts, their addresses and ports, and where its files lie.

>>> lab = plan_lab("default", Path("/tmp/lab"), Path("/tmp/build"), hosts=3, managers=1, ports=range(2201, 2207))
>>> lab.node("node2")
Node(name='node2', address='10.77.0.12', role='worker', ssh_port=2203, web_port=2204)
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from overlaykit.words.errors import LabError
from overlaykit.words.host import Host, Role

MOST_HOSTS = 30
WIRE = "10.77.0"  # how addresses on a lab's own wire begin
_NOTE = "lab.json"


@dataclass(frozen=True)
class Node:
    """One practice host: its address on the lab's wire, and its SSH and port 80 on 127.0.0.1."""

    name: str
    address: str
    role: Role
    ssh_port: int
    web_port: int

    @property
    def number(self) -> int:
        """3 for node3."""
        return int(self.name.removeprefix("node"))


@dataclass(frozen=True)
class Lab:
    """A lab: everything of it lies in `folder`, all that it runs from in `build`."""

    name: str
    folder: Path
    build: Path
    nodes: tuple[Node, ...]
    backend: str = "kernels"  # of which kind its hosts are

    @property
    def key_file(self) -> Path:
        """The SSH key that opens its hosts, and nothing else."""
        return self.folder / "key"

    @property
    def known_hosts(self) -> Path:
        """The keys that its hosts show, written before they first start."""
        return self.folder / "known_hosts"

    @property
    def inventory(self) -> Path:
        """Its hosts as an Ansible inventory."""
        return self.folder / "hosts.ini"

    def node(self, name: str) -> Node:
        """The host of this name."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise LabError(f"lab {self.name} has no host {name}: it has {', '.join(node.name for node in self.nodes)}")

    def node_folder(self, node: Node) -> Path:
        """Where one host's disk and console lie."""
        return self.folder / node.name

    def host(self, node: Node) -> Host:
        """How SSH reaches one host."""
        return Host(
            node.name, "127.0.0.1", node.role, port=node.ssh_port, user="root",
            key_file=str(self.key_file), known_hosts=str(self.known_hosts), advertise_addr=node.address,
            published=f"127.0.0.1:{node.web_port}",
        )  # fmt: skip

    def save(self) -> None:
        """Write it down, whole or not at all."""
        draft = self.folder / f"{_NOTE}.part"
        draft.write_text(json.dumps(asdict(self), indent=1, default=str))
        draft.replace(self.folder / _NOTE)


def read_lab(folder: Path) -> Lab | None:
    """The lab whose files lie in `folder`; None when none was made there."""
    try:
        saved = json.loads((folder / _NOTE).read_text())
        nodes = tuple(Node(**node) for node in saved["nodes"])
        return Lab(saved["name"], folder, Path(saved["build"]), nodes, saved.get("backend", "kernels"))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise LabError(
            f"{folder / _NOTE} cannot be read ({error}): remove the lab with `overlaykit lab down --name {folder.name}`"
        ) from None


def plan_lab(
    name: str, folder: Path, build: Path, *, hosts: int, managers: int, ports: Iterable[int],
    backend: str = "kernels", wire: str = WIRE,
) -> Lab:  # fmt: skip
    """`hosts` hosts on a wire, the first `managers` of them managers, two ports each."""
    free = iter(ports)
    nodes = tuple(
        Node(f"node{number}", f"{wire}.{10 + number}", _role(number, managers), next(free), next(free))
        for number in range(1, hosts + 1)
    )
    return Lab(name, folder, build, nodes, backend)


def inventory_text(lab: Lab) -> str:
    """hosts.ini of the lab, as Ansible and overlaykit read it."""
    managers = [_line(node) for node in lab.nodes if node.role == "manager"]
    workers = [_line(node) for node in lab.nodes if node.role == "worker"]
    return "\n".join(
        [
            f"# The practice hosts of lab {lab.name}; written by `overlaykit lab up`, gone with `overlaykit lab down`.",
            "[managers]", *managers, "",
            "[workers]", *workers, "",
            "[all:vars]",
            "ansible_host=127.0.0.1",
            "ansible_user=root",
            f"ansible_ssh_private_key_file={json.dumps(str(lab.key_file))}",
            f"ansible_ssh_common_args={json.dumps(_known_hosts_option(lab))}",
            f"overlaykit_known_hosts={json.dumps(str(lab.known_hosts))}",
            "",
        ]
    )  # fmt: skip


def _known_hosts_option(lab: Lab) -> str:
    """For Ansible, which hands it to ssh: that takes a blank for the end of a file's name, unless it is quoted."""
    setting = f'UserKnownHostsFile="{lab.known_hosts}"'
    return f"-o {shlex.quote(setting)}"


def _line(node: Node) -> str:
    return (
        f"{node.name} ansible_port={node.ssh_port} swarm_advertise_addr={node.address}"
        f" overlaykit_published=127.0.0.1:{node.web_port}"
    )


def _role(number: int, managers: int) -> Role:
    return "manager" if number <= managers else "worker"
