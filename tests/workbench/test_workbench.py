"""The workbench in containers that may do next to nothing; and what it says where they may not do even that.

It takes a Docker Engine, such as tests/lab/own_docker.py gives, and the archive that `make workbench` has made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from containers import HOME, ROOT, STRICT, SWARM, Container, docker, ended, load, running, volume
from make_workbench import REFERENCE
from practice_hosts import LOGS

pytestmark = pytest.mark.timeout(1800)

LESSONS = sorted(path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
#: What pytest reads of this repository to run the lessons as `make test` does.
KIT = ("pyproject.toml", "notebooks", "tests/lab")
TESTED = f"{HOME}/tested"
#: What a container has had at most, by either version of cgroups.
PEAK = ("/sys/fs/cgroup/memory.peak", "/sys/fs/cgroup/memory/memory.max_usage_in_bytes")


@pytest.fixture(scope="module", autouse=True)
def _image() -> None:
    load()


@pytest.fixture(scope="module")
def strict() -> Iterator[Container]:
    """One with one volume; the lessons' tests are mounted into it, for it has no network to fetch them by."""
    mounts = [word for name in KIT for word in ("--volume", f"{ROOT / name}:/kit/{name}:ro")]
    with volume() as home, running(*STRICT, *mounts, "--volume", f"{home}:{HOME}") as container:
        yield container


@pytest.mark.proof
def test_three_hosts_have_formed_a_swarm(strict: Container) -> None:
    assert strict.to_swarm, f"nobody said that the swarm is proven:\n{strict.logs()}"
    note("seconds from docker run to a swarm of three", strict.to_swarm)
    note("seconds from docker run until JupyterLab answers", strict.seconds)
    seen = json.loads(strict.run("overlaykit", "lab", "status", "--json"))
    assert [host["running"] for host in seen["hosts"]] == [True, True, True]
    nodes = strict.run("overlaykit", "lab", "ssh", "node1", "docker", "node", "ls", "--format", "{{.Status}}")
    assert nodes.split() == ["Ready"] * 3


@pytest.mark.proof
def test_nothing_is_permitted_that_need_not_be(strict: Container) -> None:
    """So that the proof is not one of a container that was let do more than was thought."""
    status = dict(line.split(":\t") for line in strict.run("cat", "/proc/self/status").splitlines() if ":\t" in line)
    assert {status[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
    assert (status["Uid"].split()[0], status["NoNewPrivs"], status["Seccomp"]) == ("1000", "1", "2")
    assert docker("exec", strict.name, "touch", "/usr/x", check=False).returncode != 0
    assert strict.run("ls", "/sys/class/net").split() == ["lo"]


@pytest.mark.proof
def test_the_stack_is_proven(strict: Container) -> None:
    strict.run("overlaykit", "up", "--inventory", "lab")
    strict.run("overlaykit", "check", "--inventory", "lab")


def test_lessons_are_trusted_and_the_learners(strict: Container) -> None:
    lessons = strict.run("ls", f"{HOME}/notebooks").split()
    assert [name for name in lessons if name.endswith(".ipynb")] == LESSONS
    said = strict.run("sh", "-c", f"cp -R {HOME}/notebooks /home/jovyan/.copy && jupyter trust {HOME}/.copy/*.ipynb")
    assert said.count("already") == len(LESSONS)


def test_the_guest_book_comes_through_the_one_port() -> None:
    """With Docker's ordinary settings and nothing more, seen from outside the container."""
    with running("--publish", "127.0.0.1:0:8888") as container:
        container.run("overlaykit", "up", "--inventory", "lab")
        door = f"127.0.0.1:{container.door()}"
        opened = requests.Session()
        first = opened.get(f"http://{door}/", params={"token": container.token()}, timeout=30)
        assert first.ok and first.url.partition("?")[0].endswith("/lab/tree/notebooks/00_start.ipynb"), first.url
        for node in json.loads(container.run("overlaykit", "lab", "status", "--json"))["hosts"]:
            port = node["published"].rpartition(":")[2]
            book = f"http://{door}/proxy/{port}/"
            assert "guestbook.js" in opened.get(book, timeout=30).text
            entry = {"name": "Ada", "message": f"through {node['name']}"}
            token = {"X-XSRFToken": opened.cookies.get("_xsrf", "")}
            assert opened.post(f"{book}api/entries", json=entry, headers=token, timeout=30).status_code == 201
            path = opened.get(f"{book}api/path", timeout=30).json()["path"]
            assert {tier["host"] for tier in path.values()} == {"node1", "node2", "node3"}


def test_hosts_outlive_their_container() -> None:
    """In a volume that is kept: their disks, and the learner's lessons."""
    with volume() as home:
        where = ("--volume", f"{home}:{HOME}")
        with running(*STRICT, *where) as container:
            container.run("sh", "-c", "echo mine >> notebooks/README.md")
            before = container.run("overlaykit", "lab", "ssh", "node1", "docker", "node", "ls", "-q")
        with running(*STRICT, *where) as again:
            assert again.run("tail", "-n", "1", "notebooks/README.md") == "mine\n"
            assert again.run("overlaykit", "lab", "ssh", "node1", "docker", "node", "ls", "-q") == before


def test_a_first_start_that_was_cut_short_is_made_up_for() -> None:
    """Killed once a host answers, when no swarm is formed yet: the next start on the same volume forms it."""
    with volume() as home:
        where = ("--volume", f"{home}:{HOME}")
        with running(*STRICT, *where, until="node1 answers") as container:
            docker("kill", container.name)
            assert SWARM not in container.logs()
        with running(*STRICT, *where) as again:
            nodes = again.run("overlaykit", "lab", "ssh", "node1", "docker", "node", "ls", "--format", "{{.Status}}")
            assert nodes.split() == ["Ready"] * 3


def test_too_little_memory_is_said_and_nothing_is_half_made() -> None:
    with volume() as home:
        where = ("--volume", f"{home}:{HOME}")
        done = ended("--memory", "1g", *where, REFERENCE)
        assert done.returncode == 1
        assert "3 practice hosts need 1.3 GB of memory, and the limit of this container leaves" in done.stderr
        assert "docker run --memory 2g" in done.stderr
        left = ended(*where, "--entrypoint", "find", REFERENCE, HOME, "-path", "*overlaykit*")
        assert left.returncode == 0, left.stderr
        assert not [line for line in left.stdout.split() if "node" in line or "builds" in line], left.stdout


def test_a_folder_that_holds_no_programs_is_said() -> None:
    done = ended("--read-only", "--tmpfs", f"{HOME}:uid=1000,gid=100,mode=700,noexec", REFERENCE)
    assert done.returncode == 1
    assert "may not hold programs that run (it is mounted noexec)" in done.stderr
    assert "ask whoever runs it for a volume without noexec" in done.stderr


def test_a_profile_without_ptrace_is_said(tmp_path: Path) -> None:
    denied = {"names": ["ptrace"], "action": "SCMP_ACT_ERRNO"}
    (tmp_path / "profile.json").write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [denied]}))
    done = ended("--security-opt", f"seccomp={tmp_path / 'profile.json'}", REFERENCE)
    assert done.returncode == 1
    assert "may not use ptrace" in done.stderr
    assert "ask whoever runs it for a seccomp profile that allows ptrace" in done.stderr


def test_a_home_that_cannot_be_written_is_said() -> None:
    done = ended("--read-only", REFERENCE, "true")
    assert done.returncode == 1
    assert f"{HOME} cannot be written: give the workbench a volume there" in done.stderr


def test_another_command_starts_no_hosts() -> None:
    done = ended(REFERENCE, "overlaykit", "--version")
    assert (done.returncode, "node1" in done.stdout) == (0, False)


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_lesson_shows_what_is_saved(strict: Container, lesson: str) -> None:
    strict.run("sh", "-c", f"[ -d {TESTED} ] || cp -R /kit {TESTED}")
    python = ("python", "-m", "pytest", "--nbval", f"notebooks/{lesson}")
    done = docker("exec", "--workdir", TESTED, strict.name, *python, check=False, seconds=600)
    assert done.returncode == 0, done.stdout[-5000:]
    note(f"seconds for {lesson}", float(done.stdout.rpartition(" in ")[2].split("s")[0]))


def test_memory_was_enough_for_all_lessons(strict: Container) -> None:
    """After them: nothing was killed. The peak has the hosts' disks in it, as far as they were kept at hand."""
    told = strict.run("sh", "-c", f"cat {' '.join(PEAK)} 2>/dev/null || true").split()
    note("MB of memory at most, with what a disk can take back", int(told[0]) / 1e6)
    killed = json.loads(docker("inspect", strict.name).stdout)[0]["State"]["OOMKilled"]
    assert killed is False


def note(what: str, figure: float) -> None:
    """Figures are kept, not held to anything: how busy the machine is, a test cannot know."""
    file = LOGS / "workbench.json"
    file.parent.mkdir(exist_ok=True)
    before = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(before | {what: round(figure, 1)}, indent=1) + "\n")
