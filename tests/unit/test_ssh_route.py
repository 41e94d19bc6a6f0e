"""What ~/.ssh/config says is honoured, as ssh reads it; what the inventory says wins."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from overlaykit.remote.ssh.route import Route, route_to, routes_of_jumps
from overlaykit.words.errors import HostError
from overlaykit.words.host import Host

CONFIG = """
Include {folder}/more.conf
Host web
    HostName 192.0.2.80
    Port 2222
    User deploy
    IdentityFile {folder}/id_web
    IdentitiesOnly yes
    IdentityAgent {folder}/agent.sock
    UserKnownHostsFile {folder}/known_web
    HostKeyAlias the-web
Match host 192.0.2.81
    User matched
Host behind
    ProxyJump ops@bastion:2200,inner
Host piped
    ProxyCommand nc -X 5 %h %p
Host *
    User everybody
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config").write_text(CONFIG.format(folder=tmp_path))
    (tmp_path / "more.conf").write_text("Host included\n    Port 2020\nHost bastion\n    HostName 192.0.2.1\n")
    return tmp_path / "config"


def way(config: Path, address: str, **host: str | int) -> Route:
    return route_to(Host("node1", address, "manager", **host), config)  # type: ignore[arg-type]


def test_a_host_section(config: Path, tmp_path: Path) -> None:
    found = way(config, "web")
    assert found.login == "deploy@192.0.2.80:2222"
    assert found.key_files == (tmp_path / "id_web",)
    assert found.named_keys_only
    assert found.agent == str(tmp_path / "agent.sock")
    assert found.known_hosts[0] == tmp_path / "known_web"
    assert found.known_as == "the-web"


def test_include_match_and_the_rest(config: Path) -> None:
    assert way(config, "included").port == 2020
    assert way(config, "192.0.2.81").user == "matched"
    assert way(config, "192.0.2.82").user == "everybody"
    assert way(config, "piped").proxy_command == "nc -X 5 %h %p"
    assert way(config, "behind").proxy_jump == "ops@bastion:2200,inner"


def test_the_inventory_wins(config: Path, tmp_path: Path) -> None:
    found = way(config, "web", user="root", port=22, key_file="/key", known_hosts="/known", proxy_jump="jump")
    assert found.login == "root@192.0.2.80:22"
    assert (found.key_files, found.named_keys_only) == ((Path("/key"),), True)
    assert found.known_hosts == (Path("/known"),)
    assert found.proxy_jump == "jump"
    assert found.proxy_command is None


def test_jump_hosts_have_sections_too(config: Path) -> None:
    jumps = routes_of_jumps("node1", "ops@bastion:2200, inner,ssh://root@[2001:db8::1]:22", config)
    assert [jump.login for jump in jumps] == ["ops@192.0.2.1:2200", "everybody@inner:22", "root@2001:db8::1:22"]
    with pytest.raises(HostError, match="node1: the jump host 'a:b:c' is not understood"):
        routes_of_jumps("node1", "a:b:c", config)


def test_jump_hosts_behind_jump_hosts(config: Path) -> None:
    config.write_text("Host inner\n  ProxyJump outer\nHost far\n  ProxyJump inner\n")
    assert way(config, "far").proxy_jump == "inner"
    assert [jump.hostname for jump in routes_of_jumps("node1", "inner", config)] == ["outer", "inner"]


def test_jump_hosts_in_a_circle_are_said(config: Path) -> None:
    config.write_text("Host inner\n  ProxyJump outer\nHost *\n  ProxyJump inner\n")
    with pytest.raises(HostError, match=r"go in a circle \(inner behind outer behind inner\)"):
        routes_of_jumps("node1", "inner", config)


def test_names_in_known_hosts() -> None:
    assert Route("node1.example", 22, "root").known_as == "node1.example"
    assert Route("node1.example", 2201, "root").known_as == "[node1.example]:2201"


def test_a_config_that_ssh_cannot_read_is_said(config: Path) -> None:
    config.write_text("Host *\n    Prot 22\n")
    with pytest.raises(HostError, match=r"node1: ssh cannot use its configuration .*config: line 2: Bad conf"):
        way(config, "web")


def test_an_address_is_never_an_option(config: Path) -> None:
    with pytest.raises(HostError):
        way(config, "-oProxyCommand=touch /tmp/x")


def test_without_the_openssh_client(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match="has an Include, which only OpenSSH's client can follow"):
        way(config, "web")
    config.write_text(CONFIG.format(folder=tmp_path).replace("Include", "# Include"))
    found = way(config, "web")
    assert found.login == "deploy@192.0.2.80:2222"
    assert found.key_files == (tmp_path / "id_web",)
    assert found.known_hosts[0] == tmp_path / "known_web"
    empty = way(tmp_path / "no-config", "192.0.2.1")
    assert empty.login == f"{getpass.getuser()}@192.0.2.1:22"
    assert empty.known_hosts[0] == Path("~/.ssh/known_hosts").expanduser()
    assert Path("~/.ssh/id_ed25519").expanduser() in empty.key_files


def test_without_the_openssh_client_a_command_gets_the_port_that_was_asked_for(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    config.write_text("Host *\n    Port 22\n    ProxyCommand way %r %h %p\n")
    found = way(config, "web", user="deploy", port=2201)
    assert found.login == "deploy@web:2201"
    assert found.proxy_command == "way deploy web 2201"
