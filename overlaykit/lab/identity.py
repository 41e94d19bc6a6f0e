"""What makes a host itself, as a tar file: its name, its address and its keys.

    archive = identity_of(lab, node, host_key, login_key.public)

The host reads it from its second disk when it starts (images/host/lab-init), so that no key is on a command line.
"""

from __future__ import annotations

import io
import tarfile

from overlaykit.lab.keys import KeyPair
from overlaykit.lab.layout import Lab, Node

_SETTINGS = "etc/overlaykit-host"
# A name server that refuses at once: a look-up of what the lab does not have fails without a wait.
_RESOLVER = "nameserver 127.0.0.1\n"


def identity_of(lab: Lab, node: Node, host_key: KeyPair, login: str) -> bytes:
    """The files of one host."""
    return _tar(
        {
            _SETTINGS: (0o644, f"NAME={node.name}\nADDRESS={node.address}\nTASK=serve\n"),
            "etc/hostname": (0o644, f"{node.name}\n"),
            "etc/hosts": (0o644, _hosts(lab)),
            "etc/resolv.conf": (0o644, _RESOLVER),
            "etc/ssh/ssh_host_ed25519_key": (0o600, host_key.private.reveal()),
            "etc/ssh/ssh_host_ed25519_key.pub": (0o644, f"{host_key.public}\n"),
            "root/.ssh/authorized_keys": (0o600, f"{login}\n"),
        }
    )


def builder_identity() -> bytes:
    """For the one host that fills a new disk with the tiers' images and ends."""
    return _tar({_SETTINGS: (0o644, "NAME=builder\nTASK=load\n"), "etc/resolv.conf": (0o644, _RESOLVER)})


def _hosts(lab: Lab) -> str:
    return "127.0.0.1 localhost\n" + "".join(f"{node.address} {node.name}\n" for node in lab.nodes)


def _tar(files: dict[str, tuple[int, str]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(_folder("root/.ssh"))
        for name, (mode, text) in files.items():
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = mode, len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _folder(name: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o700
    return entry
