"""Connections to an SSH server in this process: logging in, commands, sudo, and being cut off."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from sshd import PASSWORD, SshServer

from overlaykit.remote.ssh.channels import HostTransport
from overlaykit.remote.ssh.connect import SshConnection, connect_host
from overlaykit.words.errors import (
    AuthenticationFailed,
    CommandFailed,
    ConnectionLost,
    ConnectionRefused,
    ConnectionTimedOut,
    HostKeyChanged,
    HostKeyUnknown,
    HostNotFound,
)
from overlaykit.words.host import Become
from overlaykit.words.secret import Secret

# Stands for sudo: asks on stderr as told by -p, up to two times, and then does what it is asked.
SUDO = """#!/bin/sh
echo "We trust you have received the usual lecture." >&2
[ "$1" = -n ] && { echo "sudo: a password is required" >&2; exit 1; }
for try in 1 2; do
    printf %s "$3" >&2
    read -r answer
    if [ "$answer" = "open sesame" ]; then shift 7; exec "$@"; fi
    echo "Sorry, try again." >&2
done
exit 1
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    (tmp_path / "sudo").write_text(SUDO)
    (tmp_path / "sudo").chmod(0o755)
    with SshServer(tmp_path, path=str(tmp_path)) as server:
        yield server


@pytest.fixture
def connection(server: SshServer) -> Iterator[SshConnection]:
    with connect_host(server.host()) as connection:
        yield connection


def test_a_command_tells_both_outputs_and_its_status(connection: SshConnection) -> None:
    result = connection.run("echo out; echo err >&2; exit 3")
    assert (result.stdout, result.stderr, result.status) == ("out\n", "err\n", 3)
    assert str(result) == "out\n"


def test_a_list_is_taken_word_by_word(connection: SshConnection) -> None:
    assert connection.run(["printf", "%s|", "a b", "$HOME", "it's"]).stdout == "a b|$HOME|it's|"


def test_more_than_the_window_holds_flows_both_ways_at_once(connection: SshConnection) -> None:
    data = bytes(range(256)) * 20_000  # 5 MB; the window is 2
    assert connection.run("cat | cksum", input=data).stdout == subprocess.check_output(["cksum"], input=data).decode()
    assert len(connection.run("head -c 5000000 /dev/zero").stdout) == 5_000_000
    assert len(connection.run("cat", input=bytes(5_000_000)).stdout) == 5_000_000


def test_files_arrive_whole_under_any_name(connection: SshConnection, tmp_path: Path) -> None:
    place = tmp_path / "it's a file"
    connection.put_file(str(place), b"\0binary\xff", mode=0o640)
    assert place.read_bytes() == connection.get_file(str(place)) == b"\0binary\xff"
    assert place.stat().st_mode & 0o777 == 0o640
    with pytest.raises(CommandFailed, match="No such file"):
        connection.get_file(str(tmp_path / "nothing"))


def test_check_raises_with_the_commands_last_word(connection: SshConnection) -> None:
    with pytest.raises(CommandFailed, match=r"node1: `echo first >&2.*` ended with status 4: last") as caught:
        connection.run("echo first >&2; echo last >&2; exit 4", check=True)
    assert caught.value.status == 4


def test_a_command_that_takes_too_long_is_given_up(connection: SshConnection) -> None:
    with pytest.raises(CommandFailed, match="did not end in time"):
        connection.run("sleep 3", timeout=0.2)
    with pytest.raises(CommandFailed, match="did not end in time"):
        connection.run("exec >&- 2>&-; sleep 3", timeout=0.2)
    with pytest.raises(CommandFailed, match=r"it may still be running\. The last that it said: 1/1: no suitable node$"):
        connection.run("echo starting; echo 1/1: no suitable node; sleep 3", timeout=1)


def test_sudo_is_given_its_password_when_it_asks(server: SshServer) -> None:
    host = server.host(become=Become(password=Secret("open sesame")))
    with connect_host(host) as connection:
        result = connection.run("cat; echo err >&2", input=b"for the command alone", sudo=True)
    assert (result.stdout, result.stderr) == ("for the command alone", "err\n")
    assert not any("open sesame" in command for command in server.commands)


def test_a_password_given_at_connecting_wins(server: SshServer) -> None:
    with connect_host(server.host(become=Become()), become_password=Secret("open sesame")) as connection:
        assert connection.run("echo in", sudo=True).stdout == "in\n"


@pytest.mark.parametrize(
    ("become", "said"),
    [
        (Become(password=Secret("wrong")), "check the password"),
        (None, "a password is required.*: say -K"),
    ],
)
def test_sudo_that_refuses_is_a_sentence(server: SshServer, become: Become | None, said: str) -> None:
    with connect_host(server.host(become=become)) as connection, pytest.raises(AuthenticationFailed, match=said):
        connection.run("id", sudo=True)


def test_a_lost_connection_is_made_again_once_it_is_needed(server: SshServer, connection: SshConnection) -> None:
    server.hang_up()
    assert connection.run("echo again").stdout == "again\n"
    assert server.logins == 2


def test_a_connection_lost_during_a_command_is_said(server: SshServer, connection: SshConnection) -> None:
    threading.Timer(0.2, server.hang_up).start()
    with pytest.raises(ConnectionLost, match=r"node1: the connection to learner@127.0.0.1:.* ended"):
        connection.run("sleep 5")


def test_a_host_that_went_silent_is_noticed_while_a_command_runs(
    server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HostTransport, "every", 0.05)
    monkeypatch.setattr(HostTransport, "patience", 1)
    with connect_host(server.host()) as connection:
        threading.Timer(0.3, server.frozen.set).start()
        with pytest.raises(ConnectionLost, match="is the host still on"):
            connection.run("sleep 30", timeout=30)
        server.frozen.clear()
        assert connection.run("echo back").stdout == "back\n"


def test_a_password_will_do(server: SshServer) -> None:
    with connect_host(server.host(key_file="/nonexistent", password=PASSWORD)) as connection:
        assert connection.run("true").status == 0


def test_a_wrong_key_is_named(server: SshServer, tmp_path: Path) -> None:
    paramiko.ECDSAKey.generate().write_private_key_file(str(tmp_path / "other"))
    with pytest.raises(AuthenticationFailed, match=r"offered \(.*/other\): name the right user and key"):
        connect_host(server.host(key_file=str(tmp_path / "other")))


def test_a_key_that_is_not_there_is_not_called_a_refused_login(server: SshServer, tmp_path: Path) -> None:
    with pytest.raises(AuthenticationFailed, match=r"there is no file .*/nowhere, which should be the key for"):
        connect_host(server.host(key_file=str(tmp_path / "nowhere")))
    with pytest.raises(AuthenticationFailed, match=r"offered \(the password\), and .*/nowhere is not there"):
        connect_host(server.host(key_file=str(tmp_path / "nowhere"), password=Secret("wrong")))


def test_a_key_behind_a_passphrase_asks_for_the_agent(server: SshServer, tmp_path: Path) -> None:
    server.key.write_private_key_file(str(tmp_path / "locked"), password="p")
    with pytest.raises(AuthenticationFailed, match=r"has a passphrase: load it into the agent with ssh-add .*/locked"):
        connect_host(server.host(key_file=str(tmp_path / "locked")))


def test_an_unknown_host_key_is_shown_with_the_command_that_accepts_it(server: SshServer, tmp_path: Path) -> None:
    with pytest.raises(HostKeyUnknown) as caught:
        connect_host(server.host(known_hosts=str(tmp_path / "none")))
    assert server.host_key.fingerprint in str(caught.value)
    assert f"ssh -o UserKnownHostsFile={tmp_path}/none -p {server.port} learner@127.0.0.1 true" in str(caught.value)
    assert not (tmp_path / "none").exists()
    assert server.logins == 0


def test_a_changed_host_key_shows_both(server: SshServer) -> None:
    on_record = paramiko.ECDSAKey.generate()
    server.vouch_for(on_record)
    with pytest.raises(HostKeyChanged) as caught:
        connect_host(server.host())
    assert server.host_key.fingerprint in str(caught.value)
    assert on_record.fingerprint in str(caught.value)
    assert server.logins == 0


def test_nobody_listens(server: SshServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectionRefused, match=f"nothing listens at learner@127.0.0.1:{port}"):
        connect_host(server.host(port=port))


def test_somebody_listens_and_says_nothing(server: SshServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises((ConnectionTimedOut, ConnectionLost)):
        connect_host(server.host(port=mute.getsockname()[1]), timeout=0.3)


def test_a_name_without_address(server: SshServer) -> None:
    with pytest.raises(HostNotFound, match="no address"):
        connect_host(server.host(address="no-such-host.invalid"))


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An ssh-agent that holds the server's key; the file itself is locked."""
    sock = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", sock], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not sock.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(sock))
    yield sock
    process.terminate()
    process.wait()


def lend(server: SshServer, folder: Path) -> Path:
    """Load the key into the agent, then lock the file: what a passphrase is for."""
    subprocess.run(["ssh-add", "-q", folder / "key"], check=True, capture_output=True)
    locked = folder / "locked"
    server.key.write_private_key_file(str(locked), password="p")
    locked.with_suffix(".pub").write_text(f"{server.key.get_name()} {server.key.get_base64()} learner\n")
    return locked


def test_a_key_of_the_agent_needs_no_passphrase(server: SshServer, agent: Path, tmp_path: Path) -> None:
    locked = lend(server, tmp_path)
    with connect_host(server.host(key_file=str(locked))) as connection:
        assert connection.run("true").status == 0
    with connect_host(server.host(key_file=None)) as connection:
        assert connection.run("true").status == 0


def test_of_the_agents_keys_only_the_named_one_is_offered(server: SshServer, agent: Path, tmp_path: Path) -> None:
    lend(server, tmp_path)
    paramiko.ECDSAKey.generate().write_private_key_file(str(tmp_path / "other"))
    with pytest.raises(AuthenticationFailed, match=r"offered \([^,]*/other\):"):
        connect_host(server.host(key_file=str(tmp_path / "other")))


def test_the_agent_may_be_named_in_the_configuration(
    server: SshServer, agent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lend(server, tmp_path)
    monkeypatch.delenv("SSH_AUTH_SOCK")
    (tmp_path / "config").write_text(f"Host *\n    IdentityAgent {agent}\n")
    with connect_host(server.host(key_file=None), config=tmp_path / "config") as connection:
        assert connection.run("true").status == 0


def test_a_jump_host_that_does_not_answer_is_the_one_that_is_named(server: SshServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectionRefused, match=f"node1: nothing listens at the jump host ops@127.0.0.1:{port}"):
        connect_host(server.host(proxy_jump=f"ops@127.0.0.1:{port}"))


def test_a_proxy_command_leads_there(server: SshServer, tmp_path: Path) -> None:
    program = "import socket,os,sys,threading\ns=socket.create_connection((sys.argv[1],int(sys.argv[2])))\n"
    program += "def back():\n while d:=s.recv(65536): os.write(1,d)\n"
    program += "threading.Thread(target=back,daemon=True).start()\nwhile d:=os.read(0,65536): s.sendall(d)\n"
    (tmp_path / "proxy.py").write_text(program)
    (tmp_path / "config").write_text(f"Host *\n    ProxyCommand python3 {tmp_path}/proxy.py %h %p\n")
    with connect_host(server.host(), config=tmp_path / "config") as connection:
        assert connection.run("echo through").stdout == "through\n"
    (tmp_path / "config").write_text("Host *\n    ProxyCommand sh -c 'echo no way to %h >&2; exit 1'\n")
    with pytest.raises(ConnectionLost, match=r"node1: the way to .* ended \(no way to 127.0.0.1\): try it by hand"):
        connect_host(server.host(), config=tmp_path / "config", timeout=3)
