"""What a machine lacks is said before anything starts, each in a sentence with what helps."""

from __future__ import annotations

import getpass
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from overlaykit.lab import boot, lab, limits, memory, preflight
from overlaykit.lab.layout import Lab, Node, plan_lab
from overlaykit.lab.memory import memory_folder, why_not
from overlaykit.making import buildah, needs
from overlaykit.words.errors import LabError, LabNotPossible


def test_memory_names_what_would_fit() -> None:
    sentence = preflight.missing_memory(10, available=2 * 2**30)
    assert sentence == ("10 practice hosts need 4.4 GB of memory and 2.0 GB are available: overlaykit lab up --hosts 4")
    assert preflight.missing_memory(3, available=2 * 2**30) is None


def test_memory_for_not_even_one() -> None:
    assert "end what else runs here" in (preflight.missing_memory(1, available=2**20) or "")


def test_ptrace_is_tried() -> None:
    assert preflight.forbidden_ptrace("raise SystemExit(0)") is None
    assert "may not use ptrace" in (preflight.forbidden_ptrace("raise SystemExit(1)") or "")


def test_a_container_may_leave_less_than_the_machine_has() -> None:
    left = 9 * 2**30 // 10
    assert preflight.beyond_limit(3, 0, left) == (
        "3 practice hosts need 1.3 GB of memory, and the limit of this container leaves 0.9 GB for them: give it 2 GB "
        "(docker run --memory 2g), or overlaykit lab up --hosts 2"
    )
    assert "3 practice hosts together need" in (preflight.beyond_limit(1, 2, left) or "")
    assert preflight.beyond_limit(3, 0, 2 * 2**30) is None
    assert preflight.beyond_limit(3, 0, None) is None


def group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_the_tightest_limit_around_us_counts(tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("0::/user/session\n")
    group(tmp_path / "user" / "session", memory__max="max\n", memory__stat="anon 7\nfile 500\n")
    group(tmp_path / "user", memory__max="1000\n", memory__stat="anon 100\nfile 700\n")
    assert limits.memory_left(tmp_path, tmp_path / "ours") == 900
    group(tmp_path / "user" / "session", memory__max="800\n")
    assert limits.memory_left(tmp_path, tmp_path / "ours") == 793


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    """And the first version says "no limit" by a number."""
    (tmp_path / "ours").write_text("9:name=systemd:/\n8:cpu,cpuacct:/docker/1f\n5:memory:/docker/1f\n0::/\n")
    stat = "cache 900\nrss 1\ntotal_rss 300\n"
    group(tmp_path / "memory", memory__limit_in_bytes="2147483648\n", memory__stat=stat)
    assert limits.memory_left(tmp_path, tmp_path / "ours") == 2**31 - 300
    group(tmp_path / "memory", memory__limit_in_bytes="9223372036854771712\n")
    assert limits.memory_left(tmp_path, tmp_path / "ours") is None


def test_no_control_groups_no_limit(tmp_path: Path) -> None:
    assert limits.memory_left(tmp_path, tmp_path / "ours") is None


@pytest.mark.parametrize("place", ["/", "/proc", "/sys", "/dev/shm", "/run"])
def test_what_a_mount_forbids_its_folders_forbid(place: str) -> None:
    mounts = dict(line.split()[1:4:2] for line in Path("/proc/self/mounts").read_text().splitlines())
    if place not in mounts:
        pytest.skip(f"{place} is no mount of its own here")
    forbidden = "noexec" in mounts[place].split(",")
    assert memory.forbids_programs(Path(place, "not", "yet")) is forbidden
    said = preflight.forbidden_programs(Path(place, "not", "yet"))
    assert ("mounted noexec" in (said or "")) is forbidden


def test_packages_come_as_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buildah, "PATH", "/nowhere")
    assert needs.missing_packages(as_root=True)[0].endswith("apt-get install buildah mmdebstrap e2fsprogs")
    assert needs.missing_packages(as_root=False)[0].endswith(
        "sudo apt-get install buildah mmdebstrap e2fsprogs uidmap fuse-overlayfs"
    )


def test_an_ordinary_user_needs_ids(tmp_path: Path) -> None:
    table = tmp_path / "subuid"
    table.write_text("somebody-else:100000:65536\n")
    assert needs.missing_ids(as_root=True, table=table) == []
    assert "sudo usermod --add-subuids" in needs.missing_ids(as_root=False, table=table)[0]
    table.write_text(f"{getpass.getuser()}:100000:65536\n")
    assert needs.missing_ids(as_root=False, table=table) == []


def test_space_is_looked_for_where_the_folder_will_be(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    assert needs.missing_space(folder, 1, "building") == []
    assert needs.missing_space(folder, 10**18, "building")[0].startswith(f"building needs 1000000000.0 GB in {folder}")


def test_another_kind_of_machine_is_told_what_it_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert "servers of your own" in (needs.unsuitable_machine() or "")


def test_a_folder_for_memory_is_tried(tmp_path: Path) -> None:
    assert why_not(tmp_path, 1) is None
    assert why_not(tmp_path, 10**9) == "has less than 1000000000 MB free"
    assert why_not(Path("/nowhere"), 1) == "No such file or directory"


def test_no_folder_for_memory_names_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/nowhere")
    with pytest.raises(LabNotPossible, match=r"/dev/shm has less .* /nowhere No such file"):
        memory_folder(10**9)


def test_a_folder_too_deep_for_sockets() -> None:
    assert preflight.too_long(Path("/home/learner/.local/state/overlaykit/labs/default")) is None
    assert "5 characters too long" in (preflight.too_long(Path("/" + "x" * 98)) or "")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "overlaykit" / "labs"


@pytest.mark.parametrize("name", ["", "Lab", "../x", "a b", "-x", "x" * 32])
def test_what_cannot_name_a_lab(home: Path, name: str) -> None:
    with pytest.raises(LabError, match="cannot name a lab"):
        lab.status(name)


def test_no_lab_is_said_with_what_makes_one(home: Path) -> None:
    assert lab.status("x") == []
    with pytest.raises(LabError, match="there is no lab x: `overlaykit lab up --name x` makes one"):
        lab.logs("x", "node1")


def test_down_of_nothing_leaves_nothing(home: Path) -> None:
    lab.down("x")
    assert not home.exists()


def test_what_is_refused_leaves_nothing(home: Path) -> None:
    with pytest.raises(LabError, match="a lab has 1 to"):
        lab.up("x", 0)
    with pytest.raises(LabError, match="there is no lab x"):
        lab.power("x", "node1", on=False)
    assert not home.exists()


def test_a_lab_does_not_grow(home: Path, tmp_path: Path) -> None:
    (home / "x").mkdir(parents=True)
    plan_lab("x", home / "x", tmp_path, hosts=3, managers=1, ports=range(1, 7)).save()
    with pytest.raises(LabError, match="lab x has 3 hosts, not 5: remove it first"):
        lab.up("x", 5)


def test_a_lab_whose_build_is_gone(home: Path, tmp_path: Path) -> None:
    (home / "x").mkdir(parents=True)
    plan_lab("x", home / "x", tmp_path / "gone", hosts=1, managers=1, ports=(1, 2)).save()
    with pytest.raises(LabError, match=r"is gone from .*gone: remove it with `overlaykit lab down --name x`"):
        lab.up("x")


def test_half_a_lab_is_removed(home: Path) -> None:
    (home / "x" / "node1").mkdir(parents=True)
    (home / "x" / "key").write_text("half")
    lab.down("x")
    assert not home.exists()


def unheard(_: str) -> None: ...


class Dead:
    """A back end whose hosts end as they are told."""

    def __init__(self, console: str, running: bool) -> None:
        self.said, self.runs = console, running

    def console(self, lab: Lab, node: Node) -> str:
        return self.said

    def running(self, lab: Lab) -> list[str]:
        return [node.name for node in lab.nodes] if self.runs else []

    def power_on(self, lab: Lab, node: Node) -> None: ...
    def power_off(self, lab: Lab, node: Node) -> None: ...
    def wipe(self, lab: Lab, node: Node) -> None: ...
    def connect(self, lab: Lab) -> None: ...
    def remove(self, lab: Lab) -> None: ...


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Lab]:
    yield plan_lab("x", tmp_path, tmp_path, hosts=1, managers=1, ports=(1, 2))


@pytest.mark.parametrize(
    ("console", "running", "reason"),
    [
        (
            "Linux version 6\nKernel panic - not syncing: no root\n",
            True,
            "node1 panicked (no root); its console ends with:",
        ),
        ("Linux version 6\nabort\n", False, "node1 went off while it was starting"),
        ("Linux version 6\nthinking\n", True, "node1 did not finish starting in time"),
        ("lab-init: the engine has a socket\nLinux version 6\nagain\n", True, "node1 did not finish starting in time"),
    ],
)
def test_a_host_that_does_not_come_up_is_named_with_its_last_words(
    one: Lab, console: str, running: bool, reason: str
) -> None:
    with pytest.raises(LabError) as caught:
        boot.wait_until_up(one, one.nodes, Dead(console, running), observer=unheard, seconds=1.2)
    assert reason in str(caught.value)
    assert f"    {console.splitlines()[-1]}" in str(caught.value)
