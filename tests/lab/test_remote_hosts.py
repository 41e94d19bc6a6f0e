"""The connection on real hosts: what streams, what a login may not, jump hosts, and a host that is switched off."""

from __future__ import annotations

import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container

from overlaykit.inventories import find_inventory
from overlaykit.lab import lab as practice
from overlaykit.remote.engine import docker_client
from overlaykit.remote.fleet import Fleet
from overlaykit.remote.ssh.connect import connect_host
from overlaykit.words.errors import EngineForbidden, HostError, HostKeyUnknown
from overlaykit.words.host import Become, Host, Inventory
from overlaykit.words.secret import Secret

PASSWORD = Secret("only for the practice hosts")
COUNTS = "echo start; for i in 1 2 3; do sleep 0.2; echo line $i; done; sleep 600"


@pytest.fixture(scope="module")
def inventory(lab_name: str) -> Inventory:
    return find_inventory(f"lab:{lab_name}")


@pytest.fixture(scope="module")
def fleet(inventory: Inventory) -> Iterator[Fleet]:
    with Fleet.open(inventory) as fleet:
        assert not fleet.unreachable
        yield fleet


@pytest.fixture(scope="module")
def container(fleet: Fleet) -> Iterator[Container]:
    docker = fleet["node1"].docker
    image = docker.images.list()[0]
    container = docker.containers.run(image, ["sh", "-c", COUNTS], entrypoint="", network_mode="none", detach=True)
    yield container
    container.remove(force=True)


def test_logs_are_followed_while_they_are_written(container: Container) -> None:
    lines = container.logs(stream=True, follow=True)
    assert [next(lines) for _ in range(4)] == [b"start\n", b"line 1\n", b"line 2\n", b"line 3\n"]
    lines.close()


def test_exec_tells_its_outputs_apart_and_its_status(container: Container) -> None:
    done = container.exec_run(["sh", "-c", "echo out; echo err >&2; exit 4"], demux=True)
    assert done.exit_code == 4
    assert list(done.output) == [b"out\n", b"err\n"]
    assert list(container.exec_run(["sh", "-c", "echo a; sleep 0.2; echo b"], stream=True).output) == [b"a\n", b"b\n"]
    assert container.exec_run("echo tty", tty=True).output == b"tty\r\n"


def test_exec_with_a_socket_speaks_both_ways(container: Container) -> None:
    sock: Any = container.exec_run("cat", stdin=True, tty=False, socket=True).output
    sock._sock.sendall(b"ping\n")
    assert sock._sock.recv(100).endswith(b"ping\n")
    sock._sock.shutdown(socket.SHUT_WR)
    assert sock.read(100) == b""
    sock.close()


def test_attach_repeats_what_was_said(container: Container) -> None:
    assert next(iter(container.attach(logs=True, stream=True))) == b"start\n"


def test_files_go_into_a_container_and_out_of_it(container: Container) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo("there")
        member.size = 300_000
        tar.addfile(member, io.BytesIO(b"x" * 300_000))
    assert container.put_archive("/tmp", packed.getvalue())
    pieces, about = container.get_archive("/tmp/there")
    assert about is not None
    assert about["size"] == 300_000
    assert sum(map(len, pieces)) > 300_000


def test_events_arrive_and_can_be_cancelled(fleet: Fleet) -> None:
    docker = fleet["node1"].docker
    events = docker.events(decode=True, filters={"type": "volume"})
    threading.Timer(0.2, lambda: docker.volumes.create("seen").remove()).start()
    assert next(events)["Action"] == "create"
    threading.Timer(0.2, events.close).start()
    assert all(event["Action"] == "destroy" for event in events)


def test_thirty_at_once(fleet: Fleet) -> None:
    with ThreadPoolExecutor(30) as pool:
        assert all(pool.map(lambda _: fleet["node1"].docker.ping(), range(90)))


@pytest.fixture(scope="module")
def strict(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, Path]]:
    """node2 through node1 as jump host: a second sshd there that forbids channels to sockets; a login with sudo."""
    folder = tmp_path_factory.mktemp("strict")
    first, second = fleet["node1"].host, fleet["node2"]
    second.run(["/usr/sbin/sshd", "-p", "2222", "-o", "AllowStreamLocalForwarding=no", "-o", "PidFile=/run/two.pid"])
    second.run("useradd -m -s /bin/sh learner && install -d -o learner ~learner/.ssh", check=True)
    second.run("install -o learner -m 600 ~/.ssh/authorized_keys ~learner/.ssh/authorized_keys", check=True)
    second.run("chpasswd", input=f"learner:{PASSWORD.reveal()}".encode(), check=True)
    second.run("cat > /etc/sudoers.d/learner && chmod 440 /etc/sudoers.d/learner", input=b"learner ALL=(ALL) ALL\n")
    key = second.run("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub").stdout.strip()
    (folder / "known_hosts").write_text(f"[{second.host.advertise_addr}]:2222 {key}\n")
    (folder / "config").write_text(
        f"Host jump\n HostName {first.address}\n Port {first.port}\n User {first.user}\n"
        f" IdentityFile {first.key_file}\n UserKnownHostsFile {first.known_hosts}\n"
    )
    yield (
        replace(
            second.host,
            address=str(second.host.advertise_addr),
            port=2222,
            proxy_jump="jump",
            known_hosts=str(folder / "known_hosts"),
        ),
        folder / "config",
    )
    second.run("kill $(cat /run/two.pid); userdel -r learner; rm /etc/sudoers.d/learner")


def test_behind_a_jump_host_that_forbids_channels_the_engine_is_dialled(strict: tuple[Host, Path]) -> None:
    host, config = strict
    with connect_host(host, config=config) as connection:
        assert connection.run("hostname").stdout == "node2\n"
        client = docker_client(connection)
        with ThreadPoolExecutor(30) as pool:
            assert all(pool.map(lambda _: client.ping(), range(60)))
        assert connection.run("pgrep -fc [d]ial-stdio").stdout.strip() in {"1", "2", "3", "4", "5", "6"}


def test_the_jump_host_s_key_is_verified_too(strict: tuple[Host, Path], tmp_path: Path) -> None:
    host, config = strict
    (tmp_path / "config").write_text(config.read_text().replace("UserKnownHostsFile", "UserKnownHostsFile /dev/null #"))
    with pytest.raises(HostKeyUnknown, match=r"node2: nobody has vouched for the key of root@127.0.0.1"):
        connect_host(host, config=tmp_path / "config")


def test_a_login_that_may_not_open_the_socket(strict: tuple[Host, Path]) -> None:
    host, config = strict
    forbidden = pytest.raises(EngineForbidden, match=r"learner may not open /var/run/docker.sock: let it with sudo")
    with connect_host(replace(host, user="learner"), config=config) as connection, forbidden:
        docker_client(connection)


def test_sudo_opens_it_and_its_password_is_nowhere_to_be_seen(strict: tuple[Host, Path]) -> None:
    host, config = strict
    with connect_host(
        replace(host, user="learner", become=Become()), become_password=PASSWORD, config=config
    ) as connection:
        assert docker_client(connection).ping()
        seen = connection.run("id -un; cat /proc/[0-9]*/cmdline", sudo=True).stdout
        assert seen.startswith("root\n")
        assert PASSWORD.reveal() not in seen


def test_a_dead_host_hides_no_other_and_comes_back(lab_name: str, inventory: Inventory) -> None:
    with Fleet.open(inventory) as fleet:
        fleet.each(lambda host: host.docker.ping())
        practice.power(lab_name, "node3", on=False)
        try:
            answers = fleet.each(lambda host: host.docker.ping())
            assert answers["node1"] is answers["node2"] is True
            assert isinstance(answers["node3"], HostError)
            again = Fleet.open(inventory)
            assert list(again.unreachable) == ["node3"]
            again.close()
        finally:
            practice.power(lab_name, "node3", on=True)
        assert fleet.each(lambda host: host.run("true").status) == {"node1": 0, "node2": 0, "node3": 0}
