"""The panels, read and pressed without a browser: what is turned, planned, applied, cancelled and proved."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest
from fake_kit import FakeKit, FakePhase
from panel_reader import Reader, until

from overlaykit.ui.panels import DiscoveryPanel, NetworkPanel, SwarmPanel, TiersPanel
from overlaykit.ui.panels.worker import MOMENT
from overlaykit.words.errors import Cancelled, PlanRefused
from overlaykit.words.findings import Finding
from overlaykit.words.plan import ApplyFailed
from overlaykit.words.probes import Row
from overlaykit.words.secret import Secret
from overlaykit.words.stack import Stack
from overlaykit.words.stack_file import load_stack
from overlaykit.words.steps import CreateNetwork, CreateSecret, InitSwarm, JoinSwarm

NETWORK = CreateNetwork("node1", name="guestbook", subnet="10.20.0.0/24")
SWARM = [InitSwarm("node1", advertise_addr="10.77.0.11"), JoinSwarm("node2", via="node1")]
WELL = Finding("OK202", "ok", "network guestbook is there", evidence=("subnet 10.20.0.0/24",))
BROKEN = Finding("OK203", "error", "node1 does not reach node2", evidence=("3 <lost>",), fix=("open UDP 4789",))


@pytest.fixture(autouse=True)
def beside_a_notebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A folder of its own, and no widget of another test."""
    monkeypatch.chdir(tmp_path)
    yield
    widgets.Widget.close_all()


def network_panel(*, lab: str | None = "default", **phase: Any) -> tuple[Reader, FakePhase]:
    phase = {"steps": [NETWORK], "findings": [WELL], **phase}
    fake = FakePhase("network", phase.pop("steps"), **phase)
    return Reader(NetworkPanel(FakeKit(lab=lab, network=fake), Stack())), fake  # type: ignore[arg-type]


@pytest.mark.parametrize("panel", [SwarmPanel, NetworkPanel, TiersPanel, DiscoveryPanel])
def test_a_panel_is_called_by_its_stack_on_every_run(panel: Any) -> None:
    shown = panel(FakeKit(), Stack())
    bundle = shown._repr_mimebundle_()
    assert bundle["text/plain"] == repr(shown) == f"{panel.__name__}(guestbook)"
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_shown_for_the_first_time_it_looks_at_the_hosts() -> None:
    reader, _ = network_panel()
    assert "docker network create" not in reader.text
    reader.panel._repr_mimebundle_()
    reader.wait()
    assert reader.status.startswith("1 step to do, as seen at ")
    assert "docker network create --driver overlay --subnet 10.20.0.0/24 guestbook" in reader.text


def test_what_is_turned_is_a_new_stack_and_its_plan_follows() -> None:
    reader, _ = network_panel()
    before = reader.panel.stack
    reader.turn("network.subnet", "10.30.0.0/24")
    assert reader.panel.stack == before.set("network.subnet", "10.30.0.0/24")
    assert before == Stack()
    until(lambda: reader.status.startswith("1 step to do"))
    assert reader.panel.hosts.stacks[-1].network.subnet == "10.30.0.0/24"
    assert "okp-stale" not in reader.panel._plan_view._dom_classes


def test_a_refused_value_is_explained_in_the_librarys_words_and_changes_nothing() -> None:
    reader, _ = network_panel()
    reader.turn("network.subnet", "10.20.0.0/33")
    assert reader.alerts == ["'10.20.0.0/33' is not a subnet: write it like 10.20.0.0/24"]
    assert reader.panel.stack == Stack()
    assert "okp-stale" in reader.panel._plan_view._dom_classes  # it is not of what stands above it
    assert [reader.button(name).disabled for name in ("Plan", "Apply", "Prove", "Export stack.toml")] == [True] * 4
    reader.turn("network.subnet", "10.20.0.0/24")
    assert reader.alerts == []
    assert not reader.button("Apply").disabled


def test_apply_shows_each_step_and_proves_it() -> None:
    reader, fake = network_panel()
    reader.press("Apply")
    assert fake.applied == 1
    assert fake.sent_packets
    assert reader.status == "applied: 1 step done"
    for seen in ("create network guestbook", "✓ done", "1 of 1 done", "network guestbook is there", "1 check: 1 ok"):
        assert seen in reader.text


def test_what_was_turned_just_before_is_not_planned_behind_the_result() -> None:
    reader, fake = network_panel()
    reader.turn("network.subnet", "10.30.0.0/24")
    reader.press("Apply")
    time.sleep(2 * MOMENT)  # that nothing comes is announced by nobody
    reader.wait()
    assert (fake.applied, reader.status) == (1, "applied: 1 step done")


def test_in_code_it_is_what_the_phase_is() -> None:
    reader, fake = network_panel()
    assert repr(reader.panel.plan()) == "node1: create network guestbook"
    assert repr(reader.panel.apply()) == "node1: create network guestbook: done"
    assert not fake.sent_packets  # it is proved where that is asked for
    assert list(reader.panel.prove()) == [WELL]


def test_what_is_found_is_told_with_its_evidence_and_escaped() -> None:
    reader, _ = network_panel(findings=[WELL, BROKEN])
    reader.press("Prove")
    html = "\n".join(one.value for one in reader.widgets() if isinstance(one, widgets.HTML))
    assert "✗ FAILED" in html
    assert " open><summary>" in html
    assert "3 &lt;lost&gt;" in html
    assert "open UDP 4789" in html
    assert reader.status == "not so: see the proof"


def test_what_fails_is_a_sentence_in_the_panel_and_raised_to_code() -> None:
    reader, _ = network_panel(failing={"node1": "node1: the engine said no: pool overlaps"})
    reader.press("Apply")
    assert reader.alerts == ["node1: the engine said no: pool overlaps"]
    assert reader.status == "not done"
    assert "✗ FAILED" in reader.text
    assert not reader.button("Apply").disabled
    with pytest.raises(ApplyFailed):
        reader.panel.apply()


def test_a_refused_plan_is_a_sentence() -> None:
    reader, fake = network_panel(raises=PlanRefused("the hosts form no swarm yet"))
    reader.press("Plan")
    reader.press("Apply")
    assert reader.alerts == ["the hosts form no swarm yet"]
    assert fake.applied == 0


def test_a_fault_of_the_kit_is_a_sentence_too() -> None:
    reader, _ = network_panel(raises=KeyError("node9"))
    reader.press("Plan")
    (alert,) = reader.alerts
    assert alert.startswith("default: KeyError: 'node9'. It is a fault of overlaykit")


def test_cancel_stops_and_the_next_apply_completes() -> None:
    begun, cancelled = threading.Event(), threading.Event()

    def while_applying() -> None:
        begun.set()
        cancelled.wait(10)

    reader, fake = network_panel(steps=[NETWORK, InitSwarm("node2")], while_applying=while_applying)
    assert reader.button("Cancel").disabled
    reader.press("Apply", wait=False)
    assert begun.wait(10)
    assert reader.button("Apply").disabled
    assert "2 of 3 tasks run" in reader.text
    reader.press("Cancel", wait=False)
    cancelled.set()
    reader.wait()
    assert reader.status == "cancelled"
    assert reader.alerts == ["network: cancelled; applying again goes on from here"]
    assert "form the swarm</span> <b>not begun" in reader.text
    assert reader.button("Cancel").disabled
    reader.press("Apply")
    assert (reader.status, fake.applied) == ("applied: 2 steps done", 2)


def test_what_is_turned_meanwhile_disturbs_nothing_and_is_planned_next(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, released = threading.Event(), threading.Event()

    def while_applying() -> None:
        begun.set()
        released.wait(10)

    monkeypatch.setattr("overlaykit.ui.panels.worker.MOMENT", 0.0)
    reader, fake = network_panel(while_applying=while_applying)
    reader.press("Apply", wait=False)
    assert begun.wait(10)
    reader.turn("network.subnet", "10.30.0.0/24")
    assert "create network guestbook" in reader.text
    assert reader.status == "applying: 0 of 1 done"
    released.set()
    until(lambda: reader.status.startswith("1 step to do"))
    assert (fake.applied, reader.panel.hosts.stacks[-1].network.subnet) == (1, "10.30.0.0/24")


def test_an_interrupted_cell_cancels_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, released = threading.Event(), threading.Event()

    def while_applying() -> None:
        begun.set()
        released.wait(10)

    def interrupted(self: Any, timeout: float | None = None) -> None:
        begun.wait(10)
        raise KeyboardInterrupt

    reader, _ = network_panel(while_applying=while_applying)
    with monkeypatch.context() as patched:
        patched.setattr("concurrent.futures.Future.result", interrupted)
        with pytest.raises(KeyboardInterrupt):
            reader.panel.apply()
    released.set()
    until(lambda: reader.status == "cancelled")


class Held:
    """Work that begins, and goes on until it is let go."""

    def __init__(self) -> None:
        self.begun, self.let_go = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        self.let_go.wait(10)


def test_a_proof_is_cancelled_too() -> None:
    proving = Held()
    reader, _ = network_panel(while_proving=proving)
    reader.press("Prove", wait=False)
    assert proving.begun.wait(10)
    reader.press("Cancel", wait=False)
    assert reader.status == "cancelling: what runs ends first"
    proving.let_go.set()
    reader.wait()
    assert reader.status == "cancelled"
    assert reader.alerts == ["network: cancelled while the hosts were asked"]
    assert (reader.button("Cancel").disabled, reader.button("Prove").disabled) == (True, False)


def test_the_proof_behind_an_apply_is_cancelled_and_what_was_applied_stays() -> None:
    proving = Held()
    reader, fake = network_panel(while_proving=proving)
    reader.panel._recreate.value = True
    reader.press("Apply", wait=False)
    assert proving.begun.wait(10)
    reader.press("Cancel", wait=False)
    proving.let_go.set()
    reader.wait()
    assert (reader.status, fake.applied, reader.panel._recreate.value) == ("cancelled", 1, False)
    assert "1 of 1 done" in reader.text


def test_asking_who_finds_whom_is_cancelled_too() -> None:
    asking = Held()
    kit = FakeKit(discovery=FakePhase("discovery", findings=[WELL], while_proving=asking))
    reader = Reader(DiscoveryPanel(kit, Stack()))  # type: ignore[arg-type]
    assert reader.button("Cancel").disabled
    reader.press("Refresh", wait=False)
    assert asking.begun.wait(10)
    reader.press("Cancel", wait=False)
    asking.let_go.set()
    reader.wait()
    assert (reader.status, reader.button("Refresh").disabled) == ("cancelled", False)
    reader.press("Refresh")
    assert reader.status == "proven"


@pytest.mark.parametrize(("panel", "name", "button"), [
    (NetworkPanel, "network", "Apply"), (NetworkPanel, "network", "Prove"), (DiscoveryPanel, "discovery", "Refresh"),
])  # fmt: skip
def test_its_cell_run_again_shows_the_work_and_begins_no_second(panel: Any, name: str, button: str) -> None:
    held = Held()
    phases: Any = {name: FakePhase(name, [NETWORK], findings=[WELL], while_applying=held, while_proving=held)}
    kit = FakeKit(**phases)
    reader = Reader(panel(kit, Stack()))
    reader.press(button, wait=False)
    assert held.begun.wait(10)
    assert panel(kit, Stack()) is reader.panel
    assert panel(kit, Stack().set("network.subnet", "10.30.0.0/24")) is not reader.panel
    assert panel(FakeKit(lab="another"), Stack()) is not reader.panel
    part = FakeKit(**phases)
    part.inventory = kit.inventory.only("node1")
    assert panel(part, Stack()) is not reader.panel
    held.let_go.set()
    reader.wait()
    assert panel(kit, Stack()) is not reader.panel


def test_a_page_that_has_just_come_is_told_how_all_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so by the number of its views, as whoever opens the notebook again does after the work has ended."""
    kit: Any = FakeKit(network=FakePhase("network", [NETWORK]))
    panel, told = NetworkPanel(kit, Stack()), list[Any]()
    monkeypatch.setattr(widgets.Widget, "send_state", lambda widget, **_: told.append(widget))
    panel._view_count = 1
    assert {panel._status, panel._alert, panel._steps, panel._buttons.apply} <= set(told)


def swarm_panel() -> tuple[Reader, FakeKit]:
    kit = FakeKit(swarm=FakePhase("swarm", SWARM, findings=[WELL]))
    return Reader(SwarmPanel(kit, Stack())), kit  # type: ignore[arg-type]


def test_who_takes_part_is_ticked_and_handed_on() -> None:
    reader, kit = swarm_panel()
    assert reader.panel.hosts is kit
    assert "node1 as manager, node2 as worker" in reader.text
    reader.turn("take part", ("node1",))
    assert [host.name for host in reader.panel.hosts.inventory] == ["node1"]
    assert len(kit.inventory) == 2
    assert "Nothing is done on node2. Who is in the swarm already stays in it" in reader.text
    reader.press("Plan")
    planned: Any = kit._given["swarm"].hosts
    assert planned is reader.panel.hosts
    reader.turn("take part", ("node1", "node2"))
    assert len(reader.panel.hosts.inventory) == 2
    assert "Nothing is done on" not in reader.text


def test_without_a_manager_nobody_takes_part_and_it_says_why() -> None:
    reader, _ = swarm_panel()
    reader.turn("take part", ("node2",))
    assert reader.alerts == ["no manager takes part, and a swarm is formed by one: choose at least one of node1"]
    assert [host.name for host in reader.panel.hosts.inventory] == ["node1", "node2"]
    assert [reader.button(name).disabled for name in ("Plan", "Apply", "Prove")] == [True] * 3
    reader.turn("take part", ("node1",))
    assert (reader.alerts, reader.button("Apply").disabled) == ([], False)


def test_two_panels_do_not_change_the_same_hosts_at_once() -> None:
    begun, released = threading.Event(), threading.Event()

    def while_applying() -> None:
        begun.set()
        released.wait(10)

    busy, _ = network_panel(while_applying=while_applying)
    other, fake = network_panel()
    elsewhere, _ = network_panel(lab="another")
    busy.press("Apply", wait=False)
    assert begun.wait(10)
    other.press("Apply")
    assert other.alerts == [
        "NetworkPanel(guestbook) is at work on these hosts: nothing was changed. Try again when it has ended."
    ]
    assert fake.applied == 0
    elsewhere.press("Apply")
    assert elsewhere.status == "applied: 1 step done"
    released.set()
    busy.wait()
    other.press("Apply")
    assert fake.applied == 1


def test_what_a_cell_begins_meanwhile_comes_next_and_both_are_cancelled() -> None:
    held = Held()
    fake = FakePhase("discovery", findings=[WELL], while_proving=held)
    reader = Reader(DiscoveryPanel(FakeKit(discovery=fake), Stack()))  # type: ignore[arg-type]
    reader.press("Refresh", wait=False)
    assert held.begun.wait(10)
    second = reader.panel._start()
    reader.press("Cancel", wait=False)
    held.let_go.set()
    with pytest.raises(Cancelled):
        second.result(10)
    until(lambda: not reader.button("Refresh").disabled)
    assert reader.status == "cancelled"


def test_on_hosts_of_others_apply_is_off_and_says_why() -> None:
    reader, _ = network_panel(lab=None)
    assert reader.button("Apply").disabled
    assert "connect(…, allow_changes=True)" in reader.text
    assert not reader.button("Plan").disabled


def test_on_hosts_of_others_only_what_was_shown_is_applied() -> None:
    fake = FakePhase("network", [NETWORK])
    kit = FakeKit(lab=None, network=fake)
    kit.allow_changes = True
    reader = Reader(NetworkPanel(kit, Stack()))  # type: ignore[arg-type]
    reader.press("Apply")
    assert reader.alerts == ["This plan was not shown yet: nothing was changed. Read it, then press Apply again."]
    assert fake.applied == 0
    reader.press("Apply")
    assert fake.applied == 1


def test_making_anew_is_agreed_to_once() -> None:
    reader, fake = network_panel()
    reader.panel._recreate.value = True
    reader.press("Apply")
    assert fake.applied == 1
    assert reader.panel._recreate.value is False


def test_no_secret_is_in_the_state_of_any_widget() -> None:
    secret = CreateSecret("node1", name="guestbook-password", value=Secret("hunter2"))
    kit = FakeKit(swarm=FakePhase("swarm", SWARM), tiers=FakePhase("tiers", [secret]))
    for panel in (SwarmPanel(kit, Stack()), TiersPanel(kit, Stack())):  # type: ignore[arg-type]
        Reader(panel).press("Apply")
    state = json.dumps(widgets.Widget.get_manager_state())
    assert "docker secret create" in state
    assert "docker swarm join --token" in state
    assert "hunter2" not in state
    assert "SWMTKN" not in state


def test_export_writes_what_reads_back_and_never_over_another_file_unasked() -> None:
    reader, _ = network_panel()
    reader.turn("network.subnet", "10.30.0.0/24")
    reader.press("Export stack.toml", wait=False)
    assert load_stack("stack.toml") == reader.panel.stack
    assert f"written to {Path('stack.toml').resolve()}" in reader.text
    reader.press("Export stack.toml", wait=False)
    assert "says just this already" in reader.text

    reader.turn("network.subnet", "10.40.0.0/24")
    reader.press("Export stack.toml", wait=False)
    assert "is there and says something else: nothing was written" in reader.alerts[-1]
    assert load_stack("stack.toml").network.subnet == "10.30.0.0/24"
    reader.press("Overwrite", wait=False)
    assert load_stack("stack.toml") == reader.panel.stack


def test_the_matrix_says_who_sees_whom() -> None:
    rows = [
        Row("frontend.1", "node1", "backend", ("10.20.0.5",), connects=True, answers=True, peers=("node2",)),
        Row("backend.1", "node2", "database", (), connects=False, answers=False, error="no such name"),
        Row("backend.2", "?", "database", error="it runs on a node that the inventory does not name"),
    ]
    kit = FakeKit(discovery=FakePhase("discovery", rows=rows, findings=[BROKEN]))
    reader = Reader(DiscoveryPanel(kit, Stack()))  # type: ignore[arg-type]
    assert reader.status.startswith("press Refresh")
    reader.press("Refresh")
    for seen in ("frontend.1", "10.20.0.5", "✓ yes", "✗ NO", "? unknown", "no such name", "does not reach node2"):
        assert seen in reader.text
    assert reader.status == "not so: see the proof"
    assert list(reader.panel.prove()) == [BROKEN]


def test_nobodys_hosts_are_asked_unless_that_is_allowed() -> None:
    kit = FakeKit(lab=None, discovery=FakePhase("discovery", rows=[Row("a.1", "node1", "b")], findings=[WELL]))
    reader = Reader(DiscoveryPanel(kit, Stack()))  # type: ignore[arg-type]
    reader.press("Refresh")
    assert "a.1" not in reader.text


def test_an_interrupted_wait_says_cancelled() -> None:
    reader, _ = network_panel(raises=Cancelled("network: cancelled"))
    reader.press("Plan")
    assert reader.status == "cancelled"
