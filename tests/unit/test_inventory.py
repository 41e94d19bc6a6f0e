"""From the text of an inventory to hosts, and to the sentences that say what is wrong with it.

A refused case is a file in inventories/refused, its sentences in the .txt beside it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from overlaykit.reading.host_variables import honoured, near_miss
from overlaykit.reading.inventory import read_inventory
from overlaykit.words.errors import InventoryError
from overlaykit.words.host import Host, Inventory
from overlaykit.words.secret import Secret

REFUSED = Path(__file__).with_name("inventories") / "refused"


def read(text: str, **said: object) -> Inventory:
    return read_inventory(text, **({"source": "team/hosts.ini", "env": {"HOME": "/home/ops"}} | said))  # type: ignore[arg-type]


def only_host(variables: str, **said: object) -> Host:
    return read(f"[managers]\nnode1 {variables}\n", **said).hosts[0]


def problems_of(text: str, **said: object) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        read(text, **said)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "file", sorted(file for file in REFUSED.iterdir() if file.suffix != ".txt"), ids=lambda file: file.name
)
def test_every_wrong_line_has_its_own_sentence(file: Path) -> None:
    said = problems_of(file.read_text(), source=file.name)
    assert "\n".join(said) + "\n" == file.with_suffix(".txt").read_text()
    assert "hunter2" not in "\n".join(said), "a password was shown"


def test_hosts_have_roles_and_keep_the_order_of_the_file() -> None:
    inventory = read("[workers]\nw[1:2]\n[managers]\nm1\n[site:children]\nworkers\n[other]\nx1 ansible_port=bad")
    assert [(host.name, host.role) for host in inventory] == [("w1", "worker"), ("w2", "worker"), ("m1", "manager")]
    assert inventory["w1"].groups == ("site", "workers")


def test_other_groups_can_be_named() -> None:
    inventory = read("[eu:children]\nrack\n[rack]\na\n[us]\nb\n", managers="us", workers="eu")
    assert ([host.name for host in inventory.managers], [host.name for host in inventory.workers]) == (["b"], ["a"])


def test_managers_alone_are_a_swarm() -> None:
    assert len(read("[managers]\nnode[1:3]\n").managers) == 3


def test_a_workers_group_that_was_named_must_be_there() -> None:
    said = problems_of("[managers]\nnode1\n", workers="eu")
    assert said == ["team/hosts.ini: there is no group [eu]; there are: [managers]; --workers GROUP names another"]


def test_what_the_file_does_not_say_is_left_open() -> None:
    assert only_host("") == Host("node1", "node1", "manager", groups=("managers",))


def test_hosts_without_groups_are_told_where_to_stand() -> None:
    assert problems_of("node1\nnode2\n") == [
        "team/hosts.ini: there is no group [managers]: write [managers] above the managers",
        "team/hosts.ini: there is no group [workers]: write [workers] above the workers",
    ]


def test_nothing_is_not_a_value() -> None:
    assert only_host("ansible_port=None ansible_user=").login == "node1:22"


def test_the_way_in() -> None:
    host = only_host("ansible_host=192.0.2.11 ansible_port=2222 ansible_user=ops ansible_password=0x1f")
    assert host.login == "ops@192.0.2.11:2222"
    assert host.password == Secret("31"), "Ansible reads this as a number, and so do we"
    assert "31" not in repr(host)


def test_the_old_names_still_count_and_win_as_in_ansible() -> None:
    host = only_host("ansible_ssh_host=a ansible_host=b ansible_ssh_port=1 ansible_ssh_user=u ansible_ssh_pass=p")
    assert (host.address, host.port, host.user, host.password) == ("a", 1, "u", Secret("p"))


@pytest.mark.parametrize(
    ("written", "expected"),
    [("keys/id", "team/keys/id"), ("~/.ssh/id", "/home/ops/.ssh/id"), ("/etc/id", "/etc/id")],
)
def test_paths_start_at_the_inventory(written: str, expected: str) -> None:
    host = only_host(f"ansible_ssh_private_key_file={written} overlaykit_known_hosts={written}")
    assert host.key_file == host.known_hosts == expected


def test_a_jump_and_known_hosts_among_the_arguments_of_ssh() -> None:
    host = only_host(
        "ansible_ssh_args='-C -o ControlMaster=auto -o ControlPersist=60s' "
        "ansible_ssh_common_args='-J ops@bastion:22,inner' ansible_ssh_extra_args='-oUserKnownHostsFile=known -J late'"
    )
    assert (host.proxy_jump, host.known_hosts) == ("ops@bastion:22,inner", "team/known")


def test_the_same_private_address_behind_two_jumps_is_two_hosts() -> None:
    text = "[managers]\na ansible_host=10.0.0.5 ansible_ssh_common_args='-J x'\n"
    assert len(read(text + "b ansible_host=10.0.0.5 ansible_ssh_common_args='-J y'\n")) == 2


def test_sudo_with_the_password_of_the_environment() -> None:
    host = only_host("ansible_become=yes ansible_become_user=admin", env={"OVERLAYKIT_BECOME_PASSWORD": "hunter2"})
    assert host.become is not None
    assert (host.become.user, host.become.password) == ("admin", Secret("hunter2"))
    assert only_host("ansible_become=false ansible_become_method=su").become is None


def test_the_password_of_the_environment_stands_in_for_the_one_in_the_file() -> None:
    written = "ansible_become=yes ansible_become_password='{{ vaulted }}'"
    host = only_host(written, env={"OVERLAYKIT_BECOME_PASSWORD": "hunter2"})
    assert host.become is not None and host.become.password == Secret("hunter2")


def test_addresses_and_places_of_the_swarm() -> None:
    host = only_host(
        "swarm_advertise_addr=10.77.0.11 swarm_data_path_addr=10.78.0.11 "
        "overlaykit_published=127.0.0.1:8081 overlaykit_docker_socket=unix:///run/user/1000/docker.sock"
    )
    assert (host.advertise_addr, host.data_path_addr) == ("10.77.0.11", "10.78.0.11")
    assert (host.published, host.docker_socket) == ("127.0.0.1:8081", "/run/user/1000/docker.sock")


def test_one_name_for_two_servers_is_refused() -> None:
    said = problems_of("[managers]\nnode1\n[workers]\nnode2 ansible_port=2202\nnode2 ansible_port=2203\n")
    assert said == [
        "team/hosts.ini:5: [workers] node2: ansible_port: line 4 gives it another: two hosts need two names"
    ]
    assert "ansible_port: line 4 gives" in problems_of("[managers]\nnode1\n[workers]\nnode2:22\nnode2:23\n")[0]
    said = problems_of("[managers]\nnode1\n[workers]\nnode2 ansible_host=a\nnode2 ansible_ssh_host=b\n")
    assert "ansible_ssh_host: line 4 gives it another" in said[0]
    assert len(read("[managers]\nnode1 ansible_port=22\n[web]\nnode1 ansible_port=22\n")) == 1


def test_a_password_of_sudo_is_refused_also_where_nobody_uses_sudo() -> None:
    (said,) = problems_of("[managers]\nnode1 ansible_become_password=abc\n")
    assert "the password of sudo is not taken from a file" in said
    assert "abc" not in said


def test_a_comment_behind_a_groups_user_is_told() -> None:
    (said,) = problems_of("[managers]\nnode1\n[managers:vars]\nansible_user=ops # the admin\n")
    assert said == (
        "team/hosts.ini:4: [managers:vars]: ansible_user: 'ops # the admin' is no user's name: write one word "
        "(here a comment needs a line of its own)"
    )


def test_group_variables_reach_every_host_and_are_refused_once() -> None:
    said = problems_of("[managers]\nnode[1:3]\n[managers:vars]\nansible_port=x\n")
    assert said == [
        "team/hosts.ini:4: [managers:vars]: ansible_port: 'x' is not a port: write a number from 1 to 65535"
    ]


def test_variables_in_files_of_their_own_are_not_passed_over_in_silence() -> None:
    assert "group_vars beside it" in problems_of("[managers]\nnode1\n", beside=["group_vars", "keys"])[0]
    assert len(read('{"managers": {"hosts": ["node1"]}}', beside=["group_vars"])) == 1


def test_the_json_of_ansible_inventory() -> None:
    text = """{"_meta": {"hostvars": {"node1": {"ansible_host": "192.0.2.11", "ansible_port": 2222}}},
               "all": {"children": ["managers", "workers"], "vars": {"ansible_user": {"__ansible_unsafe": "ops"}}},
               "managers": {"hosts": ["node1"]}, "workers": ["node2"]}"""
    inventory = read(text)
    assert [host.login for host in inventory] == ["ops@192.0.2.11:2222", "ops@node2:22"]


def test_the_lab_is_named_by_who_knows_it() -> None:
    assert read("[managers]\nnode1\n", lab="default").lab == "default"


@pytest.mark.parametrize("typo", ["ansible_hots", "swarm_advertise_adr", "anisble_host", "ansible_usr", "ansible_prot"])
def test_a_misspelt_variable_is_noticed(typo: str) -> None:
    assert near_miss(typo) in honoured()


@pytest.mark.parametrize("other", ["http_port", "ansible_python_interpreter", "ansible_become_flags", "swarm_token"])
def test_a_teams_own_variable_is_left_alone(other: str) -> None:
    assert near_miss(other) is None
