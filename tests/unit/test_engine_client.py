"""The Docker SDK over an SSH server in this process, and what a user is told when something is amiss."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import pytest
from docker.errors import APIError, NotFound
from sshd import SshServer

from overlaykit.remote.connection import CommandResult
from overlaykit.remote.engine import docker_client, engine_errors
from overlaykit.remote.fake import FakeConnection
from overlaykit.remote.ssh.connect import SshConnection, connect_host
from overlaykit.remote.ssh.dial import needs_sudo_to_dial
from overlaykit.words.errors import (
    EngineForbidden,
    EngineRefused,
    EngineSilent,
    HostError,
    NoEngine,
)
from overlaykit.words.host import Become, Host

# Stands for the docker command: says its version, and dials to the socket that -H names.
DOCKER = """#!/bin/sh
[ "$3" = version ] && { echo 26.1.5; exit; }
exec python3 -c '
import os, socket, sys, threading
sock = socket.socket(socket.AF_UNIX); sock.connect(sys.argv[1])
def answer():
    while data := sock.recv(65536):
        os.write(1, data)
    os._exit(0)
threading.Thread(target=answer).start()
while data := os.read(0, 65536):
    sock.sendall(data)
sock.shutdown(socket.SHUT_WR)
' "${2#unix://}"
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with SshServer(tmp_path) as server:
        yield server


@pytest.fixture
def connection(server: SshServer) -> Iterator[SshConnection]:
    with connect_host(server.host()) as connection:
        yield connection


@pytest.fixture
def client(connection: SshConnection) -> Iterator[docker.DockerClient]:
    client = docker_client(connection)
    yield client
    client.close()


def test_it_is_an_ordinary_client_that_has_asked_for_the_version(
    client: docker.DockerClient, server: SshServer
) -> None:
    assert isinstance(client, docker.DockerClient)
    assert client.api.api_version == "1.45"
    assert server.opened  # through a channel to the socket
    assert not server.commands  # and no process was started on the host


def test_calls_share_streams_that_stay_open(client: docker.DockerClient, server: SshServer) -> None:
    before = server.engine.connections
    for _ in range(20):
        client.info()
    assert server.engine.connections - before <= 1


def test_thirty_calls_at_once(client: docker.DockerClient) -> None:
    with ThreadPoolExecutor(30) as pool:
        assert [*pool.map(lambda _: client.info()["Name"], range(90))] == ["node1"] * 90


def test_a_stream_has_a_channel_of_its_own_and_can_be_cancelled(client: docker.DockerClient, server: SshServer) -> None:
    events = client.events(decode=True)
    assert [next(events)["number"], next(events)["number"]] == [0, 1]
    assert client.info()["Name"] == "node1"
    events.close()
    assert list(events) == []


def test_what_came_together_with_the_headers_of_an_upgrade_is_not_lost(client: docker.DockerClient) -> None:
    sock = client.api.attach_socket("any", params={"stream": 1})
    assert sock.fileno() >= 0
    assert sock.read(100) == b"hello\n"
    sock._sock.sendall(b"ping\n")
    assert sock._sock.recv(100) == b"echo ping\n"
    sock._sock.shutdown(socket.SHUT_WR)
    assert sock.read(1) == b""
    sock.close()


def test_every_request_is_told_before_it_is_sent(connection: SshConnection) -> None:
    seen: list[tuple[str, str]] = []
    client = docker_client(connection, on_request=lambda method, path: seen.append((method, path)))
    client.info()
    client.api.create_container("image")
    assert seen == [
        ("GET", "/version"),
        ("GET", "/v1.45/info"),
        ("POST", "/v1.45/containers/create"),
    ]


def test_the_environment_leads_nowhere_else(connection: SshConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    monkeypatch.setenv("DOCKER_CONTEXT", "nowhere")
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:3128")
    assert docker_client(connection).info()["Name"] == "node1"


def test_reading_is_tried_again_when_the_stream_was_cut(client: docker.DockerClient, server: SshServer) -> None:
    server.engine.hang_up_on = ["/v1.45/info"]
    assert client.info()["Name"] == "node1"


def test_reading_is_tried_again_over_a_new_connection(client: docker.DockerClient, server: SshServer) -> None:
    server.hang_up()
    assert client.info()["Name"] == "node1"
    assert server.logins == 2


def test_writing_is_never_done_twice(client: docker.DockerClient, server: SshServer) -> None:
    server.engine.hang_up_on = ["/v1.45/containers/create"]
    with pytest.raises(EngineSilent, match=r"node1: the engine hung up during `POST /v1.45/containers/create`"):
        client.api.create_container("image")
    assert server.engine.requests.count("POST /v1.45/containers/create") == 1


def test_an_answer_before_all_was_sent_is_heard(client: docker.DockerClient) -> None:
    pieces = (bytes(1 << 18) for _ in range(100))
    with pytest.raises(EngineRefused, match="no space left on device"), engine_errors("node1"):
        list(client.api.load_image(pieces))


def test_the_engines_refusals_stay_docker_errors_until_they_are_to_be_read(client: docker.DockerClient) -> None:
    with pytest.raises(NotFound):
        client.containers.get("nowhere")
    refused = pytest.raises(EngineRefused, match="node1: the engine refuses: No such object")
    with refused as caught, engine_errors("node1"):
        client.containers.get("nowhere")
    assert caught.value.status == 404
    assert isinstance(caught.value.__cause__, APIError)


def with_docker_command(folder: Path) -> SshServer:
    (folder / "docker").write_text(DOCKER)
    (folder / "docker").chmod(0o755)
    return SshServer(folder, streamlocal=False, path=str(folder))


def test_where_channels_are_forbidden_the_host_dials(tmp_path: Path) -> None:
    with with_docker_command(tmp_path) as server, connect_host(server.host()) as connection:
        client = docker_client(connection)
        with ThreadPoolExecutor(30) as pool:
            assert [*pool.map(lambda _: client.info()["Name"], range(30))] == ["node1"] * 30
        assert next(client.events(decode=True)) == {"number": 0}
        dialled = [command for command in server.commands if "dial-stdio" in command]
    assert 1 <= len(dialled) <= 6
    assert dialled[0] == f"docker -H unix://{server.engine.path} system dial-stdio"


def test_no_engine(server: SshServer, tmp_path: Path) -> None:
    with connect_host(server.host(docker_socket=str(tmp_path / "none"))) as connection:
        server.streamlocal = False
        with pytest.raises((NoEngine, EngineSilent), match=f"node1: .*no {tmp_path}/none"):
            docker_client(connection)


def test_an_engine_that_is_down(tmp_path: Path) -> None:
    with SshServer(tmp_path, streamlocal=False, path=str(tmp_path)) as server:
        (tmp_path / "docker").write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2; exit 1\n")
        (tmp_path / "docker").chmod(0o755)
        with connect_host(server.host()) as connection, pytest.raises(EngineSilent, match="Cannot connect to the D"):
            docker_client(connection)


@pytest.mark.parametrize(
    ("become", "status", "kind", "said"),
    [
        (None, 0, EngineForbidden, "learner may not open .*: let it with sudo usermod -aG docker learner"),
        (Become(), 0, None, ""),
        (Become(), 1, EngineSilent, "does not answer"),
        (Become(), 127, EngineSilent, "install the docker command"),
    ],
)
def test_a_socket_that_is_not_ours(become: Become | None, status: int, kind: type[HostError] | None, said: str) -> None:
    class Closed(FakeConnection):
        def run(self, command, **how):  # type: ignore[no-untyped-def]
            if isinstance(command, str):
                return CommandResult("closed\n", "", 0)
            assert how.get("sudo")
            return CommandResult("26.1.5", "no", status)

    connection = Closed(Host("node1", "192.0.2.1", "manager", become=become))
    if kind is None:
        assert needs_sudo_to_dial(connection, "learner", may_sudo=True)
        return
    with pytest.raises(kind, match=said):
        needs_sudo_to_dial(connection, "learner", may_sudo=become is not None)
