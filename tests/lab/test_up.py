"""One stack on three real hosts, from bare engines and back. The tests stand in the order of its life."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from guestbook import NotYet, eventually, read_back, write
from practice_hosts import Typed, kernels_alone

from overlaykit import Stack
from overlaykit.kit import Hosts
from overlaykit.lab import lab as practice
from overlaykit.lab import processes
from overlaykit.words.errors import PlanRefused
from overlaykit.words.plan import ApplyFailed

STACK = Stack()
LISTED = "iptables -w -vxnL OUTPUT"


def put_right(hosts: Hosts, stack: Stack) -> list[str]:
    """Apply every phase; the commands that changed something."""
    done: list[str] = []
    for phase in hosts.phases(stack):
        plan = phase.plan()
        phase.apply(plan=plan)
        done += plan.commands
    return [command for command in done if "docker service ps" not in command]


def proven(hosts: Hosts, stack: Stack) -> None:
    """Names resolve and tiers answer, or the test ends with what was seen instead."""
    findings = hosts.discovery(stack).prove()
    assert findings.ok, findings.details()


@pytest.fixture(scope="module")
def up(lab_hosts: Hosts) -> Hosts:
    """The hosts with the stack deployed."""
    put_right(lab_hosts, STACK)
    return lab_hosts


def test_every_phase_is_proven(up: Hosts) -> None:
    for phase in (*up.phases(STACK), up.discovery(STACK)):
        findings = phase.prove()
        assert len(findings) > 0
        assert findings.ok, findings


def test_a_look_at_the_engines_sees_what_a_whole_look_sees(up: Hosts) -> None:
    whole = up.look()
    again = up.look_at_engines()
    assert again.hosts == whole.hosts
    assert again.swarm is not None
    assert whole.swarm is not None
    assert again.swarm.nodes == whole.swarm.nodes


def test_the_tiers_are_on_three_hosts(up: Hosts) -> None:
    swarm = up.look().swarm
    assert swarm
    assert len({task.host for tier in ("database", "backend", "frontend") for task in swarm.running(tier)}) == 3


@pytest.mark.usefixtures("up")
def test_check_says_so_to_people_and_to_machines(overlaykit: Typed) -> None:
    assert overlaykit("check").returncode == 0
    envelope = json.loads(overlaykit("check", "--json").stdout)
    assert envelope["ok"]
    assert {host["name"] for host in envelope["hosts"]} == {"node1", "node2", "node3"}


def test_forty_guests_at_once_are_all_answered(up: Hosts) -> None:
    """A wire that drops a frame for want of room leaves one of them without an answer."""

    def visit(number: int) -> float:
        door = f"http://{up.inventory.hosts[number % len(up)].published}/healthz"
        answer = requests.get(door, timeout=20)
        answer.raise_for_status()
        return answer.elapsed.total_seconds()

    with ThreadPoolExecutor(40) as guests:
        slowest = max(guests.map(visit, range(2000)))
    assert slowest < 5


@kernels_alone
def test_a_host_that_hangs_does_not_hold_up_the_others(up: Hosts, lab_name: str) -> None:
    """A wire that waits for it with each frame would bring nobody an answer."""
    swarm = up.look().swarm
    assert swarm
    served_by = swarm.running("frontend")[0].host
    hangs = next(host.name for host in up.inventory.workers if host.name != served_by)
    lab = practice.find_lab(lab_name)
    assert lab
    # The kernel alone, which traces the others: those would not bear it.
    kernel = min(processes.find(lab.folder, hangs), key=lambda process: process.create_time())
    try:
        kernel.suspend()
        door = f"http://{up[served_by].host.published}/healthz"
        with ThreadPoolExecutor(10) as guests:
            answers = list(guests.map(lambda _: requests.get(door, timeout=20), range(300)))
    finally:
        kernel.resume()
    assert all(answer.ok for answer in answers)
    assert max(answer.elapsed.total_seconds() for answer in answers) < 2


@pytest.mark.usefixtures("up")
def test_a_second_up_writes_nothing(writing_calls: tuple[Hosts, list[str]]) -> None:
    hosts, calls = writing_calls
    assert put_right(hosts, STACK) == []
    assert calls == []


@pytest.mark.usefixtures("up")
def test_plan_of_what_is_true_is_empty_and_of_a_change_is_pending(overlaykit: Typed) -> None:
    assert overlaykit("plan").returncode == 0
    pending = overlaykit("plan", "--set", "backend.replicas=2")
    assert pending.returncode == 3
    assert "docker service update" in pending.stdout


def test_more_replicas_change_that_service_alone(up: Hosts) -> None:
    more = STACK.set("backend.replicas", 3)
    done = put_right(up, more)
    assert len(done) == 1
    assert "docker service update" in done[0]
    assert done[0].endswith(" backend")
    proven(up, more)
    put_right(up, STACK)


def test_what_changes_in_place_is_so_when_up_ends(up: Hosts) -> None:
    """A published port, a setting and a limit: none of the tasks of before is taken for a new one."""
    changed = STACK.set("frontend.published_port", 8080).set("backend.environment", ["RELEASE=2"])
    changed = changed.set("backend.memory", "256M")
    done = put_right(up, changed)
    assert [command.split()[-1] for command in done] == ["backend", "frontend"]
    proven(up, changed)
    knock = "bash -c '</dev/tcp/127.0.0.1/80' 2>/dev/null && echo open || echo shut"
    assert {host.run(knock).stdout for host in up} == {"shut\n"}
    put_right(up, STACK)
    proven(up, STACK)


def test_a_service_removed_by_hand_comes_back(up: Hosts) -> None:
    up["node1"].docker.services.get("backend").remove()
    done = put_right(up, STACK)
    assert len(done) == 1
    assert "docker service create --name backend" in done[0]
    proven(up, STACK)


def test_a_task_that_fails_is_named(up: Hosts) -> None:
    """The service is made anew each time: an engine's manager can lock itself up for good when a service is
    updated just as one of its failed tasks is started again (two of swarmkit's goroutines wait for each other)."""
    broken = STACK.set("backend.image", "nowhere.invalid/backend:1")
    services = up["node1"].docker.services
    services.get("backend").remove()
    with pytest.raises(ApplyFailed, match=r"backend\.\d.*nowhere\.invalid/backend:1"):
        put_right(up, broken)
    services.get("backend").remove()
    put_right(up, STACK)
    proven(up, STACK)


def test_an_update_to_an_image_that_is_nowhere_says_the_way_back(up: Hosts) -> None:
    with pytest.raises(ApplyFailed, match=r"nowhere\.invalid/frontend:1.*what frontend was before comes back"):
        put_right(up, STACK.set("frontend.image", "nowhere.invalid/frontend:1"))
    up["node1"].docker.services.get("frontend").remove()
    put_right(up, STACK)


def test_a_wrong_password_is_refused(up: Hosts) -> None:
    swarm = up.look().swarm
    assert swarm
    (task,) = swarm.running("backend")
    container = up[task.host].docker.containers.get(task.container)
    wrong = "MongoClient('database', username='guestbook', password='wrong', authSource='admin', "
    program = f"from pymongo import MongoClient; {wrong}directConnection=True).guestbook.entries.find_one()"
    status, output = container.exec_run(["python3", "-c", program])
    assert status == 1
    assert b"Authentication failed" in output


def test_a_write_survives_the_database_hosts_reboot(up: Hosts, lab_name: str) -> None:
    swarm = up.look().swarm
    assert swarm
    (task,) = swarm.running("database")
    others = [host for host in up.inventory if host.name != task.host]
    receipt = write(others[0], "before the plug was pulled")
    practice.power(lab_name, task.host, on=False)
    try:
        given_up(up, task.host)
    finally:
        practice.power(lab_name, task.host, on=True)
    read_back(others[1], receipt)


@eventually
def given_up(hosts: Hosts, name: str) -> None:
    """A node that registers just as its manager gives it up may stay down for good: a fault of the engine's."""
    swarm = hosts.look().swarm
    if swarm is None or [node.state for node in swarm.nodes if node.host == name] != ["down"]:
        raise NotYet(f"the manager has not given {name} up")


@pytest.mark.usefixtures("esp")
def test_encryption_is_refused_in_place_and_done_on_request(up: Hosts) -> None:
    encrypted = STACK.set("network.encrypted", True)
    with pytest.raises(PlanRefused, match="--recreate"):
        up.network(encrypted).plan()
    for phase in up.phases(encrypted):
        phase.apply(recreate=True)
    findings = up.discovery(encrypted).prove()
    assert findings.ok, findings


@pytest.mark.usefixtures("esp")
def test_an_encrypted_network_carries_esp_and_nothing_in_the_clear(up: Hosts) -> None:
    """The counters of rules see every packet that leaves a host. The routing mesh's own network is never encrypted,
    so what is looked for in the clear is what belongs to ours, by its VXLAN number."""
    options = up["node1"].docker.networks.get("guestbook").attrs["Options"]
    number = int(options["com.docker.network.driver.overlay.vxlanid_list"])
    ours = f'-m u32 --u32 "0>>22&0x3C@12&0xFFFFFF00={number << 8}"'
    rules = ["-p esp", f"-p udp --dport 4789 {ours} -m policy --dir out --pol none"]
    for host in up:
        host.run("; ".join(f"iptables -w -I OUTPUT {rule}" for rule in rules), check=True)
    findings = up.discovery(STACK.set("network.encrypted", True)).prove()
    assert findings.ok, findings
    for host in up:
        clear, esp = [int(line.split()[0]) for line in host.run(LISTED, check=True).stdout.splitlines()[2:4]]
        host.run("; ".join(f"iptables -w -D OUTPUT {rule}" for rule in rules), check=True)
        assert esp > 0
        assert clear == 0


def test_down_leaves_nothing(up: Hosts) -> None:
    down = up.down(STACK, volumes=True)
    down.apply()
    findings = down.prove()
    assert findings.ok, findings
    for host in up:
        assert host.docker.info()["Swarm"]["LocalNodeState"] == "inactive"
        assert host.docker.networks.list(filters={"driver": "overlay"}) == []
        assert host.docker.volumes.list() == []
        no_containers(host.docker.containers)


@eventually
def no_containers(containers: object) -> None:
    """The engine removes what a task leaves a moment after the task."""
    left = containers.list(all=True)  # type: ignore[attr-defined]
    if left:
        raise NotYet(f"containers are left: {[one.name for one in left]}")
