"""Each phase is planned as if those before it had been carried out: from bare engines, and where all is made anew."""

from __future__ import annotations

import json
from pathlib import Path

from test_phases import CASES, IMAGES, THREE

from overlaykit.phases.assumed import after
from overlaykit.phases.facts import read_facts
from overlaykit.phases.network import plan_network
from overlaykit.phases.services import Wanted
from overlaykit.phases.swarm import plan_swarm
from overlaykit.phases.tiers import plan_tiers
from overlaykit.reading.inventory import read_inventory
from overlaykit.words.plan import Plan
from overlaykit.words.secret import Secret
from overlaykit.words.stack import Stack

INVENTORY = read_inventory(THREE, source="hosts.ini", env={})


def planned(answers: str, stack: Stack, *, recreate: bool = False) -> tuple[Plan, Plan, Plan]:
    """All three, one after the other."""
    facts = read_facts(json.loads(Path(CASES / "answers" / answers).read_text()), INVENTORY)
    swarm = plan_swarm(facts, INVENTORY, stack)
    facts = after(swarm, facts)
    network = plan_network(facts, stack, IMAGES, recreate=recreate)
    facts = after(network, facts)
    wanted = Wanted(IMAGES, "server {}\n", stack.name)
    return swarm, network, plan_tiers(facts, INVENTORY, stack, wanted, Secret("hunter2"), recreate=recreate)


def test_from_bare_engines_to_three_tiers() -> None:
    swarm, network, tiers = planned("bare.json", Stack())
    assert swarm.commands[0].startswith("node1$ docker swarm init")
    created = [command for command in network.commands if "docker network create" in command]
    assert len(created) == 1
    assert sum("docker service create" in command for command in tiers.commands) == 3
    sent = [(step.host, step.title) for plan in (network, tiers) for step in plan if "image" in step.title]
    assert len(sent) == len(set(sent)) == 9, "each host is sent each image, once"


def test_what_goes_with_the_network_is_made_again() -> None:
    swarm, network, tiers = planned("tiers.json", Stack().set("network.subnet", "10.21.0.0/24"), recreate=True)
    assert len(swarm) == 0
    removed = [command for command in network.commands if "docker service rm" in command]
    assert sorted(command.split()[-1] for command in removed) == ["backend", "database", "frontend"]
    created = [command for command in tiers.commands if "docker service create" in command]
    assert len(created) == 3
