"""What a lesson shows, without a browser: the start's log, a prediction, a script on a host."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fake_kit import HOSTS
from IPython.core.interactiveshell import InteractiveShell

from overlaykit.kit import Hosts
from overlaykit.lessons.marked import marked
from overlaykit.lessons.questions import Choice, Question
from overlaykit.remote.connection import CommandResult
from overlaykit.remote.fake import Answer, FakeConnection
from overlaykit.remote.fleet import Fleet
from overlaykit.ui.notebook.prediction import Prediction
from overlaykit.ui.notebook.shell import HostShell, run_script
from overlaykit.ui.notebook.start import StartPanel
from overlaykit.words.errors import CommandFailed, InputError, PlanRefused
from overlaykit.words.host import Inventory

WHERE = Question(
    "03",
    "where",
    "Where is it?",
    (
        Choice("everywhere", "It comes with the first task.", "An overlay exists on every host at once"),
        Choice("on the manager", "Only there, so far."),
        Choice("nowhere", "The manager has it.", "A network exists once it is used"),
    ),
)
ANSWERS: dict[str, Answer] = {
    "hostname\n": "node1\n",
    "quietly\n": CommandResult("", "", 0),
    "false\n": CommandResult("before\n", "no such thing\n", 1),
    "mistyped\n": CommandResult("", "no such image\n\nSee 'docker run --help'.\n", 125),
}


def the_hosts(*, allow_changes: bool = True) -> Hosts:
    inventory = Inventory(HOSTS, "hosts.ini")
    fleet = Fleet.open(inventory, connect=lambda host: FakeConnection(host, ANSWERS))
    return Hosts(inventory, fleet, allow_changes=allow_changes, adopt=False)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A notebook's shell that knows `%%on`, whatever environment whoever tests has activated."""
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    started = InteractiveShell()
    started.register_magics(HostShell(started, the_hosts()))
    yield started
    if started.history_manager:
        started.history_manager.end_session()


def test_a_start_reads_the_same_on_every_run() -> None:
    panel = StartPanel("03")
    panel.say("undo", "node2: remove container <web>")
    assert repr(panel) == "Start('03')"
    assert 'role="status"' in panel.value
    assert "Undo" in panel.value and "&lt;web&gt;" in panel.value


def test_a_prediction_says_nothing_before_a_choice() -> None:
    asked = Prediction(WHERE)
    assert repr(asked) == "Prediction('03', 'where')"
    assert asked.choice.index is None
    assert not any(choice.answer in asked.answer.value for choice in WHERE.choices)


def test_a_prediction_can_be_read_without_a_kernel_and_keeps_its_answers() -> None:
    page = Prediction(WHERE)._repr_mimebundle_()["text/html"]
    assert marked(WHERE.text) in page
    assert [page.count(f"<li>{marked(choice.text)}</li>") for choice in WHERE.choices] == [1, 1, 1]
    assert not any(marked(choice.answer) in page for choice in WHERE.choices)


def test_a_prediction_answers_each_choice() -> None:
    asked = Prediction(WHERE)
    asked.choice.index = 0
    assert "Not so" in asked.answer.value and "An overlay exists on every host at once" in asked.answer.value
    asked.choice.index = 1
    assert "<b>Right.</b> Only there, so far." in asked.answer.value
    assert 'role="status"' in asked.answer.value


def test_what_is_typed_looks_like_code() -> None:
    choices = Choice("by `docker run`", "`docker run` does."), *WHERE.choices[1:]
    asked = Prediction(Question("03", "how", "What does `docker` do?", choices))
    asked.choice.index = 0
    assert asked.choice.options[0] == "by docker run"
    assert "<code>docker run</code> does." in asked.answer.value
    assert "<code>docker</code>" in asked.children[0].value


def test_a_script_on_a_host_prints_what_it_says(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell_magic("on", "node1", "hostname\n")
    shell.run_cell_magic("on", "node1 --quiet", "hostname\n")
    shell.run_cell_magic("on", "node1", "quietly\n")
    assert capsys.readouterr().out == "node1\n"


def test_the_hosts_name_may_be_a_variable(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.user_ns["first"] = "node1"
    shell.run_cell("%%on {first}\nhostname\n")
    assert capsys.readouterr().out == "node1\n"


def test_a_script_that_fails_is_one_sentence() -> None:
    with pytest.raises(CommandFailed, match="node1: the script ended with 1: no such thing"):
        run_script(the_hosts(), "node1", "false\n")


def test_the_reason_is_shown_though_it_is_not_the_last_line() -> None:
    with pytest.raises(CommandFailed, match=r"ended with 125:\nno such image\n\nSee 'docker run --help'\.$"):
        run_script(the_hosts(), "node1", "mistyped\n")


def test_a_sentence_fails_the_cell_and_shows_no_traceback(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = shell.run_cell("%%on node1\nfalse\n")
    assert isinstance(ended.error_in_exec, CommandFailed)
    assert capsys.readouterr().out == "node1: the script ended with 1: no such thing\n"


def test_a_script_that_may_fail_shows_how(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell_magic("on", "node1 --may-fail", "false\n")
    assert capsys.readouterr().out == "before\nno such thing\n"


def test_nothing_is_run_on_hosts_of_others_unasked() -> None:
    with pytest.raises(PlanRefused, match=r"node1 is not the lab's: nothing was run there. ALLOW_CHANGES = True"):
        run_script(the_hosts(allow_changes=False), "node1", "hostname\n")


def test_a_host_that_is_not_there() -> None:
    with pytest.raises(InputError, match="there is no host 'node7': write %%on and one of node1, node2"):
        run_script(the_hosts(), "node7", "hostname\n")
