"""Three servers that the kit did not make: booted here by a desk's side, and looked at by their owner.

    with Servers(folder, desk, built, disk) as servers:
        servers["node1"].owner("docker ps")         # as root, by a way of the owner's own
        servers["node1"].state()                    # all that may not change

Each is plain Debian (disk.py) in a user-mode kernel. What is theirs runs on them before anybody comes: a container, a
network, a volume.
"""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from desk import Desk
from disk import SUDO_PASSWORD

from overlaykit.lab import processes
from overlaykit.lab.build import LabBuild
from overlaykit.lab.kernels import MEMORY_USED, kernel_command
from overlaykit.lab.keys import KeyPair, make_key
from overlaykit.lab.memory import memory_folder

#: Addresses that no one has (RFC 5737), as the page has them.
ADDRESSES = {"node1": "192.0.2.11", "node2": "192.0.2.12", "node3": "192.0.2.13"}
BOOTED_WITHIN = 120

_THEIRS = """
tar -cC /usr/bin busybox | docker import - theirs:1 >/dev/null
docker network create theirs >/dev/null
docker volume create theirs >/dev/null
docker run --detach --name theirs --network theirs --volume theirs:/data theirs:1 \
    /busybox sh -c 'echo dear >/data/file; while :; do /busybox sleep 60; done' >/dev/null
"""
#: What must be the same afterwards: what runs, what is kept, the firewall's rules, the swarm if there is one, and every
#: file outside the engine's own (those that change are listed). `docker_gwbridge` an engine makes for itself, and so
#: the rules by which it knows an encrypted network's packets (u32), which 20.10 forgets when the network goes.
_STATE = """
docker ps --all --no-trunc --format 'container {{.ID}} {{.Names}} {{.State}}'
docker network ls --no-trunc --format 'network {{.ID}} {{.Name}} {{.Driver}}' | grep -v docker_gwbridge
docker volume ls --format 'volume {{.Name}}'
docker run --rm --volume theirs:/data theirs:1 /busybox cat /data/file
docker info --format 'swarm {{.Swarm.LocalNodeState}} {{.Swarm.NodeID}}'
if docker node ls >/dev/null 2>&1; then
    docker node ls --format 'node {{.ID}} {{.Hostname}} {{.Availability}} {{.ManagerStatus}}'
    docker node inspect --format 'labels {{.ID}} {{.Spec.Role}} {{.Spec.Labels}}' $(docker node ls --quiet)
    docker service ls --format 'service {{.ID}} {{.Name}} {{.Replicas}}'
    docker swarm ca | sha256sum
fi
iptables -S INPUT | grep -v u32
nft list ruleset
find / -xdev '(' -path /var/lib/docker -o -path /var/lib/containerd -o -path /var/log -o -path /tmp ')' -prune \
    -o -newer /run/looked-at -print
"""


@dataclass(frozen=True)
class Server:
    """One of them, and its owner's way in."""

    name: str
    address: str
    host_key: KeyPair
    desk: Desk
    key_file: Path

    def owner(self, script: str) -> str:
        """Run a script there as root: by sudo, with a password."""
        words = [
            "ssh", "-F", "none", "-i", str(self.key_file), "-o", "IdentitiesOnly=yes",
            "-o", f"UserKnownHostsFile={self.key_file}.known", f"admin@{self.address}", "sudo -kSp '' bash -es",
        ]  # fmt: skip
        done = self.desk.run(*words, input=f"{SUDO_PASSWORD}\n{script}")
        assert done.returncode == 0, f"{self.name}: {script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def state(self) -> list[str]:
        """All that may not change, but for what runs in a container of `theirs` itself."""
        return sorted(self.owner(_STATE).splitlines())


class Servers(Mapping[str, Server]):
    """The three, running."""

    def __init__(self, folder: Path, desk: Desk, built: LabBuild, disk: Path, key: str) -> None:
        self.folder = folder
        self._desk = desk
        self._built = built
        self._disk = disk
        self._key = key  # of whoever sits at the desk
        self._owners = make_key("owner of the servers")
        self._all = {
            name: Server(name, address, make_key(name), desk, folder / "owner") for name, address in ADDRESSES.items()
        }

    def __getitem__(self, name: str) -> Server:
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __enter__(self) -> Self:
        self.folder.mkdir()
        try:
            self._write_keys()
            self._lay_the_wire()
            for server in self.values():
                self._power_on(server)
            for server in self.values():
                self._wait_for(server)
                server.owner(_THEIRS)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        processes.end(self.folder)

    def said(self) -> str:
        """The ends of their consoles."""
        return "\n".join((self.folder / f"{name}.log").read_text(errors="replace")[-2000:] for name in self)

    def _write_keys(self) -> None:
        (self.folder / "kernel").symlink_to(self._built.path / "kernel")
        (self.folder / "disk.img").symlink_to(self._disk)
        (self.folder / "owner").write_text(self._owners.private.reveal())
        (self.folder / "owner").chmod(0o600)
        known = [f"{server.address} {server.host_key.known_as}\n" for server in self.values()]
        (self.folder / "owner.known").write_text("".join(known))

    def _lay_the_wire(self) -> None:
        """A switch, and the way in from the desk: only what is forwarded comes in, and nothing goes out."""
        switch = ["kernel/bin/vde_switch", "-s", "wire", "-d", "-m", "600", "-n", "8"]
        processes.start(self.folder, "switch", switch, log=self.folder / "switch.log")
        _wait_until((self.folder / "wire/ctl").exists, 10, "the switch does not start")
        ways = [f"{server.address}:{port}:{server.address}:{port}" for server in self.values() for port in (22, 80)]
        router = f"slirp:///addr=192.0.2.2/v4/restricted/disable_host_loopback/tcpfwd={','.join(ways)}"
        command = [*self._desk.inside(self.folder), "kernel/bin/vde_plug", router, "vde://wire"]
        processes.start(self.folder, "router", command, log=self.folder / "router.log")

    def _power_on(self, server: Server) -> None:
        (self.folder / f"{server.name}.tar").write_bytes(self._identity(server))
        number = list(self).index(server.name) + 1
        command = kernel_command(
            server.name,
            disks=[f"{server.name}.cow,disk.img", f"{server.name}.tar"],
            network=f"eth0=daemon,02:00:c0:00:02:{number:02x},unix,wire/ctl",
        )
        command = [word.replace("lab-init", "server-init") for word in command]
        place = {"TMPDIR": str(memory_folder(len(self) * MEMORY_USED))}
        log = self.folder / f"{server.name}.log"
        processes.start(self.folder, server.name, command, log=log, environment=place)

    def _wait_for(self, server: Server) -> None:
        log = self.folder / f"{server.name}.log"
        ready = lambda: "server-init: ready" in log.read_text(errors="replace")  # noqa: E731
        _wait_until(ready, BOOTED_WITHIN, f"{server.name} does not start; see {log}")

    def _identity(self, server: Server) -> bytes:
        """Its name, address, host key, and who may log in, as a tar file on its second disk."""
        buffer = io.BytesIO()
        hosts = "".join(f"{other.address} {other.name}\n" for other in self.values())
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            _add(archive, "etc/hostname", f"{server.name}\n")
            _add(archive, "etc/server-address", f"{server.address}\n")
            _add(archive, "etc/hosts", f"127.0.0.1 localhost\n{hosts}")
            _add(archive, "etc/resolv.conf", "nameserver 127.0.0.1\n")
            _add(archive, "etc/ssh/ssh_host_ed25519_key", server.host_key.private.reveal(), 0o600)
            _add(archive, "etc/ssh/ssh_host_ed25519_key.pub", f"{server.host_key.public}\n")
            for account, number, keys in (
                ("ops", 1000, f"{self._key}\n"),
                ("admin", 1001, f"{self._key}\n{self._owners.public}\n"),
            ):
                _add_folder(archive, f"home/{account}/.ssh", number)
                _add(archive, f"home/{account}/.ssh/authorized_keys", keys, 0o600, number)
        return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, text: str, mode: int = 0o644, owner: int = 0) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.uid, entry.gid, entry.size = mode, owner, owner, len(text.encode())
    archive.addfile(entry, io.BytesIO(text.encode()))


def _add_folder(archive: tarfile.TarFile, name: str, owner: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o700, owner, owner
    archive.addfile(entry)


def _wait_until(condition: Callable[[], bool], seconds: float, failure: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{failure} ({seconds:g} s)"
        time.sleep(0.1)
