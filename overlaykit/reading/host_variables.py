"""The variables of a host that mean something here, and the names that nearly do.

>>> "swarm_advertise_addr" in honoured()
True
>>> near_miss("ansible_hots")
'ansible_host'
>>> near_miss("http_port") is None
True
"""

from __future__ import annotations

from difflib import get_close_matches

#: Variables under which each thing may be written. Where several are given the last counts, as for Ansible.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "address": ("ansible_host", "ansible_ssh_host"),
    "port": ("ansible_port", "ansible_ssh_port"),
    "user": ("ansible_user", "ansible_ssh_user"),
    "password": ("ansible_password", "ansible_ssh_pass", "ansible_ssh_password"),
    "key_file": ("ansible_private_key_file", "ansible_ssh_private_key_file"),
    "connection": ("ansible_connection",),
    "become": ("ansible_become",),
    "become_user": ("ansible_become_user", "ansible_sudo_user"),
    "become_method": ("ansible_become_method",),
    "become_password": ("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"),
    "advertise_addr": ("swarm_advertise_addr",),
    "data_path_addr": ("swarm_data_path_addr",),
    "known_hosts": ("overlaykit_known_hosts",),
    "published": ("overlaykit_published",),
    "docker_socket": ("overlaykit_docker_socket",),
}
#: Arguments of ssh, the one that counts first; these add up.
SSH_ARGUMENTS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")

#: Real names of Ansible that look like one of ours and mean something else.
_OTHERS = frozenset(
    [
        *("ansible_become_exe", "ansible_become_flags", "ansible_sudo_exe", "ansible_sudo_flags"),
        *("ansible_private_key", "ansible_ssh_private_key"),
        *("ansible_private_key_passphrase", "ansible_ssh_private_key_passphrase"),
        *("ansible_password_mechanism", "ansible_ssh_password_mechanism", "ansible_connection_user"),
        *("ansible_scp_extra_args", "ansible_sftp_extra_args", "ansible_docker_extra_args"),
        *("ansible_paramiko_host", "ansible_paramiko_port", "ansible_paramiko_user"),
        *("ansible_paramiko_pass", "ansible_paramiko_password", "ansible_paramiko_private_key_file"),
    ]
)
_PREFIX = "overlaykit_"
_NEAR = 0.87  # by trial: ansible_hots and swarm_advertise_adr are near, ansible_ssh_retries is not


def honoured() -> tuple[str, ...]:
    """Every variable that means something here, in the order of the example file."""
    return tuple(name for names in SPELLINGS.values() for name in names) + SSH_ARGUMENTS


def near_miss(name: str) -> str | None:
    """The variable that was probably meant by a name that means nothing; None for a team's own variable."""
    if name in honoured() or name in _OTHERS:
        return None
    near = get_close_matches(name, honoured(), n=1, cutoff=_NEAR)
    ours = [known for known in honoured() if known.startswith(_PREFIX)] if name.startswith(_PREFIX) else []
    return near[0] if near else ", ".join(ours) or None
