"""known_hosts as OpenSSH writes it: plain, hashed, with a port, with markers, with several kinds of key."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from overlaykit.remote.ssh.hostkeys import KnownHosts
from overlaykit.remote.ssh.route import Route
from overlaykit.words.errors import HostKeyChanged, HostKeyUnknown

KEY, OTHER, RSA = paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate(), paramiko.RSAKey.generate(2048)


def line(names: str, key: paramiko.PKey) -> str:
    return f"{names} {key.get_name()} {key.get_base64()}\n"


def known(folder: Path, *lines: str) -> tuple[KnownHosts, Route]:
    file = folder / "known_hosts"
    file.write_text("".join(lines))
    route = Route("192.0.2.11", 2201, "root", known_hosts=(file, folder / "absent"))
    return KnownHosts(route.known_hosts), route


@pytest.mark.parametrize(
    "names",
    [
        "[192.0.2.11]:2201",
        "other,[192.0.2.11]:2201",
        "[192.0.2.*]:2201",
        paramiko.HostKeys.hash_host("[192.0.2.11]:2201"),
    ],
    ids=["port", "several names", "pattern", "hashed"],
)
def test_a_key_on_record_passes(tmp_path: Path, names: str) -> None:
    keys, route = known(tmp_path, "# a comment\n", "\n", line(names, KEY))
    keys.check("node1", route, KEY)
    with pytest.raises(HostKeyChanged):
        keys.check("node1", route, OTHER)


def test_the_port_is_part_of_the_name(tmp_path: Path) -> None:
    keys, route = known(tmp_path, line("192.0.2.11", KEY))
    with pytest.raises(HostKeyUnknown, match=re.escape(f"it shows ECDSA {KEY.fingerprint}")):
        keys.check("node1", route, KEY)


def test_the_kind_on_record_is_asked_for(tmp_path: Path) -> None:
    keys, route = known(tmp_path, line("[192.0.2.11]:2201", RSA), line("[192.0.2.11]:2201", KEY))
    assert set(keys.key_types(route.known_as)) == {"rsa-sha2-512", "rsa-sha2-256", KEY.get_name()}
    assert keys.key_types("elsewhere") == []
    keys.check("node1", route, RSA)
    keys.check("node1", route, KEY)


def test_one_of_several_keys_will_do_and_odd_lines_are_no_hindrance(tmp_path: Path) -> None:
    odd = ["node1 ssh-ed25519 not-base64!\n", "node1 ssh-unheard-of AAAA\n", "@cert-authority " + line("*", RSA)]
    keys, route = known(tmp_path, *odd, line("[192.0.2.11]:2201", OTHER), line("[192.0.2.11]:2201", KEY))
    keys.check("node1", route, KEY)
    keys.check("node1", route, OTHER)
    with pytest.raises(HostKeyChanged):
        keys.check("node1", route, RSA)


def test_a_name_can_be_excepted(tmp_path: Path) -> None:
    keys, route = known(tmp_path, line("*,![192.0.2.11]:2201", KEY))
    with pytest.raises(HostKeyUnknown):
        keys.check("node1", route, KEY)


def test_a_revoked_key_does_not_pass(tmp_path: Path) -> None:
    keys, route = known(tmp_path, line("[192.0.2.11]:2201", KEY), "@revoked " + line("*", KEY))
    with pytest.raises(HostKeyChanged, match="revokes"):
        keys.check("node1", route, KEY)


def test_what_to_do_about_a_changed_key(tmp_path: Path) -> None:
    keys, route = known(tmp_path, line("[192.0.2.11]:2201", OTHER))
    with pytest.raises(HostKeyChanged) as caught:
        keys.check("node1", route, KEY)
    assert f"ssh-keygen -R '[192.0.2.11]:2201' -f {tmp_path}/known_hosts" in caught.value.text
    assert OTHER.fingerprint in caught.value.text


def test_the_command_that_accepts_keeps_the_key_under_the_alias(tmp_path: Path) -> None:
    keys, route = known(tmp_path)
    with pytest.raises(HostKeyUnknown) as caught:
        keys.check("node1", replace(route, key_alias="the-web"), KEY)
    options = f"-o HostKeyAlias=the-web -o UserKnownHostsFile={tmp_path}/known_hosts"
    assert caught.value.text.endswith(f"accept it: ssh {options} -p 2201 root@192.0.2.11 true")
