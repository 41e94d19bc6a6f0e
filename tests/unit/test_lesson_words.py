"""What lessons stand on: verdicts, questions, exercises, and a start that says in one sentence what is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fake_kit import HOSTS

from overlaykit.kit import Hosts
from overlaykit.lessons import begin, power_off, power_on, turn
from overlaykit.lessons.questions import Choice, all_questions, read_question
from overlaykit.lessons.turns import TURNS
from overlaykit.lessons.verdict import NotYet, Verdict
from overlaykit.remote.fake import FakeConnection
from overlaykit.remote.fleet import Fleet
from overlaykit.words.errors import InputError, LabError, PlanRefused
from overlaykit.words.host import Inventory

DONE = Verdict("every host is in", passed=True)
UNDONE = Verdict("every <host> is in", passed=False, hint="node2 is not")


def hosts_of_others() -> Hosts:
    inventory = Inventory(HOSTS, "hosts.ini")
    return Hosts(inventory, Fleet.open(inventory, connect=FakeConnection), allow_changes=False, adopt=False)


def test_a_verdict_in_words() -> None:
    assert repr(DONE) == "PASS: every host is in"
    assert repr(UNDONE) == "NOT YET: every <host> is in\nHint: node2 is not"


def test_a_verdict_in_a_notebook() -> None:
    assert "<b>PASS</b>: every host is in" in DONE._repr_html_()
    assert "<code>docker ps</code>" in Verdict("all is well", passed=False, hint="`docker ps` tells")._repr_html_()
    assert "<b>NOT YET</b>: every &lt;host&gt; is in<br>Hint: node2 is not" in UNDONE._repr_html_()


def test_a_verdict_over_several_goals_passes_when_all_do() -> None:
    both = Verdict.of("the whole stack", [DONE, UNDONE])
    assert not both.passed
    assert repr(both) == f"{DONE!r}\n{UNDONE!r}"
    assert "PASS" in both._repr_html_() and "NOT YET" in both._repr_html_()
    assert Verdict.of("the whole stack", [DONE, DONE]).passed


def test_not_yet_without_a_hint_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="NOT YET without a hint"):
        Verdict("every host is in", passed=False)


def test_what_is_required_is_given_back_or_said() -> None:
    assert DONE.require() is DONE
    with pytest.raises(AssertionError, match="NOT YET: every <host> is in\nHint: node2 is not"):
        UNDONE.require()
    assert NotYet(repr(UNDONE))._render_traceback_() == repr(UNDONE).splitlines()


def test_an_error_shows_its_sentences_and_no_traceback() -> None:
    assert PlanRefused(["one", "two"])._render_traceback_() == ["one", "two"]
    program = "from overlaykit import OverlaykitError; print(hasattr(OverlaykitError, '_render_traceback_'))"
    debugging = subprocess.run(
        [sys.executable, "-c", program], env={"OVERLAYKIT_DEBUG": "1"}, capture_output=True, text=True, check=True
    )
    assert debugging.stdout == "False\n"


@pytest.mark.parametrize("question", all_questions(), ids=lambda question: f"{question.lesson}-{question.key}")
def test_every_question_has_three_choices_and_each_wrong_one_a_name(question: object) -> None:
    choices: tuple[Choice, ...] = question.choices  # type: ignore[attr-defined]
    assert sorted(choice.right for choice in choices) == [False, False, True]
    assert len({choice.text for choice in choices}) == len({choice.answer for choice in choices}) == 3
    assert all(choice.text.strip() and choice.answer.strip() for choice in choices)


def test_there_are_questions_and_the_right_answer_is_not_always_at_one_place() -> None:
    places = {[choice.right for choice in question.choices].index(True) for question in all_questions()}
    assert places == {0, 1, 2}


def test_a_question_that_is_not_there() -> None:
    with pytest.raises(InputError, match="lesson 12 has no question 'why'; it has: none"):
        read_question("12", "why")


def test_a_lesson_without_an_exercise() -> None:
    with pytest.raises(InputError, match="lesson '12' has no exercise; these have one: 00, 01"):
        turn("12", hosts_of_others())


def test_every_exercise_has_its_check() -> None:
    folder = Path(__file__).parents[2] / "overlaykit" / "lessons" / "turns"
    assert set(TURNS.values()) <= {path.stem for path in folder.glob("*.py")}


def test_the_power_of_other_peoples_hosts_is_not_the_lessons() -> None:
    with pytest.raises(PlanRefused, match=r"node2 is not switched off: .* --availability drain node2"):
        power_off(hosts_of_others(), "node2")
    with pytest.raises(PlanRefused, match="node2 is not switched on"):
        power_on(hosts_of_others(), "node2")


@pytest.fixture
def nothing_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("nothing_built")
def test_a_lab_that_was_not_built_is_not_built_in_the_first_cell(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LabError, match="type `make lab` in a terminal, or `overlaykit lab build`"):
        begin("03", "lab")
    assert capsys.readouterr().out == "Start('03')\n"


@pytest.mark.usefixtures("nothing_built", "capsys")
def test_a_lesson_takes_three_hosts(tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text("[managers]\nnode1 ansible_host=127.0.0.1 ansible_port=9\n")
    with pytest.raises(InputError, match=r"hosts\.ini names 1 of the 3 hosts that a lesson takes"):
        begin("03", inventory)
