"""overlaykit: Docker overlay networks across real hosts, step by step.

from overlaykit import connect, Stack

hosts = connect("lab")              # or a hosts.ini of your own
stack = Stack()                     # or Stack.load("stack.toml")
for phase in hosts.phases(stack):   # swarm, network, tiers
    print(phase.plan())
    phase.apply()
print(hosts.discovery(stack).prove())
"""

from __future__ import annotations

from overlaykit.words.errors import OverlaykitError
from overlaykit.words.findings import Finding, Findings
from overlaykit.words.plan import Plan, Result
from overlaykit.words.secret import Secret
from overlaykit.words.stack import Stack

TYPE_CHECKING = False  # as typing's, without the cost of importing it
if TYPE_CHECKING:
    from overlaykit.kit import Hosts, connect

__all__ = ["Finding", "Findings", "Hosts", "OverlaykitError", "Plan", "Result", "Secret", "Stack", "connect"]


def __getattr__(name: str) -> object:
    """`connect` and `Hosts` bring Docker's and paramiko's libraries with them: only when they are asked for."""
    if name in ("Hosts", "connect"):
        from overlaykit import kit  # noqa: PLC0415  (see above)

        return getattr(kit, name)
    raise AttributeError(f"module 'overlaykit' has no attribute {name!r}")
