"""Practice hosts as containers, as far as no Docker is needed: which kind a machine gets, and what is said where."""

from __future__ import annotations

import io
import json
import platform
import re
import shutil
import socket
import subprocess
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from overlaykit.lab import kinds, lab
from overlaykit.lab.engine import machine_engine, unsuitable
from overlaykit.lab.engine_images import BASE, _follow, image_id
from overlaykit.lab.layout import plan_lab, read_lab
from overlaykit.lab.rights import programs, read_machine, rights_of
from overlaykit.making.recipes import IMAGES
from overlaykit.ui.cli import main
from overlaykit.words.errors import LabError, LabNotPossible
from overlaykit.words.service import satisfies

ALL = "".join(f"lab-init: has {one}\n" for one in ("overlay", "bridge", "veth", "vxlan", "iptables"))
BOOT = "Linux version 6.18.5, which all practice hosts of this machine share\n"


@pytest.fixture(autouse=True)
def nothing_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    monkeypatch.delenv(kinds.VARIABLE, raising=False)


def test_each_machine_gets_its_kind_and_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    kind, why = kinds.choose(None)
    assert (kind.name, "--backend containers" in why) == ("kernels", True)
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    kind, why = kinds.choose(None)
    assert (kind.name, "x86-64" in why) == ("containers", True)
    assert kinds.choose("kernels")[0].name == "kernels"
    monkeypatch.setenv(kinds.VARIABLE, "kernels")
    assert kinds.choose(None)[0].name == "kernels"


def test_docker_hubs_debian_names_its_sources_for_the_hosts_recipe(tmp_path: Path) -> None:
    """It lists them in the newer form; the recipe of the hosts fetches iptables' source."""
    (listed := tmp_path / "debian.sources").write_text("Types: deb\nURIs: http://deb.debian.org/debian\n")
    found = re.search(r"find /etc/apt (.* \+) \\$", BASE, re.MULTILINE)
    assert found
    subprocess.run(["sh", "-ec", f"find {tmp_path} {found[1]}"], check=True)
    assert listed.read_text().splitlines()[0] == "Types: deb deb-src"
    assert "apt-get source" in (IMAGES / "host" / "Dockerfile").read_text()


def test_a_disk_that_fills_while_docker_builds_is_said() -> None:
    said = [{"stream": "Step 2/9\n"}, {"error": "write /var/lib/dpkg: no space left on device"}]
    with pytest.raises(
        LabError, match=r"building host .* failed \(the disk of this machine's Docker is full: make room"
    ):
        _follow("host", said)


def test_a_kind_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(kinds.VARIABLE, "jails")
    with pytest.raises(LabError, match="called 'jails': choose kernels or containers"):
        kinds.choose(None)


def test_no_docker_is_one_sentence_and_nothing_is_made(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["lab", "up", "--backend", "containers"])
    assert result.exit_code == 1
    said = result.stderr.splitlines()[-1]
    assert said.startswith("there is no Docker on this machine") and "--backend kernels" in said
    assert lab.status() == []
    assert not (tmp_path / "cache").exists()


def test_a_context_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text('{"currentContext": "colima"}')
    with pytest.raises(LabNotPossible, match=r"^Docker's current context is not there: docker context use default$"):
        machine_engine()
    monkeypatch.setenv("DOCKER_CONTEXT", "rootless")
    with pytest.raises(LabNotPossible, match=r"^the context that DOCKER_CONTEXT names, rootless, .* or unset that$"):
        machine_engine()


def test_a_docker_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "deaf.sock"))
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/deaf.sock")
        with pytest.raises(LabNotPossible, match=r"this machine's Docker does not answer at .*deaf\.sock"):
            machine_engine()


def test_another_machines_docker_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "ssh://root@elsewhere")
    with pytest.raises(LabNotPossible, match="ssh://root@elsewhere here, and practice hosts must run on this machine"):
        machine_engine()


@pytest.mark.parametrize(
    ("version", "system", "reason"),
    [
        ("19.03.15", "linux", "is 19.03.15, practice hosts need 20.10 or newer"),
        ("28.2.2", "windows", "runs windows containers"),
        ("20.10.24+dfsg1", "linux", None),
        ("29.1.0", "linux", None),
        ("dev", "linux", None),
    ],
)
def test_an_engine_that_will_not_do(version: str, system: str, reason: str | None) -> None:
    said = unsuitable(version, system)
    assert (said is None) if reason is None else (reason in (said or ""))


def test_what_a_kernel_lacks_is_said_with_what_follows() -> None:
    machine = read_machine(f"{BOOT}{ALL}lab-init: lacks esp\nlab-init: lacks ipvs\n", "narrow")
    assert machine.lacks == ("esp", "ipvs")
    esp, ipvs = machine.sentences()
    assert "6.18.5, has no ESP, so no encrypted network" in esp
    assert "has no IPVS, so no virtual IPs and no routing mesh" in ipvs
    assert list(read_machine(f"{BOOT}{ALL}lab-init: has esp\nlab-init: has ipvs\n", "privileged").sentences()) == []


def test_a_kernel_that_cannot_carry_an_overlay_is_refused() -> None:
    with pytest.raises(LabNotPossible, match="gives containers no vxlan, so practice hosts cannot be containers"):
        read_machine(BOOT + ALL.replace("has vxlan", "lacks vxlan"), "privileged")


def test_a_look_that_saw_nothing_is_no_answer() -> None:
    with pytest.raises(LabError, match="could not be looked at"):
        read_machine("bash: bad interpreter\n", "privileged")


def test_less_than_privileged_is_asked_for_piece_by_piece() -> None:
    assert rights_of("privileged") == {"Privileged": True}
    narrow = rights_of("narrow")
    assert (narrow["CapAdd"], narrow["CapDrop"]) == (["ALL"], ["SYS_RESOURCE"])


def test_what_is_put_into_a_host_may_be_run() -> None:
    assert set(programs()) == {"usr/sbin/lab-init", "usr/sbin/poweroff"}
    assert all(path.stat().st_mode & 0o111 == 0o111 for path in programs().values())


def test_a_lab_keeps_its_kind_and_its_wire(tmp_path: Path) -> None:
    made = plan_lab(
        "x", tmp_path, tmp_path, hosts=2, managers=1, ports=range(1, 5), backend="containers", wire="10.77.4"
    )
    made.save()
    assert read_lab(tmp_path) == made
    assert [node.address for node in made.nodes] == ["10.77.4.11", "10.77.4.12"]


def test_a_lab_of_before_there_were_kinds_has_kernels(tmp_path: Path) -> None:
    plan_lab("x", tmp_path, tmp_path, hosts=1, managers=1, ports=(1, 2)).save()
    note = json.loads((tmp_path / "lab.json").read_text())
    del note["backend"]
    (tmp_path / "lab.json").write_text(json.dumps(note))
    read = read_lab(tmp_path)
    assert read and read.backend == "kernels"


@pytest.mark.parametrize("command", [None, "/usr/bin/docker"], ids=["docker is gone", "docker is off"])
def test_a_lab_outlives_a_docker_that_is_off_and_not_one_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str | None
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: command)
    folder = tmp_path / "state" / "overlaykit" / "labs" / "x"
    folder.mkdir(parents=True)
    plan_lab("x", folder, tmp_path, hosts=1, managers=1, ports=(1, 2), backend="containers", wire="10.77.4").save()
    said: list[str] = []
    if command:
        with pytest.raises(LabNotPossible, match="there is no Docker on this machine"):
            lab.down("x", observer=said.append)
    else:
        lab.down("x", observer=said.append)
        assert said[0].startswith("its hosts were containers, and are gone with what ran them: there is no Docker")
    assert folder.exists() is bool(command)


@pytest.mark.parametrize("note", ["{", '{"name": "x"}', "jails"])
def test_a_lab_whose_note_cannot_be_read_is_removed_and_what_was_not_seen_is_said(tmp_path: Path, note: str) -> None:
    """Nobody knows then whether its hosts are containers, and here there is no Docker to ask."""
    folder = tmp_path / "state" / "overlaykit" / "labs" / "x"
    folder.mkdir(parents=True)
    plan_lab("x", folder, tmp_path, hosts=1, managers=1, ports=(1, 2), backend=note).save()
    if note != "jails":
        (folder / "lab.json").write_text(note)
    said: list[str] = []
    lab.down("x", observer=said.append)
    assert not folder.exists()
    assert said[0].startswith("whether hosts of it are containers could not be seen: there is no Docker")


@pytest.mark.parametrize("config", ["0f0f.json", "blobs/sha256/0f0f"])
def test_an_image_is_known_by_its_configuration(tmp_path: Path, config: str) -> None:
    archive = tmp_path / "image.tar"
    content = json.dumps([{"Config": config}]).encode()
    with tarfile.open(archive, "w") as file:
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(content)
        file.addfile(entry, io.BytesIO(content))
    assert image_id(archive) == "sha256:0f0f"


@pytest.mark.parametrize(
    ("rule", "satisfied"),
    [
        ("node.labels.overlaykit.host==node1", True),
        ("node.labels.overlaykit.host == node2", False),
        ("node.labels.overlaykit.host!=node1", False),
        ("node.labels.overlaykit.host!=node2", True),
        ("node.role==manager", True),
    ],
)
def test_a_rule_of_placement(rule: str, satisfied: bool) -> None:
    assert satisfies("x1", {"overlaykit.host": "node1"}, [rule]) is satisfied


@pytest.mark.skipif(not (shutil.which("tar") and Path("/sys/class/net/lo").exists()), reason="needs tar and Linux")
def test_images_that_cannot_be_read_whole_are_not_taken_over(tmp_path: Path) -> None:
    """By a host's first process, of which this is one step with other folders."""
    script = (Path(lab.__file__).parent / "container" / "lab-init").read_text()
    step = re.search(r"^link_images\(\) \{.*?^\}", script, re.DOTALL | re.MULTILINE)
    assert step
    seed, engine = tmp_path / "seed", tmp_path / "engine"
    engine.mkdir()
    typed = f"{step[0].replace('/seed', str(seed)).replace('/var/lib/docker', str(engine))}\nlink_images"

    def status() -> int:
        return subprocess.run(["bash", "-c", typed], check=False, capture_output=True).returncode

    seed.symlink_to("/sys/class/net/lo/statistics")  # each file there ends before the size that it says
    assert status() != 0
    seed.unlink()
    (seed / "overlay2" / "one" / "diff").mkdir(parents=True)
    (seed / "repositories.json").write_text("{}")
    assert status() == 0
    assert (engine / "repositories.json").read_text() == "{}"
    assert (engine / "overlay2" / "one" / "diff").readlink() == seed / "overlay2" / "one" / "diff"
