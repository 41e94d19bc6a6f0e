"""stack.toml, its commented example, and --set."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from overlaykit.words.errors import StackError
from overlaykit.words.stack import Stack, parameters
from overlaykit.words.stack_file import load_stack, read_stack, stack_text, with_settings

EXAMPLE = Path(__file__).parents[2] / "stack.example.toml"


def opened(text: str) -> str:
    """The example with every parameter switched on: those are the comments without a space after the #."""
    return re.sub(r"^#(?=\S)", "", text, flags=re.MULTILINE)


def comment_above(name: str) -> str:
    """All that the example says of a parameter, as one line."""
    table, _, key = name.rpartition(".")
    start = EXAMPLE.read_text().index(f"[{table}]") if table else 0
    before = EXAMPLE.read_text()[start:].partition(f"\n#{key} = ")[0]
    return " ".join(line.removeprefix("# ") for line in before.rpartition("\n\n")[2].splitlines())


def problems_of(text: str) -> list[str]:
    with pytest.raises(StackError) as caught:
        read_stack(text, "stack.toml")
    return [str(problem) for problem in caught.value.problems]


def test_the_example_changes_nothing() -> None:
    assert read_stack(EXAMPLE.read_text(), "stack.example.toml") == Stack()


def test_the_example_holds_every_parameter_with_its_default() -> None:
    text = opened(EXAMPLE.read_text())
    assert read_stack(text, "stack.example.toml") == Stack()
    data: dict[str, Any] = tomllib.loads(text)
    tables = {key: value for key, value in data.items() if isinstance(value, dict)}
    written = [key for key in data if key not in tables]
    written += [f"{table}.{key}" for table, inner in tables.items() for key in inner]
    assert sorted(written) == sorted(name for name, _ in parameters())


@pytest.mark.parametrize(("name", "spec"), list(parameters()), ids=[name for name, _ in parameters()])
def test_the_example_says_what_a_parameter_means_and_what_is_allowed(name: str, spec: Any) -> None:
    said = comment_above(name)
    assert spec.metadata["doc"] in said
    bounds = re.search(r"from (\S+ to [\d.]+)", spec.metadata["check"](object()) or "")
    if bounds:
        assert bounds[1] in said


def test_the_example_is_found_by_line() -> None:
    text = opened(EXAMPLE.read_text()).replace('subnet = "10.20.0.0/24"', 'subnet = "10.20.0.1/24"')
    line = text[: text.index("10.20.0.1/24")].count("\n") + 1
    assert problems_of(text) == [
        f"stack.toml:{line}: [network]: subnet: '10.20.0.1/24' is not a subnet: write 10.20.0.0/24"
    ]


def test_every_fault_has_its_own_sentence_and_line() -> None:
    said = problems_of(
        """
nme = "x"
[netwrok]
subnet = "10.0.0.0/24"
[network]
attachable = "true"
encrypted = 1
[frontend]
replicas = "3"
replica = 3
cpus = true
environment = "A=1"
placement = ["node1", 2]
[backend]
replicas = 101
port = { inside = 1 }
image = 7
"""
    )
    assert said == [
        "stack.toml:2: nme: there is no parameter 'nme': did you mean name?",
        "stack.toml:3: netwrok: there is no table [netwrok]: did you mean [network]?",
        "stack.toml:6: [network]: attachable: 'true' is neither true nor false, without quotes",
        "stack.toml:7: [network]: encrypted: 1 is neither true nor false",
        "stack.toml:9: [frontend]: replicas: '3' is not a number: write a whole number from 0 to 100, without quotes",
        "stack.toml:10: [frontend]: replica: there is no parameter 'frontend.replica': did you mean frontend.replicas?",
        "stack.toml:11: [frontend]: cpus: True is not a number from 0 to 512",
        "stack.toml:12: [frontend]: environment: 'A=1' is not a list of variables: "
        'write it like ["LOG_LEVEL=debug"], with --set without brackets and quotes',
        "stack.toml:13: [frontend]: placement: 2 is not a host's name: write it as the inventory does",
        "stack.toml:15: [backend]: replicas: 101 is out of range: write a whole number from 0 to 100",
        "stack.toml:16: [backend]: port: {'inside': 1} is not a number: write a whole number from 1 to 65535",
        "stack.toml:17: [backend]: image: 7 is not an image: write it like nginx:1.27 or registry.example/team/app:2",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[swarm]\nname =\n", "stack.toml:2: this is not TOML (Invalid value): write key = value, and text in quotes"),
        ("network = 3\n", "stack.toml:1: network: this is a table: write [network] and its parameters below it"),
        (
            "\n[[frontend]]\nport = 1\n",
            "stack.toml:2: frontend: this is a table: write [frontend] and its parameters below it",
        ),
    ],
)
def test_the_shape_of_the_file(text: str, expected: str) -> None:
    assert problems_of(text) == [expected]


def test_a_file_may_say_it_in_any_way_that_toml_has() -> None:
    text = (
        "network.mtu = 1400\nfrontend = { replicas = 2, cpus = 1 }\n[backend]\nplacement = ['node1']\n'port' = 9000\n"
    )
    stack = read_stack(text, "stack.toml")
    assert (stack.network.mtu, stack.frontend.replicas, stack.frontend.cpus) == (1400, 2, 1.0)
    assert (stack.backend.placement, stack.backend.port) == (("node1",), 9000)


def test_settings_by_hand() -> None:
    stack = with_settings(Stack(), ["frontend.replicas=3", "backend.environment=A=1,B=2", "network.encrypted=yes"])
    assert (stack.frontend.replicas, stack.backend.environment, stack.network.encrypted) == (3, ("A=1", "B=2"), True)


def test_settings_that_cannot_be_are_named_all_at_once() -> None:
    with pytest.raises(StackError) as caught:
        with_settings(
            Stack(), ["frontend.replicas", "backend.replicas=x", "frontend.replica=1", "frontend.published_port=7946"]
        )
    assert [str(problem) for problem in caught.value.problems] == [
        "--set: 'frontend.replicas' is not NAME=VALUE: write it like frontend.replicas=3",
        "--set: backend.replicas: 'x' is not a number: write a whole number from 0 to 100",
        "--set: there is no parameter 'frontend.replica': did you mean frontend.replicas?",
        "--set: frontend.published_port: 7946 is a port that Swarm needs for itself on every host: write another one",
    ]


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"stack\.toml: cannot be read \(No such file or directory\)"):
        load_stack(tmp_path / "stack.toml")
    (tmp_path / "stack.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(StackError, match="is not text in UTF-8"):
        Stack.load(str(tmp_path / "stack.toml"))


ODD_VALUES = {
    "name": "mine",
    "network.subnet": "10.30.0.0/24",
    "network.encrypted": True,
    "network.mtu": 1400,
    "backend.cpus": 0.5,
    "backend.environment": ['QUOTED="a \\ b"', "LINES=1\n2", "ODD=\x7f\x01é"],
    "frontend.placement": ["node1", "node2"],
}


def test_what_is_written_reads_back() -> None:
    stack = Stack()
    for name, value in ODD_VALUES.items():
        stack = stack.set(name, value)
        assert read_stack(stack_text(stack), "stack.toml") == stack


def test_only_what_differs_is_written_with_its_meaning() -> None:
    assert [line for line in stack_text(Stack()).splitlines() if not line.startswith("#")] == []
    written = stack_text(Stack().set("frontend.replicas", 3).set("network.mtu", 1400))
    assert written.splitlines()[1:] == [
        "",
        "[network]",
        "# largest packet of the wire between the hosts, in bytes; 0: what the hosts' interfaces say",
        "mtu = 1400",
        "",
        "[frontend]",
        "# how many tasks",
        "replicas = 3",
    ]
