"""What is wanted: the stack's parameters, each with its default, its meaning and what is allowed.

The fields below are the schema. `stack.example.toml`, the command line's `--set`, the panels and
papermill all use the same dotted names, so a parameter that is not here does not exist.

    >>> stack = Stack().set("frontend.replicas", 3)
    >>> stack.frontend.replicas
    3
    >>> Stack().set("network.subnet", "10.20.0.0/33")
    Traceback (most recent call last):
    overlaykit.words.errors.StackError: network.subnet: '10.20.0.0/33' is not a subnet: write it like 10.20.0.0/24
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from typing import Any

from overlaykit.words import allowed
from overlaykit.words.errors import Problem, StackError

#: What "the image that the kit makes" is called in a stack file.
KIT_IMAGE = "kit"
#: In the order in which they are started; a guest's request goes the other way.
TIERS = ("database", "backend", "frontend")
REQUEST_WAY = TIERS[::-1]
#: The label that every object of the kit carries; its value is the stack's name.
STACK_LABEL = "overlaykit.stack"


def parameter(default: Any, doc: str, check: allowed.Check) -> Any:
    """A field of the stack: `doc` is one sentence, `check` says what is wrong with a value, or None."""
    return field(default=default, metadata={"doc": doc, "check": check})


@dataclass(frozen=True)
class SwarmSettings:
    """Chosen once, when the swarm is formed."""

    data_path_port: int = parameter(
        4789,
        "UDP port of the VXLAN traffic; another one where the platform keeps 4789 for itself",
        allowed.whole(1024, 49151),
    )
    address_pool: str = parameter(
        "", "where the engine takes subnets from; empty: its own 10.0.0.0/8", allowed.empty_or(allowed.subnet)
    )


@dataclass(frozen=True)
class NetworkSettings:
    """The overlay network that the three tiers share."""

    name: str = parameter("guestbook", "name of the overlay network", allowed.name)
    subnet: str = parameter(
        "10.20.0.0/24", "addresses of the tiers; must overlap no network of the hosts", allowed.subnet
    )
    attachable: bool = parameter(True, "plain containers (docker run --network) may join it", allowed.yes_no)
    internal: bool = parameter(
        True,
        "the tiers have no way out of it, and their hosts no way in but the published port; false: both have",
        allowed.yes_no,
    )
    mtu: int = parameter(
        0,
        "largest packet of the wire between the hosts, in bytes; 0: what the hosts' interfaces say",
        allowed.zero_or(1280, 9000),
    )
    encrypted: bool = parameter(False, "IPsec (ESP) between the hosts; refused where a kernel lacks it", allowed.yes_no)


@dataclass(frozen=True)
class Tier:
    """What the three tiers have in common."""

    image: str = parameter(KIT_IMAGE, 'image of the tier; "kit": the one that the kit makes', allowed.image)
    environment: tuple[str, ...] = parameter(
        (), "more variables, each NAME=VALUE; plans show them: no passwords", allowed.environment
    )
    cpus: float = parameter(0.0, "most CPUs of one task; 0: no limit", allowed.number(0, 512))
    memory: str = parameter("0", "most memory of one task, such as 256M or 1G; 0: no limit", allowed.memory)
    health: str = parameter(
        KIT_IMAGE,
        'command that tells whether a task is well; "kit": the kit\'s, "none": no check',
        allowed.text,
    )


@dataclass(frozen=True)
class DatabaseTier(Tier):
    """One task, pinned to one host: its volume is there and nowhere else."""

    host: str = parameter(
        "",
        "host that keeps the data (inventory name); empty: the last of the inventory",
        allowed.empty_or(allowed.host),
    )
    volume: str = parameter("guestbook-data", "named volume that keeps the data", allowed.name)
    port: int = parameter(27017, "port it listens on, inside the overlay alone", allowed.whole(1, 65535))


@dataclass(frozen=True)
class BackendTier(Tier):
    """The logic; reaches `database` by name."""

    replicas: int = parameter(1, "how many tasks", allowed.whole(0, 100))
    placement: tuple[str, ...] = parameter((), "hosts it may run on (inventory names); empty: any", allowed.hosts)
    port: int = parameter(8000, "port it listens on, inside the overlay alone", allowed.whole(1, 65535))


@dataclass(frozen=True)
class FrontendTier(Tier):
    """The only public door; reaches `backend` by name."""

    replicas: int = parameter(1, "how many tasks", allowed.whole(0, 100))
    placement: tuple[str, ...] = parameter((), "hosts it may run on (inventory names); empty: any", allowed.hosts)
    port: int = parameter(80, "port it listens on inside its container", allowed.whole(1, 65535))
    published_port: int = parameter(
        80, "port that every host publishes (routing mesh); 2377 and 7946 are Swarm's own", allowed.published_port
    )


@dataclass(frozen=True)
class Stack:
    """Everything that is wanted. Frozen: `set` makes a new one."""

    name: str = parameter("guestbook", f"name of the stack; every object carries {STACK_LABEL}=NAME", allowed.name)
    swarm: SwarmSettings = SwarmSettings()
    network: NetworkSettings = NetworkSettings()
    database: DatabaseTier = DatabaseTier()
    backend: BackendTier = BackendTier()
    frontend: FrontendTier = FrontendTier()

    @property
    def labels(self) -> dict[str, str]:
        """The labels that every object of this stack carries."""
        return {STACK_LABEL: self.name}

    def set(self, name: str, value: Any) -> Stack:
        """A new stack with one parameter changed. Text is read as the parameter's type.

        Raises StackError, with the parameter's name and what is allowed.
        """
        section, _, key = name.rpartition(".")
        owner = getattr(self, section, None) if section else self
        known = {name for name, _ in parameters()}
        if name not in known or not is_dataclass(owner):
            raise StackError([Problem(unknown(name, sorted(known)))])
        spec = next(spec for dotted, spec in parameters() if dotted == name)
        changed: Any = replace(owner, **{key: allowed.convert(name, spec.metadata["check"], value, spec.default)})  # type: ignore[type-var]
        return replace(self, **{section: changed}) if section else changed

    def get(self, name: str) -> Any:
        """The value of a parameter by its dotted name."""
        section, _, key = name.rpartition(".")
        return getattr(getattr(self, section) if section else self, key)

    @classmethod
    def load(cls, path: str) -> Stack:
        """The stack of a `stack.toml`; raises StackError with every fault and its line."""
        from overlaykit.words.stack_file import load_stack  # noqa: PLC0415  (it needs Stack: here, or in a circle)

        return load_stack(path)


def parameters() -> Iterator[tuple[str, Field[Any]]]:
    """Every parameter as (dotted name, field), in the order of the example file."""
    for outer in fields(Stack):
        if "check" in outer.metadata:
            yield outer.name, outer
        else:
            for inner in fields(outer.default):  # type: ignore[arg-type]
                yield f"{outer.name}.{inner.name}", inner


def unknown(name: str, known: list[str]) -> str:
    """The sentence for a name that is not a parameter, with the nearest that is."""
    near = get_close_matches(name, known, n=1)
    return f"there is no parameter {name!r}" + (
        f": did you mean {near[0]}?" if near else f"; there are: {', '.join(known)}"
    )
