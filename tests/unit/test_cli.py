"""The command line's promises: exit codes, the envelope, sentences instead of tracebacks."""

from __future__ import annotations

import getpass
import json
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fake_kit import HOSTS, FakeKit, FakePhase

from overlaykit.ui.cli import main
from overlaykit.words.errors import InventoryError, PlanRefused, Problem
from overlaykit.words.facts import Facts, HostFacts
from overlaykit.words.findings import Finding
from overlaykit.words.probes import Row
from overlaykit.words.secret import Secret
from overlaykit.words.steps import CreateNetwork, CreateSecret, InitSwarm, JoinSwarm

INIT = InitSwarm("node1", advertise_addr="10.77.0.11")
JOIN = JoinSwarm("node2", via="node1", via_addr="10.77.0.11")
NETWORK = CreateNetwork("node1", name="guestbook", subnet="10.20.0.0/24")
WELL = Finding("OK401", "ok", "every name resolves", ("node1",), "discovery")
BROKEN = Finding(
    "OK402",
    "error",
    "frontend does not reach backend",
    ("node1", "node2"),
    "discovery",
    evidence=("frontend.1 on node1: backend → 10.20.0.5: timed out",),
    fix=("open UDP 4789 between node1 and node2",),
)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No stack.toml, no password and no debugging from the machine that runs the test."""
    monkeypatch.chdir(tmp_path)
    for name in ("OVERLAYKIT_DEBUG", "OVERLAYKIT_BECOME_PASSWORD", "OVERLAYKIT_INVENTORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def type_(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Type a command at a kit: `type_(kit, "up", "--json")`."""

    def typed(kit: FakeKit, *words: str, typing: str = "") -> Result:
        monkeypatch.setattr("overlaykit.ui.cli.connect", kit.connect)
        return CliRunner().invoke(main, words, input=typing)

    return typed


def envelope(result: Result) -> dict[str, Any]:
    """What stdout holds: the envelope and nothing else."""
    read: dict[str, Any] = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert list(read)[:6] == ["schema", "command", "ok", "hosts", "steps", "findings"]
    assert read["schema"] == 1
    return read


def test_plan_shows_commands_as_typed_with_notes_and_exits_3(type_: Any) -> None:
    kit = FakeKit(swarm=FakePhase("swarm", [INIT, JOIN], notes=["node1 forms the swarm: it is the first manager"]))
    result = type_(kit, "plan")
    assert result.exit_code == 3
    assert result.stdout.splitlines() == [
        "lab default: node1, node2",
        "swarm: 2 steps",
        "  # node1 forms the swarm: it is the first manager",
        "  node1$ docker swarm init --advertise-addr 10.77.0.11",
        "  node2$ docker swarm join --token •••• 10.77.0.11:2377   # the worker token",
        "network: nothing to do",
        "tiers: nothing to do",
    ]


def test_plan_from_bare_engines_goes_all_the_way(type_: Any) -> None:
    bare = Facts(tuple(HostFacts(host.name) for host in HOSTS))
    network, tiers = FakePhase("network", [NETWORK]), FakePhase("tiers")
    result = type_(FakeKit(facts=bare, swarm=FakePhase("swarm", [INIT]), network=network, tiers=tiers), "plan")
    assert result.exit_code == 3
    assert network.planned_with and network.planned_with.swarm is not None, "planned as if there were no swarm yet"
    assert tiers.planned_with and tiers.planned_with.swarm and tiers.planned_with.swarm.network("guestbook")
    refused = FakePhase("network", raises=PlanRefused("the hosts form no swarm yet"))
    named = type_(FakeKit(facts=bare, network=refused), "plan", "network")
    assert (named.exit_code, named.stderr) == (1, "the hosts form no swarm yet\n")


def test_plan_exits_0_when_all_is_true_already(type_: Any) -> None:
    result = type_(FakeKit(), "plan", "network")
    assert (result.exit_code, result.stdout) == (0, "lab default: node1, node2\nnetwork: nothing to do\n")


def test_plan_for_machines_holds_the_steps_not_begun(type_: Any) -> None:
    read = envelope(type_(FakeKit(network=FakePhase("network", [NETWORK])), "plan", "--json"))
    assert read["ok"] is False
    assert [step["state"] for step in read["steps"]] == ["not begun"]
    assert read["steps"][0]["command"] == NETWORK.command
    assert "error" not in read


def test_up_plans_applies_and_proves_each_phase_and_says_where_to_look(type_: Any) -> None:
    swarm, tiers = FakePhase("swarm", [INIT]), FakePhase("tiers", findings=[WELL])
    result = type_(FakeKit(swarm=swarm, tiers=tiers), "up", "--inventory", "lab")
    assert result.exit_code == 0, result.output
    assert (swarm.applied, tiers.applied) == (1, 0)
    assert "node1: form the swarm: 2 of 3 tasks run" in result.stdout
    assert "http://127.0.0.1:8081  http://192.0.2.12" in result.stdout
    assert "overlaykit check --inventory lab" in result.stdout
    assert "\x1b" not in result.output


def test_it_says_on_which_hosts_it_works_before_it_does(type_: Any) -> None:
    """The rule may have found others than a person has in mind."""
    assert type_(FakeKit(lab="attic"), "down").stdout.startswith("lab attic: node1, node2\n")
    assert type_(FakeKit(lab=None), "down", "--json").stderr.startswith("hosts.ini: node1, node2\n")


def test_up_stops_after_the_phase_that_is_named_and_sends_packets_there_alone(type_: Any) -> None:
    swarm, network = FakePhase("swarm"), FakePhase("network")
    tiers = FakePhase("tiers", raises=AssertionError("not to be planned"))
    result = type_(FakeKit(swarm=swarm, network=network, tiers=tiers), "up", "--until", "network")
    assert result.exit_code == 0
    assert (swarm.sent_packets, network.sent_packets) == (False, True)
    assert "guest book" not in result.stdout


def test_up_stops_at_the_first_phase_that_fails_and_keeps_what_was_done(type_: Any) -> None:
    swarm = FakePhase("swarm", [INIT, JOIN], failing={"node2": "node2: nothing answers on 10.77.0.11:2377"})
    kit = FakeKit(swarm=swarm, network=FakePhase("network", raises=AssertionError("not to be planned")))
    result = type_(kit, "up", "--json")
    read = envelope(result)
    assert result.exit_code == 1
    assert read["error"] == "node2: nothing answers on 10.77.0.11:2377"
    assert [(step["host"], step["state"], step["error"]) for step in read["steps"]] == [
        ("node1", "done", None),
        ("node2", "failed", "node2: nothing answers on 10.77.0.11:2377"),
    ]
    assert result.stderr.count("nothing answers") == 1


def test_a_refusal_speaks_of_what_had_been_done_before(type_: Any) -> None:
    refused = PlanRefused(["guestbook is not the kit's: nothing was changed.", "Nothing was changed."])
    more = "nothing more was changed. Nothing more was changed. Before that had been carried out: swarm."
    for steps, told in (([], "nothing was changed. Nothing was changed."), ([INIT], more)):
        kit = FakeKit(swarm=FakePhase("swarm", steps), network=FakePhase("network", raises=refused))
        result = type_(kit, "up", "--inventory", "lab")
        assert result.exit_code != 0
        assert told in " ".join(result.stderr.split())


def test_up_stops_at_the_first_phase_that_is_not_proven(type_: Any) -> None:
    kit = FakeKit(
        network=FakePhase("network", findings=[BROKEN]), tiers=FakePhase("tiers", raises=AssertionError("too far"))
    )
    result = type_(kit, "up")
    assert result.exit_code == 1
    assert "Stopped at network" in result.stderr
    assert "OK402" in result.stdout


def test_what_to_type_next_keeps_what_was_chosen(type_: Any) -> None:
    hosts = ("--inventory=team.ini", "--set=network.mtu=1400", "-K")
    kit = FakeKit(network=FakePhase("network", findings=[BROKEN]))
    result = type_(kit, "up", *hosts, "--until=network", "--adopt", "--recreate", typing="sesame\n")
    said = "overlaykit {} --inventory team.ini --set network.mtu=1400 -K"
    assert f"{said.format('up')} --until=network --adopt --recreate\n" in result.stderr
    result = type_(FakeKit(), "up", *hosts, "--until=network", typing="sesame\n")
    assert f"Next: {said.format('check')}; to remove it all: {said.format('down')}\n" in result.stdout


def test_a_plan_that_is_refused_is_told_line_by_line(type_: Any) -> None:
    refused = PlanRefused(["node1: nginx listens on port 80 already", "node2: the swarm is not the kit's: --adopt"])
    result = type_(FakeKit(swarm=FakePhase("swarm", raises=refused)), "up")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == list(refused.reasons)


def test_choices_reach_the_kit(type_: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVERLAYKIT_BECOME_PASSWORD", "hunter2")
    phase = FakePhase("network", [NETWORK])
    kit = FakeKit(network=phase)
    hosts = ("--inventory", "team.ini", "--managers", "boss", "--workers", "crew", "--adopt")
    assert type_(kit, "up", *hosts, "--recreate", "--until=network", "--set=network.mtu=1400").exit_code == 0
    assert kit.asked == {
        "inventory": "team.ini",
        "adopt": True,
        "managers": "boss",
        "workers": "crew",
        "become_password": Secret("hunter2"),
    }
    assert phase.recreated
    assert {stack.network.mtu for stack in kit.stacks} == {1400}


def test_a_password_that_nobody_can_type_comes_from_the_environment(
    type_: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_terminal(*_: object, **__: object) -> str:
        warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
        return "seen by all"

    monkeypatch.setattr("click.prompt", without_terminal)
    result = type_(FakeKit(), "hosts", "-K")
    assert result.exit_code == 2
    assert result.stderr == (
        "-K asks for the hosts' sudo password, and nobody can type it here: set OVERLAYKIT_BECOME_PASSWORD\n"
    )
    monkeypatch.setenv("OVERLAYKIT_BECOME_PASSWORD", "hunter2")
    kit = FakeKit()
    assert type_(kit, "hosts", "-K").exit_code == 0
    assert kit.asked["become_password"] == Secret("hunter2")


def test_a_slip_is_told_in_one_line_with_its_commands_help(type_: Any) -> None:
    for words, command in ((("lab", "power", "node2"), "lab power"), (("wire", "--word"), "wire"), (("--no",), "")):
        result = type_(FakeKit(), *words)
        assert result.exit_code == 2
        (line,) = result.stderr.splitlines()
        where = f"overlaykit {command}".strip()
        assert line.startswith(f"{where}: ")
        assert line.endswith(f". See {where} --help.")


def test_the_stack_is_the_one_in_this_folder_unless_another_is_named(type_: Any, tmp_path: Path) -> None:
    (tmp_path / "stack.toml").write_text("[frontend]\nreplicas = 4\n")
    (tmp_path / "other.toml").write_text("[frontend]\nreplicas = 5\n")
    kit = FakeKit()
    type_(kit, "plan", "tiers")
    type_(kit, "plan", "tiers", "--stack", "other.toml")
    type_(kit, "plan", "tiers", "--set", "frontend.replicas=6")
    assert [stack.frontend.replicas for stack in kit.stacks] == [4, 5, 6]


def test_check_is_quiet_where_all_is_well(type_: Any) -> None:
    result = type_(FakeKit(discovery=FakePhase("discovery", findings=[WELL, WELL])), "check")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1:] == ["ok       discovery: 2 checks", "2 checks: 2 ok"]


def test_check_draws_what_each_task_sees(type_: Any) -> None:
    rows = [
        Row("frontend.1", "node1", "backend", ("10.20.0.5",), connects=True, answers=True, peers=("node2",)),
        Row("backend.1", "node2", "database", (), connects=False, error="unresolved"),
    ]
    result = type_(FakeKit(discovery=FakePhase("discovery", findings=[WELL], rows=rows)), "check")
    assert [line.split() for line in result.stdout.splitlines()[2:4]] == [
        ["frontend.1", "node1", "backend", "10.20.0.5", "yes", "yes", "node2"],
        ["backend.1", "node2", "database", "nothing", "NO", "unknown", "unresolved"],
    ]
    read = envelope(type_(FakeKit(discovery=FakePhase("discovery", findings=[WELL], rows=rows)), "check", "--json"))
    assert [(row["task"], row["name"], row["connects"], row["peers"]) for row in read["matrix"]] == [
        ("frontend.1", "backend", True, ["node2"]),
        ("backend.1", "database", False, []),
    ]


def test_check_tells_title_evidence_fix_and_chapter_of_what_failed(type_: Any) -> None:
    result = type_(FakeKit(discovery=FakePhase("discovery", findings=[WELL, BROKEN])), "check")
    assert result.exit_code == 1
    for part in (BROKEN.title, BROKEN.evidence[0], BROKEN.fix[0], "docs/findings.md#ok402"):
        assert part in result.stdout
    assert result.stdout.splitlines()[-1] == "2 checks: 1 ok, 1 failed"


def test_check_for_machines_holds_the_findings(type_: Any) -> None:
    read = envelope(type_(FakeKit(discovery=FakePhase("discovery", findings=[WELL, BROKEN])), "check", "--json"))
    assert (read["command"], read["ok"]) == ("check", False)
    assert [finding["severity"] for finding in read["findings"]] == ["ok", "error"]
    assert [host["name"] for host in read["hosts"]] == ["node1", "node2"]


def test_check_proves_nothing_where_nothing_was_seen(type_: Any) -> None:
    blind = replace(WELL, severity="unknown", evidence=("node1: no answer",))
    for findings, code in ([blind], 1), ([], 1), ([WELL, blind], 0):
        assert type_(FakeKit(discovery=FakePhase("discovery", findings=findings)), "check").exit_code == code


def test_persistence_is_checked_only_when_asked_and_counts(type_: Any) -> None:
    lost = Finding("OK414", "error", "what was written is lost", ("node2",), "discovery")
    kit = FakeKit(discovery=FakePhase("discovery", findings=[WELL], persistence=[lost]))
    assert type_(kit, "check").exit_code == 0
    result = type_(kit, "check", "--persistence")
    assert result.exit_code == 1
    assert lost.title in result.stdout


def test_nobodys_own_database_is_killed_for_a_proof(type_: Any) -> None:
    discovery = FakePhase("discovery", raises=AssertionError("not to be asked"))
    result = type_(FakeKit(lab=None, discovery=discovery), "check", "--persistence")
    assert result.exit_code == 1
    assert "no lab made the hosts of hosts.ini" in result.stderr and result.stderr.count("\n") == 1
    assert "checks" not in result.stdout


def test_hosts_shows_who_answered_and_says_who_did_not(type_: Any) -> None:
    silent = "nothing listens on 192.0.2.12:22"
    facts = Facts((HostFacts("node1", engine="26.1.5", kernel="6.12"), HostFacts("node2", error=silent)))
    result = type_(FakeKit(facts=facts), "hosts")
    assert result.exit_code == 1
    assert "26.1.5" in result.stdout and "no answer" in result.stdout
    assert result.stderr == f"node2: {silent}\n"
    read = envelope(type_(FakeKit(facts=facts), "hosts", "--json"))
    assert [(host["name"], host["error"]) for host in read["hosts"]] == [("node1", None), ("node2", silent)]
    assert ["swarm_state" in host for host in read["hosts"]] == [True, False]
    assert read["error"] == f"node2: {silent}"


def test_down_passes_volumes_and_fails_when_something_is_left(type_: Any) -> None:
    left = Finding("OK301", "error", "a volume is left", ("node2",), "tiers")
    kit = FakeKit(down=FakePhase("down", findings=[left]))
    result = type_(kit, "down", "--volumes")
    assert result.exit_code == 1
    assert kit.volumes and kit.closed


def test_secrets_are_masked_in_words_and_for_machines(type_: Any) -> None:
    step = CreateSecret("node1", name="database-password", value=Secret("hunter2"))
    kit = FakeKit(tiers=FakePhase("tiers", [step]))
    for words in (("plan",), ("up",), ("up", "--json")):
        result = type_(kit, *words)
        assert "hunter2" not in result.output
        assert "••••" in result.output


MISTAKES = [
    Problem("unclosed bracket: write [workers]", file="hosts.ini", line=4),
    Problem("'22a' is not a port: write a number from 1 to 65535", "hosts.ini", 7, "workers", "node2", "ansible_port"),
    Problem("'10.77.0.' is not an address", "hosts.ini", 8, "workers", "node3", "swarm_advertise_addr"),
    Problem("node1 is in managers and in workers: take it out of one", "hosts.ini", 9, "workers", "node1"),
    Problem("there is no group spares to be a child", "hosts.ini", 12, "workers:children"),
    Problem("did you mean ansible_host?", "hosts.ini", 14, "workers", "node4", "ansible_hots"),
]


@pytest.mark.parametrize("command", ["hosts", "plan", "up", "check", "down"])
def test_each_of_six_mistakes_in_an_inventory_is_told(type_: Any, command: str) -> None:
    result = type_(FakeKit(raises=InventoryError(MISTAKES)), command)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [str(problem) for problem in MISTAKES]


def test_errors_are_in_the_envelope_too(type_: Any) -> None:
    read = envelope(type_(FakeKit(raises=InventoryError(MISTAKES)), "up", "--json"))
    assert (read["command"], read["ok"]) == ("up", False)
    assert read["error"].splitlines() == [str(problem) for problem in MISTAKES]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["up", "--foo"], "overlaykit up: No such option '--foo'. See overlaykit up --help."),
        (["plan", "tier"], "overlaykit plan: Invalid value for '[PHASE]': 'tier' is not one of"),
        (["doctor"], "overlaykit: No such command 'doctor'"),
        (["check", "--stack", "none.toml"], "overlaykit check: Invalid value for '--stack': File 'none.toml' does not"),
        (["check", "--set", "frontend.replica=3"], "did you mean frontend.replicas?"),
    ],
)
def test_what_is_mistyped_is_one_sentence(type_: Any, words: list[str], sentence: str) -> None:
    result = type_(FakeKit(), *words)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert envelope(type_(FakeKit(), *words, "--json"))["error"] == result.stderr.strip()


def test_the_unexpected_is_a_sentence_and_a_traceback_only_on_request(
    type_: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = type_(FakeKit(raises=KeyError("node9")), "hosts")
    assert result.exit_code == 1
    assert result.stderr.startswith("This should not happen: KeyError: 'node9'.")
    assert "OVERLAYKIT_DEBUG=1" in result.stderr and "Traceback" not in result.stderr
    monkeypatch.setenv("OVERLAYKIT_DEBUG", "1")
    assert "Traceback" in type_(FakeKit(raises=KeyError("node9")), "hosts").stderr


def test_changes_on_other_peoples_hosts_want_a_yes_where_nobody_can_be_asked(type_: Any) -> None:
    swarm = FakePhase("swarm", [INIT])
    result = type_(FakeKit(lab=None, swarm=swarm), "up")
    assert result.exit_code == 2
    assert "--yes" in result.stderr and "node1" in result.stderr
    assert INIT.command in result.stdout
    assert swarm.applied == 0
    assert type_(FakeKit(lab=None, swarm=swarm), "up", "--yes").exit_code == 0
    assert swarm.applied == 1


@pytest.mark.parametrize("words", [["check"], ["wire"]])
def test_a_proof_on_other_peoples_hosts_wants_a_yes_too(type_: Any, words: list[str]) -> None:
    kit = FakeKit(lab=None, discovery=FakePhase("discovery", findings=[WELL]), wire=FakePhase("wire"))
    refused = type_(kit, *words)
    assert refused.exit_code == 2
    assert "struck out again" in refused.stderr and "--yes" in refused.stderr
    assert not kit.allow_changes


def test_nothing_is_asked_where_nothing_would_change(type_: Any) -> None:
    assert type_(FakeKit(lab=None), "up").exit_code == 0


@pytest.mark.parametrize(
    "command", ["", "init", "hosts", "plan", "up", "check", "wire", "down", "lab", "lab up", "lab ssh"]
)
def test_every_help_text_has_an_example(command: str) -> None:
    result = CliRunner().invoke(main, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert f"overlaykit {command}".strip() in result.stdout.partition("\n")[2]
    assert "..." not in result.stdout.partition("Commands:")[2], "a short text is cut off"


def test_help_waits_for_neither_rich_nor_docker() -> None:
    """Half a second each: a person who asks for help must not pay for them."""
    asked = "import sys, overlaykit.ui.cli; print(*{'rich', 'docker', 'paramiko', 'requests'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
