"""Steps and probes that end badly: each still has its outcome, and Ctrl-C waits for none."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import pytest

from overlaykit.remote.apply import apply_plan
from overlaykit.remote.fake import FakeConnection
from overlaykit.remote.fleet import Fleet
from overlaykit.remote.probes.ask import run_probes
from overlaykit.remote.ssh.channels import EngineSocket
from overlaykit.words.errors import Cancelled, ConnectionLost
from overlaykit.words.host import Host, Inventory
from overlaykit.words.plan import ApplyFailed, Event, Plan
from overlaykit.words.probes import Answer, CountPackets
from overlaykit.words.steps import InitSwarm

HOSTS = (Host("node1", "192.0.2.1", "manager"), Host("node2", "192.0.2.2", "worker"))
PLAN = Plan("swarm", (tuple(InitSwarm(host.name) for host in HOSTS),))


def fleet_of(connect: Callable[[Host], FakeConnection]) -> Fleet:
    return Fleet.open(Inventory(HOSTS, "a test"), connect=connect)


def broken() -> EngineSocket:
    raise ZeroDivisionError("one line\nand another")


def test_a_fault_of_the_kit_is_the_outcome_of_its_step_and_hides_no_other() -> None:
    fleet = fleet_of(lambda host: FakeConnection(host, engine=broken if host.name == "node1" else None))
    told: list[Event] = []
    with pytest.raises(ApplyFailed) as raised:
        apply_plan(fleet, PLAN, observer=told.append)
    first, second = raised.value.result.outcomes
    assert first.error == (
        "node1: ZeroDivisionError: one line and another. "
        "It is a fault of overlaykit: please report it with what was being done"
    )
    assert (second.state, second.error) == ("failed", "node2: there is no Docker Engine")
    assert sorted(event.step.host for event in told if event.state == "failed") == ["node1", "node2"]
    assert isinstance(raised.value.__cause__, ZeroDivisionError)  # for whoever debugs


def test_a_host_that_fails_three_steps_is_told_of_once() -> None:
    plan = Plan("swarm", ((InitSwarm("node1"),) * 3,))
    with pytest.raises(ApplyFailed) as raised:
        apply_plan(fleet_of(FakeConnection), plan)
    assert len(raised.value.result.failed) == 3
    assert str(raised.value) == "node1: there is no Docker Engine"


def test_a_fault_of_the_kit_is_a_probes_answer() -> None:
    fleet = fleet_of(FakeConnection)  # it expects no command, and raises KeyError
    answers = run_probes(fleet, [CountPackets(host.name) for host in HOSTS])
    assert [answer.error.partition(": ")[0] for answer in answers] == ["node1", "node2"]
    assert all("KeyError" in answer.error and "a fault of overlaykit" in answer.error for answer in answers)


def test_probes_that_were_cancelled_say_so_when_each_has_ended() -> None:
    cancel = threading.Event()
    told: list[Answer] = []

    def hear(answer: Answer) -> None:
        told.append(answer)
        cancel.set()

    before, meanwhile = "before anything was asked: nothing is proven$", "the hosts were asked: nothing is proven$"
    for heard, words in ((len(HOSTS), meanwhile), (0, before)):
        told.clear()
        with pytest.raises(Cancelled, match=words):
            run_probes(fleet_of(FakeConnection), [CountPackets(host.name) for host in HOSTS], hear, cancel)
        assert len(told) == heard


class Stuck(FakeConnection):
    """A host that does not answer until it is released."""

    reached = threading.Event()
    released = threading.Event()

    def connect(self) -> None:
        if self._connected:
            self.reached.set()
            self.released.wait(20)
            raise ConnectionLost(self.host.name, "it went away")
        super().connect()


@pytest.mark.parametrize(
    "work",
    [lambda fleet: apply_plan(fleet, PLAN), lambda fleet: run_probes(fleet, [CountPackets("node1")])],
    ids=["steps", "probes"],
)
def test_an_interrupt_waits_for_no_host(work: Callable[[Fleet], object]) -> None:
    fleet = fleet_of(Stuck)
    Stuck.reached.clear()
    Stuck.released.clear()
    main = threading.main_thread().ident or 0

    def interrupt() -> None:
        Stuck.reached.wait(10)
        signal.pthread_kill(main, signal.SIGINT)

    pressing = threading.Thread(target=interrupt)
    pressing.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            work(fleet)
        workers = [one for one in threading.enumerate() if one.name.startswith(("apply", "probe"))]
        assert workers, "it waited until the host had answered"
    finally:
        Stuck.released.set()
        pressing.join()
    for worker in workers:
        worker.join(10)
