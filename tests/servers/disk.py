"""The disk of the rehearsal's servers: plain Debian 12 with its own Docker Engine and sshd, and nothing of the kit's.

    disk(print)         # …/servers/5f0c…/disk.img, made once for what this file and `server-init` say

Two accounts, as servers have them: `ops` in the group docker, `admin` in the group sudo. Root has no way in.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

from overlaykit.lab.build import LabBuild
from overlaykit.making.lock import held
from overlaykit.making.place import placed
from overlaykit.making.tier_images import cache_folder

HERE = Path(__file__).parent
RELEASE = "bookworm"  # Docker Engine 20.10: another than the practice hosts' 26.1
PACKAGES = (
    "docker.io", "openssh-server", "sudo", "iptables", "nftables", "ufw", "iproute2", "iputils-ping", "kmod",
    "procps", "openssl", "busybox-static",
)  # fmt: skip
SUDO_PASSWORD = "only for the rehearsal"

_ACCOUNTS = (
    "useradd --create-home --shell /bin/bash --uid 1000 --groups docker ops",
    "useradd --create-home --shell /bin/bash --uid 1001 --groups sudo admin",
    # The kernel has not what the nft flavour of iptables needs (nft_chain_nat), and no netfilter for IPv6.
    "update-alternatives --set iptables /usr/sbin/iptables-legacy",
    "update-alternatives --set ip6tables /usr/sbin/ip6tables-legacy",
    "sed -i s/^IPV6=yes/IPV6=no/ /etc/default/ufw",
    "sh -c 'rm /etc/ssh/ssh_host_*'",  # each server has its own
)
_LEAN = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")
_MAKE = """
mkdir "$1/root" && tar -xpf "$1/root.tar" --numeric-owner -C "$1/root"
mke2fs -q -t ext4 -m 0 -O ^metadata_csum -E lazy_itable_init=1 -d "$1/root" "$1/disk.img" 8G
rm -r "$1/root" "$1/root.tar"
"""
_AS_NOBODY_IN_PARTICULAR = ("unshare", "--user", "--map-auto", "--map-root-user")


def disk(built: LabBuild, say: Callable[[str], None]) -> Path:
    """The disk, made if it was not: a minute or two. Its kernel's modules are those of `built`."""
    recipe = (HERE / "disk.py").read_bytes() + (HERE / "server-init").read_bytes() + built.path.name.encode()
    place = cache_folder() / "servers" / hashlib.sha256(recipe).hexdigest()[:16]
    with held(cache_folder(), lambda: say("a build is running, waiting for it")):
        if not place.exists():
            say("making the servers' disk: Debian 12 with Docker Engine, some minutes, once")
            shutil.rmtree(place.parent, ignore_errors=True)  # of what the recipe said before
            with placed(place) as draft:
                _make(draft, built)
    return place / "disk.img"


def _make(draft: Path, built: LabBuild) -> None:
    modules = _modules(built, draft)
    hooks = [
        *(f'chroot "$1" {command}' for command in _ACCOUNTS),
        f"echo 'admin:{SUDO_PASSWORD}' | chroot \"$1\" chpasswd",
        f"upload {HERE / 'server-init'} /usr/sbin/server-init",
        'chmod 755 "$1/usr/sbin/server-init"',
        f"tar-in {modules} /usr/lib",
    ]
    _run(
        [
            "mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}",
            *(f"--dpkgopt=path-exclude={path}" for path in _LEAN), "--dpkgopt=force-unsafe-io",
            *(f"--customize-hook={hook}" for hook in hooks),
            RELEASE, str(draft / "root.tar"),
        ],
        draft / "log",
    )  # fmt: skip
    modules.unlink()
    _run(
        [*(() if os.geteuid() == 0 else _AS_NOBODY_IN_PARTICULAR), "sh", "-ec", _MAKE, "sh", str(draft)], draft / "log"
    )
    (draft / "disk.img").chmod(0o444)


def _modules(built: LabBuild, draft: Path) -> Path:
    """The kernel's modules, out of the practice hosts' disk: a module fits the one kernel that it was made for."""
    _run(["debugfs", "-R", f"rdump /usr/lib/modules {draft}", str(built.path / "disk.img")], draft / "log")
    archive = draft / "modules.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(draft / "modules", "modules", filter=_of_root)
    shutil.rmtree(draft / "modules")
    return archive


def _of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _run(command: Sequence[str], log: Path) -> None:
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    with log.open("a") as record:
        done = subprocess.run(
            command,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=record,
            stderr=record,
            check=False,
        )
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}: {log.read_text()[-2000:]}"
