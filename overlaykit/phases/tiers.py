"""Phase 2, the three tiers. Facts in, steps or findings out.

plan_tiers(facts, inventory, stack, wanted, password)  ->  Plan: images, secret, config, services
prove_tiers(facts, stack)                              ->  Findings: do the tasks run, and where
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaykit.phases.delivery import missing_images
from overlaykit.phases.mesh import fit_for_kernels, mesh_notes, must_be_made_anew, takes
from overlaykit.phases.network import PROBE_TIER, need_swarm
from overlaykit.phases.ports import refuse_taken_port, unseen_ports
from overlaykit.phases.services import (
    Wanted,
    database_host,
    fit_for_engine,
    hosts_with_data,
    nodes_of_others,
    secret_name,
    unknown_hosts,
    wanted_services,
)
from overlaykit.phases.swarm import refuse_foreign, refuse_unreachable
from overlaykit.words.errors import PlanRefused
from overlaykit.words.facts import Facts, ServiceFacts, SwarmFacts, TaskFacts, trouble
from overlaykit.words.findings import Finding, Findings
from overlaykit.words.host import Inventory
from overlaykit.words.images import KitImage
from overlaykit.words.plan import Plan
from overlaykit.words.secret import Secret
from overlaykit.words.service import ServiceSpec
from overlaykit.words.stack import KIT_IMAGE, TIERS, Stack
from overlaykit.words.steps import (
    HOST_LABEL,
    AwaitService,
    CreateConfig,
    CreateSecret,
    CreateService,
    Remove,
    Step,
    UpdateService,
    is_kits,
)


def plan_tiers(
    facts: Facts,
    inventory: Inventory,
    stack: Stack,
    wanted: Wanted,
    password: Secret,
    *,
    adopt: bool = False,
    recreate: bool = False,
) -> Plan:
    """The steps to three tiers that run; raises PlanRefused where they must not or cannot."""
    refuse_unreachable(facts)
    swarm = need_swarm(facts)
    refuse_foreign(swarm, stack, adopt=adopt)
    if swarm.network(stack.network.name) is None:
        raise PlanRefused(
            f"there is no overlay network {stack.network.name!r} yet: run `overlaykit up --until network` first. "
            "Nothing was changed."
        )
    host = database_host(facts, inventory, stack)
    specs = fit_for_kernels(facts, wanted_services(inventory, stack, wanted, host, nodes_of_others(facts)))
    specs = fit_for_engine(facts[swarm.host].engine, specs)
    refuse_taken_port(facts, stack)
    refusals = [
        *_strangers(swarm, stack, specs),
        *_foreign_volume(facts, stack, host),
        *unknown_hosts(inventory, stack),
        *_other_stores(facts, stack),
    ]
    refusals += [] if recreate else [*_moved_data(swarm, specs), *_data_elsewhere(facts, stack, host)]
    if refusals:
        raise PlanRefused([*refusals, "Nothing was changed."])
    ground = [
        *missing_images(facts, _used(stack, wanted)),
        *_secret(swarm, stack, password),
        *_config(swarm, stack, wanted),
    ]
    notes = [*mesh_notes(facts, stack), *_notes(stack, wanted, host), *unseen_ports(facts)]
    services = _services(swarm, specs)
    changed = {step.spec.name for step in services if not isinstance(step, Remove)}
    waiting = [s.name for s in specs if s.name in changed or not _is_well(facts, swarm, s.name)]
    running: list[Step] = [AwaitService(swarm.host, name=name) for name in waiting]
    one_by_one: list[list[Step]] = [[step] for step in services]
    return Plan.of("tiers", ground, *one_by_one, running, _worn_out(swarm, stack, wanted), notes=notes)


def prove_tiers(facts: Facts, stack: Stack) -> Findings:
    """Does each tier have the tasks it should have, running, and where?"""
    if facts.swarm is None:
        return Findings((Finding("OK301", "error", "no tier runs: the hosts form no swarm", layer="tiers"),))
    swarm = facts.swarm
    return Findings.of(_tier_finding(swarm, name) for name in TIERS)


def are_starting(facts: Facts) -> bool:
    """Is any task of the tiers on its way: neither running yet nor refused, or listed after its host's restart?"""
    on_the_way = ("new", "pending", "assigned", "accepted", "preparing", "ready", "starting")
    tasks = [t for t in facts.swarm.tasks if t.service in TIERS and t.desired == "running"] if facts.swarm else []
    if facts.swarm and any(s.update == "updating" for s in facts.swarm.services if s.spec.name in TIERS):
        return True
    return any((task.state in on_the_way and not task.error) or _is_ghost(facts, task) for task in tasks)


def _is_well(facts: Facts, swarm: SwarmFacts, name: str) -> bool:
    """Has the service as many tasks as it wants, all as it says now, and each seen on its host?"""
    service = swarm.service(name)
    fresh = _fresh(swarm, service) if service else ()
    return service is not None and len(fresh) >= _target(swarm, service) and not any(_is_ghost(facts, t) for t in fresh)


def _fresh(swarm: SwarmFacts, service: ServiceFacts) -> tuple[TaskFacts, ...]:
    """The running tasks that are what the service says now: a failed update leaves the old ones running."""
    return tuple(task for task in swarm.running(service.spec.name) if task.image == service.spec.image)


def _is_ghost(facts: Facts, task: TaskFacts) -> bool:
    """A manager goes on listing a task as running until its host, which was off, tells that it is not."""
    running = next((host.running for host in facts.reachable if host.name == task.host), None)
    return task.state == "running" and running is not None and task.container not in running


def _services(swarm: SwarmFacts, specs: tuple[ServiceSpec, ...]) -> list[CreateService | UpdateService | Remove]:
    """What is missing is created, what differs is updated, what is right is left alone."""
    steps: list[CreateService | UpdateService | Remove] = []
    for spec in specs:
        present = swarm.service(spec.name)
        if present is None:
            steps.append(CreateService(swarm.host, spec=spec))
        elif must_be_made_anew(present.spec, spec):
            steps += [Remove(swarm.host, kind="service", name=spec.name), CreateService(swarm.host, spec=spec)]
        elif changes := present.spec.differences(spec):
            steps.append(UpdateService(swarm.host, spec=spec, changes=changes))
    return steps


def _other_stores(facts: Facts, stack: Stack) -> Iterator[str]:
    """Services name the kit's images by id, so that no registry is asked; containerd gives the same image another."""
    hosts = ", ".join(host.name for host in facts.reachable if host.keeps_in_containerd)
    own = [f"{tier}.image" for tier in TIERS if stack.get(f"{tier}.image") == KIT_IMAGE]
    if hosts and own:
        yield (
            f"{hosts}: the engine keeps images in containerd, where the kit's images have other ids. Name images "
            f"of your own in the stack file ({', '.join(own)}), or write "
            '{"features": {"containerd-snapshotter": false}} into /etc/docker/daemon.json there and restart Docker.'
        )


def _used(stack: Stack, wanted: Wanted) -> Iterator[KitImage]:
    """The kit's images that this stack uses; the backend's also for the probes that prove it."""
    return (i for i in wanted.images if i.tier == PROBE_TIER or stack.get(f"{i.tier}.image") == KIT_IMAGE)


def _secret(swarm: SwarmFacts, stack: Stack, password: Secret) -> Iterator[Step]:
    name = secret_name(stack)
    if name not in swarm.secrets:
        yield CreateSecret(swarm.host, name=name, value=password, labels=stack.labels)


def _config(swarm: SwarmFacts, stack: Stack, wanted: Wanted) -> Iterator[Step]:
    if wanted.config_name not in swarm.configs:
        yield CreateConfig(
            swarm.host,
            name=wanted.config_name,
            data=wanted.config,
            source="images/frontend/default.conf.template",
            labels=stack.labels,
        )


def _worn_out(swarm: SwarmFacts, stack: Stack, wanted: Wanted) -> list[Step]:
    """Configs of ours that no service uses any more: a config cannot be changed, so a new one took its place."""
    return [
        Remove(swarm.host, kind="config", name=name)
        for name, labels in swarm.configs.items()
        if is_kits(labels, stack.name) and name != wanted.config_name
    ]


def _strangers(swarm: SwarmFacts, stack: Stack, specs: tuple[ServiceSpec, ...]) -> Iterator[str]:
    for spec in specs:
        present = swarm.service(spec.name)
        if present and not is_kits(present.spec.labels, stack.name):
            yield (
                f"the swarm has a service {spec.name!r} that this stack did not make, and the tiers find each other "
                "by that name: remove or rename it"
            )

    name = secret_name(stack)
    if name in swarm.secrets and not is_kits(swarm.secrets[name], stack.name):
        yield f"the swarm has a secret {name!r} that this stack did not make: remove it, or choose another name (name)"


def _foreign_volume(facts: Facts, stack: Stack, host: str) -> Iterator[str]:
    """A volume that is there already would be mounted as it is, and the database writes into it."""
    own = facts.swarm.service("database") if facts.swarm else None
    if own and is_kits(own.spec.labels, stack.name):  # it is in use: whoever made it, it holds this stack's data
        return
    volumes = next((one.volumes for one in facts if one.name == host), {})
    labels = volumes.get(stack.database.volume)
    if labels is not None and not is_kits(labels, stack.name) and facts.lab is None:
        yield (
            f"{host} has a volume {stack.database.volume!r} that this stack did not make, and the database would write "
            "into it: choose another name (database.volume)"
        )


def _moved_data(swarm: SwarmFacts, specs: tuple[ServiceSpec, ...]) -> Iterator[str]:
    """A named volume is on one host: pinning the database elsewhere would start it on empty data."""
    present, wanted = swarm.service("database"), next(spec for spec in specs if spec.name == "database")
    if present and (present.spec.constraints, present.spec.mounts) != (wanted.constraints, wanted.mounts):
        yield (
            f"the database would move from {_pin(present.spec)} to {_pin(wanted)}, where its data is not: it would "
            "start empty there (the old volume stays where it is). Copy the data first, or say --recreate"
        )


def _data_elsewhere(facts: Facts, stack: Stack, host: str) -> Iterator[str]:
    """The same where no service tells any more: `down` keeps the volume, and it stays on its host."""
    holders = hosts_with_data(facts, stack)
    if holders and host not in holders and facts.swarm and facts.swarm.service("database") is None:
        yield (
            f"database.host is {host}, and the volume {stack.database.volume} with the data is on "
            f"{', '.join(holders)}: the database would start empty. Copy the data first, or say --recreate"
        )
    if not (holders or stack.database.host) and (away := sorted(_left_out(facts))):
        yield (
            f"{', '.join(away)} takes no part, and may be where the data is: the database would start empty on {host}. "
            "Let it take part, name database.host, or say --recreate"
        )


def _left_out(facts: Facts) -> set[str]:
    """Hosts of ours in the swarm that are none of those chosen, where no service tells of a database."""
    if facts.swarm is None or facts.swarm.service("database") is not None:
        return set()
    ours = {node.labels[HOST_LABEL] for node in facts.swarm.nodes if HOST_LABEL in node.labels}
    return ours - {host.name for host in facts}


def _pin(spec: ServiceSpec) -> str:
    place = ", ".join(rule.rpartition("==")[2] for rule in spec.constraints) or "anywhere"
    return f"{place} (volume {', '.join(mount.volume for mount in spec.mounts)})"


def _notes(stack: Stack, wanted: Wanted, host: str) -> Iterator[str]:
    """What a choice costs, and what stands in for what."""
    yield (
        f"the database is pinned to {host}, where its volume {stack.database.volume} is kept: while {host} is "
        "down there is no database, and no other host can stand in"
    )
    yield from (f"{image.tier}: {image.says}" for image in wanted.images if image.says)


def _tier_finding(swarm: SwarmFacts, name: str) -> Finding:
    service = swarm.service(name)
    if service is None:
        fix = ("overlaykit up",)
        return Finding("OK301", "error", f"there is no service {name}", layer="tiers", fix=fix)
    running = _fresh(swarm, service)
    stopped = service.update in ("paused", "rollback_paused")
    target = _target(swarm, service)
    where = tuple(sorted({task.host for task in running}))
    reproduce = (f"{swarm.host}$ docker service ps --no-trunc {name}",)
    if len(running) >= target and not stopped:
        title = f"{name} runs {target} of {target} tasks"
        evidence = tuple(f"{task.name} on {task.host}" for task in running)
        return Finding("OK302", "ok", title, where, "tiers", evidence, reproduce=reproduce)
    title = f"{name} runs {len(running)} of {target} tasks"
    seen = [*([f"its update is {service.update}: Swarm gave it up"] if stopped else []), *why_not_running(swarm, name)]
    return Finding("OK302", "error", title, where, "tiers", tuple(seen), reproduce=reproduce)


def _target(swarm: SwarmFacts, service: ServiceFacts) -> int:
    if service.spec.replicas is not None:
        return service.spec.replicas
    return sum(takes(service, node) for node in swarm.nodes)


def why_not_running(swarm: SwarmFacts, service: str) -> Iterator[str]:
    """The newest word on each slot that does not run, as `task backend.1 rejected on node3: image … not found`."""
    newest: dict[str, str] = {}
    wanted = swarm.service(service)
    running = {task.name for task in swarm.running(service) if wanted is None or task.image == wanted.spec.image}
    for task in sorted(swarm.tasks, key=lambda task: task.since):
        if task.service == service and task.name not in running and (task.error or task.desired == "running"):
            newest[task.name] = trouble(task.name, task.state, task.host, task.error)
    yield from newest.values()
