"""The files of a new lab: keys, what makes each host itself, and the inventory.

make_files(lab)     # all in lab.folder; lab.json, by which a lab is known to be whole, last
"""

from __future__ import annotations

import os
from pathlib import Path

from overlaykit.lab.identity import identity_of
from overlaykit.lab.keys import make_key
from overlaykit.lab.layout import Lab, inventory_text


def make_files(lab: Lab) -> None:
    """Write them. The hosts' keys are made here, so that a first connection verifies them already."""
    login = make_key(f"overlaykit lab {lab.name}")
    host_keys = {node: make_key(node.name) for node in lab.nodes}
    _write(lab.key_file, login.private.reveal().encode())
    _write(lab.folder / "key.pub", f"{login.public}\n".encode())
    for node, key in host_keys.items():
        folder = lab.node_folder(node)
        folder.mkdir(mode=0o700)
        _write(folder / "identity.tar", identity_of(lab, node, key, login.public))
    known = [f"[127.0.0.1]:{node.ssh_port} {key.known_as}\n" for node, key in host_keys.items()]
    _write(lab.known_hosts, "".join(known).encode())
    _write(lab.inventory, inventory_text(lab).encode())
    lab.save()


def _write(path: Path, content: bytes) -> None:
    with open(path, "xb", opener=_for_us_alone) as file:
        file.write(content)


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
