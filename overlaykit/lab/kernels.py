"""Practice hosts as user-mode Linux: each a Linux kernel that runs as an ordinary program, with a disk of its own.

kernels = Kernels()
kernels.connect(lab)
kernels.power_on(lab, lab.node("node1"))
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from overlaykit.lab import processes, wire
from overlaykit.lab.layout import Lab, Node
from overlaykit.lab.memory import memory_folder

MEMORY = 768  # MB that a host may use; the machine gives them up as they are touched
MEMORY_USED = 450  # MB that it does use, with a tier of the stack on it: measured
_SOCKETS = "run"  # relative, as all sockets here: the path of one may have 107 characters
# Of a build, and links to it in a lab's folder: programs find their loader by the one, and a kernel's command line
# takes no path with a blank, which the build's own may have.
KERNEL, BASE_DISK = "kernel", "disk.img"

# For this program alone: it needs the C library that lies beside it, which the machine's own programs do not load.
_WITH_HEARTBEAT = ("env", f"LD_PRELOAD={KERNEL}/lib/libheartbeat.so")
# Both measure for half a second, on every start, which way is fastest to do what no host here does.
_NOT_MEASURED = "initcall_blacklist=raid6_select_algo,calibrate_xor_blocks"
# The disk is a file: pulling a host's plug loses nothing that it wrote, so it need not flush the machine's disk; and
# what no one has written reads as zeros, so that it need not write 128 MB of them over tables that nothing uses.
_DISK_OPTIONS = "rootfstype=ext4 rootflags=barrier=0,noinit_itable"


class Kernels:
    """The back end of user-mode Linux; see `Backend`."""

    def connect(self, lab: Lab) -> None:
        for part in (KERNEL, BASE_DISK):
            if not (link := lab.folder / part).is_symlink():
                link.symlink_to(lab.build / part)
        wire.lay(lab)

    def power_on(self, lab: Lab, node: Node) -> None:
        if node.name in self.running(lab):
            return
        console = self._console(lab, node)
        console.write_text("")
        shutil.rmtree(lab.folder / _SOCKETS / node.name, ignore_errors=True)  # of a kernel that was killed
        command = kernel_command(
            node.name,
            disks=[f"{node.name}/disk.cow,{BASE_DISK}", f"{node.name}/identity.tar"],
            network=f"eth0=daemon,02:00:0a:4d:00:{node.number:02x},unix,{wire.SOCKET}",
        )
        starting = len(lab.nodes) - len(self.running(lab))
        place = {"TMPDIR": str(memory_folder(starting * MEMORY_USED))}
        processes.start(lab.folder, node.name, command, log=console, environment=place)

    def power_off(self, lab: Lab, node: Node) -> None:
        processes.end(lab.folder, node.name)

    def wipe(self, lab: Lab, node: Node) -> None:
        (lab.node_folder(node) / "disk.cow").unlink(missing_ok=True)

    def running(self, lab: Lab) -> Collection[str]:
        return processes.parts(lab.folder) & {node.name for node in lab.nodes}

    def console(self, lab: Lab, node: Node) -> str:
        console = self._console(lab, node)
        return console.read_text(errors="replace") if console.exists() else ""

    def remove(self, lab: Lab) -> None:
        processes.end(lab.folder)

    def _console(self, lab: Lab, node: Node) -> Path:
        return lab.node_folder(node) / "console.log"


def kernel_command(name: str, *, disks: list[str], network: str | None = None) -> list[str]:
    """The command that boots one host, in a folder in which `kernel` leads to a build's kernel.

    The first disk is its root (`COW,BASE` where it writes beside a base that it only reads); all others are read.
    """
    return [
        *_WITH_HEARTBEAT,
        f"{KERNEL}/bin/linux.uml",
        f"mem={MEMORY}M",
        f"umid={name}",
        f"uml_dir=./{_SOCKETS}/",
        f"ubd0={disks[0]}",
        *(f"ubd{number}r={disk}" for number, disk in enumerate(disks[1:], 1)),
        *([network] if network else []),
        "root=/dev/ubda",
        "rw",
        *_DISK_OPTIONS.split(),
        "init=/usr/sbin/lab-init",
        "con=null",
        "con0=null,fd:1",
        _NOT_MEASURED,
    ]
