"""`%%on node1`: the cell's body is a shell script that runs on that host, over the connection that is open already.

%%on node1
docker network ls

%%on node2 --may-fail
ping -c 1 -W 1 database
"""

from __future__ import annotations

from typing import Any

from IPython.core.getipython import get_ipython
from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from overlaykit.kit import Hosts
from overlaykit.remote.connection import CommandResult
from overlaykit.words.errors import CommandFailed, InputError, PlanRefused

_LONGEST = 60.0  # seconds
_TOLD = 12  # lines of what a script said before it failed


@magics_class
class HostShell(Magics):
    """The magic, with the hosts that it speaks to."""

    def __init__(self, shell: Any, hosts: Hosts) -> None:
        super().__init__(shell)
        self.hosts = hosts

    @magic_arguments()
    @argument("host", help="the host's name in the inventory")
    @argument("--may-fail", action="store_true", help="show how it failed, and go on")
    @argument("--quiet", action="store_true", help="print nothing")
    @cell_magic
    def on(self, line: str, cell: str) -> None:
        """Run the cell as a shell script on a host."""
        asked = parse_argstring(self.on, line)
        done = run_script(self.hosts, asked.host, cell, may_fail=asked.may_fail)
        if not asked.quiet:
            print(_shown(done), end="")


def register(hosts: Hosts) -> None:
    """Make `%%on` known to the notebook's kernel; the hosts of a later start take the place of an earlier one's."""
    if shell := get_ipython():
        shell.register_magics(HostShell(shell, hosts))


def run_script(hosts: Hosts, name: str, script: str, *, may_fail: bool = False) -> CommandResult:
    """Run a script on a host. Raises CommandFailed with what it said, unless it may fail; PlanRefused where nobody
    has allowed changes."""
    if name not in hosts.fleet:
        raise InputError(f"there is no host {name!r}: write %%on and one of {', '.join(hosts.fleet)}")
    if not hosts.allow_changes:
        raise PlanRefused(f"{name} is not the lab's: nothing was run there. ALLOW_CHANGES = True allows it.")
    done = hosts[name].run(script, timeout=_LONGEST)
    if done.status and not may_fail:
        raise CommandFailed(name, f"the script ended with {done.status}{_last_words(done)}", done.status)
    return done


def _last_words(done: CommandResult) -> str:
    """One line behind the sentence, more beneath it: docker gives the reason first, and its `--help` last."""
    said = (done.stderr or done.stdout).strip().splitlines()[-_TOLD:]
    if not said:
        return ""
    return (": " if len(said) == 1 else ":\n") + "\n".join(said)


def _shown(done: CommandResult) -> str:
    text = done.stdout + (done.stderr if done.status else "")
    return text if not text or text.endswith("\n") else f"{text}\n"
