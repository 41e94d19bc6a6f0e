"""The lab itself: idempotent, apart from other labs, and gone when it is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from practice_hosts import kernels_alone

from overlaykit.lab import lab as practice
from overlaykit.lab import processes
from overlaykit.lab.boot import wait_until_up
from overlaykit.lab.build import LabBuild, build
from overlaykit.lab.files import make_files
from overlaykit.lab.kernels import Kernels
from overlaykit.lab.layout import Lab, plan_lab
from overlaykit.lab.ports import choose_ports, is_free
from overlaykit.words.errors import LabError

MARK = "/root/kept"


def unheard(_: str) -> None: ...


@pytest.fixture(scope="module")
def one() -> Iterator[Lab]:
    """A lab of one host, of this file's own."""
    name = f"alone-{os.getpid()}"
    try:
        yield practice.up(name, hosts=1)
    finally:
        practice.down(name)


def run(lab: Lab, command: str) -> str:
    """Run a command on its host, as `overlaykit lab ssh node1 COMMAND` does."""
    typed = practice.ssh_command(lab.name, "node1", command)
    done = subprocess.run(typed, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def ids(lab: Lab) -> set[int]:
    return {process.pid for process in processes.find(lab.folder)}


def leaders(lab: Lab) -> set[int]:
    """Its kernels and its wire themselves: what they start for their guests comes and goes, also while this looks."""
    return {pid for pid in ids(lab) if session(pid) == pid}


def session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


@kernels_alone
def test_up_again_leaves_running_what_runs(one: Lab) -> None:
    before = leaders(one)
    assert practice.up(one.name) == one
    assert before == leaders(one)


@kernels_alone
def test_up_again_completes_what_was_lost(one: Lab) -> None:
    processes.end(one.folder)
    practice.up(one.name)
    assert run(one, "hostname") == "node1"


def test_a_host_is_a_machine_of_its_own(one: Lab) -> None:
    assert run(one, "docker info --format '{{.Driver}} {{.Swarm.LocalNodeState}}'") == "overlay2 inactive"
    assert abs(int(run(one, "date +%s")) - time.time()) < 3
    assert "default" not in run(one, "ip route")
    images = {image.reference for image in LabBuild(one.build).images}
    assert set(run(one, "docker images --format '{{.Repository}}:{{.Tag}}'").split()) == images


@kernels_alone
def test_a_container_is_started_without_starting_the_engine_once_more(one: Lab) -> None:
    """By images/host/lab-run.c; a container keeps its network, and a word of its own that looks like the engine."""
    image = next(image.reference for image in LabBuild(one.build).images if "backend" in image.reference)
    container = run(one, f"docker run --detach {image} sh -c 'sleep 300; exit' /proc/100/exe")
    hook = "grep -o '\"prestart\":.*libnetwork-setkey' /run/containerd/io.containerd.runtime.v2.task/moby/*/config.json"
    try:
        assert '"path":"/sbin/lab-run"' in run(one, hook)
        assert run(one, "lab-run --version") == run(one, "crun --version")
        assert run(one, f"docker exec {container} hostname --ip-address").startswith("172.")
        assert run(one, f"docker exec {container} cat /proc/1/cmdline | tr '\\0' ' '").endswith(" /proc/100/exe")
    finally:
        run(one, f"docker rm --force {container}")


@kernels_alone
def test_a_host_whose_timer_got_lost_has_one_set(one: Lab) -> None:
    """What its kernel asks before it sleeps sets a timer where none is, else nothing would ever wake it."""
    (kernel,) = leaders(one) & {process.pid for process in processes.find(one.folder, "node1")}
    assert "libheartbeat.so" in Path(f"/proc/{kernel}/maps").read_text()
    program = f"""
import ctypes, signal
beat, system = ctypes.CDLL({str(one.folder / "kernel/lib/libheartbeat.so")!r}), ctypes.CDLL(None)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
timer, left = ctypes.c_void_p(), (ctypes.c_long * 4)()
assert system.timer_create(0, None, ctypes.byref(timer)) == 0
assert system.timer_gettime(timer, left) == 0 and not any(left), "a new timer is set already"
assert beat.timer_gettime(timer, left) == 0 and not any(left), "it says that one was set"
assert signal.sigtimedwait([signal.SIGALRM], 5), "no signal comes"
left[2] = 60
assert system.timer_settime(timer, 0, left, None) == 0
assert beat.timer_gettime(timer, left) == 0 and left[2] > 50, "one that is set is set anew"
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_pulling_the_plug_keeps_the_disk(one: Lab) -> None:
    run(one, f"date > {MARK} && docker volume create data && sync")
    practice.power(one.name, "node1", on=False)
    assert [node.running for node in practice.status(one.name)] == [False]
    practice.power(one.name, "node1", on=True)
    assert run(one, f"test -s {MARK} && docker volume ls -q") == "data"


@kernels_alone
def test_reboot_from_within_comes_back(one: Lab) -> None:
    before = run(one, "cat /proc/sys/kernel/random/boot_id")
    run(one, "reboot")
    deadline = time.monotonic() + 60
    while practice.logs(one.name, "node1").count("Linux version") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    practice.power(one.name, "node1", on=True)
    assert run(one, "cat /proc/sys/kernel/random/boot_id") != before


def test_reset_gives_a_fresh_disk(one: Lab) -> None:
    run(one, f"date > {MARK} && sync")
    practice.reset(one.name, "node1")
    assert run(one, f"test -e {MARK} || echo gone") == "gone"


def test_two_labs_are_apart_and_down_leaves_nothing(one: Lab) -> None:
    name = f"beside-{os.getpid()}"
    try:
        other = practice.up(name, hosts=1)
        ports = {port for node in (*one.nodes, *other.nodes) for port in (node.ssh_port, node.web_port)}
        assert len(ports) == 4
        assert run(one, "cat /etc/ssh/ssh_host_ed25519_key.pub") != run(other, "cat /etc/ssh/ssh_host_ed25519_key.pub")
    finally:
        practice.down(name)
    assert processes.find(other.folder) == []
    assert not other.folder.exists()
    assert all(is_free(port) for node in other.nodes for port in (node.ssh_port, node.web_port))
    assert run(one, "hostname") == "node1"


@kernels_alone
def test_a_port_that_was_taken_meanwhile_is_named(one: Lab) -> None:
    """A lab that was switched off, and found its port taken."""
    processes.end(one.folder)
    port = one.nodes[0].web_port
    with subprocess.Popen(["python3", "-m", "http.server", "--bind", "127.0.0.1", str(port)], stderr=-3) as stranger:
        deadline = time.monotonic() + 10
        while is_free(port):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with pytest.raises(LabError, match=f"port {port} on 127.0.0.1, the way to node1 .* is taken by another"):
            practice.up(one.name)
        stranger.kill()
    practice.up(one.name)


@kernels_alone
def test_a_host_that_cannot_boot_is_named_with_its_last_words(tmp_path: Path) -> None:
    broken = tmp_path / "build"
    broken.mkdir()
    (broken / "kernel").symlink_to(build(unheard).path / "kernel")
    (broken / "disk.img").write_bytes(bytes(2**20))
    folder = tmp_path / "lab"
    folder.mkdir()
    lab = plan_lab("broken", folder, broken, hosts=1, managers=1, ports=choose_ports(1, set()))
    make_files(lab)
    kernels = Kernels()
    try:
        kernels.connect(lab)
        kernels.power_on(lab, lab.nodes[0])
        with pytest.raises(LabError, match=r"node1 (panicked|went off).*; its console ends with:\n    "):
            wait_until_up(lab, lab.nodes, kernels, unheard)
    finally:
        kernels.remove(lab)
    assert processes.find(folder) == []
