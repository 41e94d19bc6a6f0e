"""A lab as data: what is planned, what is written down, what others read of it."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import paramiko
import pytest

from overlaykit.lab.build import LabBuild
from overlaykit.lab.files import make_files
from overlaykit.lab.identity import identity_of
from overlaykit.lab.kernels import kernel_command
from overlaykit.lab.keys import make_key
from overlaykit.lab.layout import Lab, inventory_text, plan_lab, read_lab
from overlaykit.reading.inventory import read_inventory
from overlaykit.words.errors import LabError
from overlaykit.words.images import KitImage


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    folder = tmp_path / "a lab"
    folder.mkdir()
    return plan_lab("default", folder, tmp_path / "build", hosts=3, managers=1, ports=range(2201, 2207))


def test_a_lab_is_read_as_it_was_saved(lab: Lab) -> None:
    lab.save()
    assert read_lab(lab.folder) == lab


def test_no_lab_is_none(tmp_path: Path) -> None:
    assert read_lab(tmp_path) is None


def test_a_broken_note_says_what_to_do(lab: Lab) -> None:
    (lab.folder / "lab.json").write_text('{"name": "default"}')
    with pytest.raises(LabError, match=r"lab\.json cannot be read .*overlaykit lab down"):
        read_lab(lab.folder)


def test_the_first_hosts_are_managers(tmp_path: Path) -> None:
    lab = plan_lab("x", tmp_path, tmp_path, hosts=4, managers=3, ports=range(1, 9))
    assert [node.role for node in lab.nodes] == ["manager", "manager", "manager", "worker"]


def test_a_host_that_is_not_there(lab: Lab) -> None:
    with pytest.raises(LabError, match="has no host node9: it has node1, node2, node3"):
        lab.node("node9")


def test_the_inventory_is_read_as_the_lab_means_it(lab: Lab) -> None:
    inventory = read_inventory(inventory_text(lab), source=str(lab.inventory), env={})
    for node in lab.nodes:
        read, meant = inventory[node.name], lab.host(node)
        assert (read.address, read.port, read.user, read.role) == ("127.0.0.1", meant.port, "root", meant.role)
        assert (read.key_file, read.known_hosts) == (str(lab.key_file), str(lab.known_hosts))
        assert (read.advertise_addr, read.published) == (node.address, f"127.0.0.1:{node.web_port}")


def test_a_new_lab_is_for_its_owner_alone(lab: Lab) -> None:
    make_files(lab)
    readable = [path for path in lab.folder.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert [path.name for path in readable] == ["lab.json"]
    assert read_lab(lab.folder) == lab


def test_hosts_are_known_before_they_start(lab: Lab) -> None:
    make_files(lab)
    known = paramiko.HostKeys(str(lab.known_hosts))
    shown = {node.name: _host_key(lab.node_folder(node) / "identity.tar") for node in lab.nodes}
    for node in lab.nodes:
        assert known.check(f"[127.0.0.1]:{node.ssh_port}", shown[node.name])
    assert len({key.get_base64() for key in shown.values()}) == 3


def _host_key(archive: Path) -> paramiko.PKey:
    with tarfile.open(archive) as identity:
        member = identity.extractfile("etc/ssh/ssh_host_ed25519_key")
        assert member is not None
        return paramiko.Ed25519Key(file_obj=io.StringIO(member.read().decode()))


def test_private_keys_are_private_on_the_host_too(lab: Lab) -> None:
    key = make_key("node1")
    identity = identity_of(lab, lab.nodes[0], key, "ssh-ed25519 AAAA me")
    with tarfile.open(fileobj=io.BytesIO(identity)) as archive:
        modes = {member.name: member.mode for member in archive if "ssh" in member.name}
    assert modes == {
        "root/.ssh": 0o700,
        "etc/ssh/ssh_host_ed25519_key": 0o600,
        "etc/ssh/ssh_host_ed25519_key.pub": 0o644,
        "root/.ssh/authorized_keys": 0o600,
    }


def test_a_key_does_not_show_itself() -> None:
    assert "PRIVATE KEY" not in repr(make_key("x"))


def test_no_key_is_on_a_command_line(lab: Lab) -> None:
    make_files(lab)
    public = (lab.folder / "key.pub").read_text().split()[1]
    command = kernel_command("node1", disks=["node1/disk.cow,base", "node1/identity.tar"], network="eth0=x")
    assert "ubd1r=node1/identity.tar" in command
    assert public not in " ".join(command)


def test_a_build_knows_its_images_wherever_it_lies(tmp_path: Path) -> None:
    saved = {
        "tier": "backend",
        "reference": "overlaykit/backend:1",
        "image_id": "sha256:1",
        "archive": "b.tar",
        "says": "",
    }
    (tmp_path / "images.json").write_text(json.dumps([saved]))
    assert LabBuild(tmp_path).images["backend"] == KitImage(
        "backend", "overlaykit/backend:1", "sha256:1", archive=str(tmp_path / "b.tar")
    )
