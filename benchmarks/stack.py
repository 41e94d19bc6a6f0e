"""From bare engines to a stack that answers: the kit beside the floor, in one run.

    python benchmarks/stack.py [--hosts 3 10] [--rounds 9]

The floor is the plainest script that makes the same engine calls in the best order over one open SSH connection
per host: while the workers join, the manager already takes secret, config, network and services. Where practice hosts
are containers (OVERLAYKIT_BACKEND=containers, as root), it makes them on the engines' own sockets. Both sides start
with open connections and images on the hosts, wait for the same tasks, and end with the same assertion: what is
written through port 80 of each host is read back through the next. Rounds alternate; `down` between them is not
timed. Ends with 1 where the kit takes more than 1.15 times the floor (1.25 from ten hosts on), where a second `up`
takes more than 2 s or writes, or where a check of three hosts takes more than 4 s.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import docker
import requests
from docker.types import IPAMConfig, IPAMPool
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from overlaykit import Stack, connect
from overlaykit.kit import Hosts
from overlaykit.lab import lab
from overlaykit.lab.engine import machine_engine
from overlaykit.materials import database_password, frontend_config, kit_images
from overlaykit.phases.mesh import fit_for_kernels
from overlaykit.phases.services import Wanted, secret_name, wanted_services
from overlaykit.remote.service import create_service, wait_for_tasks
from overlaykit.remote.work import Work
from overlaykit.words.facts import Facts
from overlaykit.words.steps import HOST_LABEL

#: The backend has its host: on the manager it takes twice as long to start, and Swarm would toss a coin each time.
PLACEMENT = "backend.placement=node2"
STACK = Stack().set(*PLACEMENT.split("="))
#: The engine of a host, by its name, as the floor reaches it.
Engines = Callable[[str], docker.DockerClient]


def main() -> int:
    """Measure, print the tables, judge."""
    options = _options()
    return max(on_practice_hosts(count, options.rounds or _rounds(count)) for count in options.hosts)


def on_practice_hosts(count: int, rounds: int) -> int:
    """One table, on a lab of its own."""
    name = f"bench-{os.getpid()}"
    lab.up(name, count, observer=lambda text: print(f"# {text}", file=sys.stderr))
    try:
        writes = Writes()
        with connect(f"lab:{name}", on_request=writes) as hosts:
            return measure(hosts, engines_of(name, hosts), writes, rounds, f"lab:{name}")
    finally:
        lab.down(name)


def engines_of(name: str, hosts: Hosts) -> Engines:
    """By the kit's own connections; where hosts are containers, by the sockets in them."""
    found = lab.find_lab(name)
    assert found
    if found.backend != "containers":
        return lambda host: hosts[host].docker
    with machine_engine() as machine:
        ids = {one["Labels"]["overlaykit.node"]: one["Id"] for one in machine.containers()
               if one["Labels"].get("overlaykit.lab") == str(found.folder)}  # fmt: skip
        pids = {host: machine.inspect_container(one)["State"]["Pid"] for host, one in ids.items()}
    clients = {host: docker.DockerClient(f"unix:///proc/{pid}/root/run/docker.sock") for host, pid in pids.items()}
    return clients.__getitem__


def _rounds(count: int) -> int:
    """Ten hosts on a small machine take some minutes a round."""
    return 9 if count < 10 else 3


class Writes:
    """Counts the requests that change something on an engine."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def __call__(self, host: str, method: str, path: str) -> None:
        with self._lock:
            self.count += method not in ("GET", "HEAD")


def measure(hosts: Hosts, engines: Engines, writes: Writes, rounds: int, inventory: str) -> int:
    """All rows of the table; the number that is out of bounds is the exit status."""
    print(f"{len(hosts)} hosts on {platform.node()}, {os.cpu_count()} cores, {rounds} rounds; seconds: median (range)")
    taken: dict[str, list[float]] = {}
    written = 0
    kernels = hosts.look()  # without IPVS both sides publish on each host itself

    def row(title: str, *do: Callable[[], None]) -> None:
        began = time.perf_counter()
        for part in do:
            part()
        taken.setdefault(title, []).append(time.perf_counter() - began)

    try:
        for _ in range(rounds):
            row("the floor", lambda: floor(hosts, engines, kernels), lambda: assert_answers(hosts))
            take_down(hosts)
            row("the kit", lambda: kit(hosts), lambda: assert_answers(hosts))
            before = writes.count
            row("a second up", lambda: kit(hosts))
            written += writes.count - before
            row("check", lambda: check(hosts))
            take_down(hosts)
            row("overlaykit up, the command", lambda: run_command(inventory))
            take_down(hosts)
    finally:  # a round that fails takes nothing with it of what was measured before
        for title, values in taken.items():
            print(
                f"  {title:30}{median(values):7.2f}  ({min(values):.2f}-{max(values):.2f})  of {len(values)}",
                flush=True,
            )
    ratio, bound = median(taken["the kit"]) / median(taken["the floor"]), 1.15 if len(hosts) < 10 else 1.25
    print(f"  kit beside floor: {ratio:.2f} times (at most {bound}); writing calls of all second ups: {written}")
    late = len(hosts) == 3 and median(taken["check"]) > 4
    return int(ratio > bound or written > 0 or median(taken["a second up"]) > 2 or late)


def kit(hosts: Hosts) -> None:
    """What `overlaykit up` does, in-process."""
    facts = hosts.look()
    for phase in hosts.phases(STACK):
        if plan := phase.plan(facts=facts):
            phase.apply(plan=plan)
            facts = phase.look(facts)
        assert phase.prove(facts=facts, packets=False).ok, phase.name


def check(hosts: Hosts) -> None:
    """What `overlaykit check` does, in-process."""
    found = hosts.discovery(STACK).prove()
    assert found.ok, found.details()


def floor(hosts: Hosts, engines: Engines, kernels: Facts) -> None:
    """The same engine calls in the best order, and nothing else."""
    first, others = hosts.inventory.managers[0], [h for h in hosts.inventory if h is not hosts.inventory.managers[0]]
    manager = engines(first.name)
    manager.swarm.init(advertise_addr=first.advertise_addr, labels=STACK.labels)
    token = manager.api.inspect_swarm()["JoinTokens"]["Worker"]

    def join(name: str, address: str | None) -> None:
        engines(name).swarm.join([f"{first.advertise_addr}:2377"], token, advertise_addr=address)
        label(engines, first.name, name)

    with ThreadPoolExecutor(len(hosts) + 3) as pool:
        joins = [pool.submit(join, host.name, host.advertise_addr) for host in others]
        label(engines, first.name, first.name)
        deploy(hosts, manager, kernels, pool)
        for future in joins:
            future.result()


def deploy(hosts: Hosts, manager: docker.DockerClient, kernels: Facts, pool: ThreadPoolExecutor) -> None:
    """Secret, config, network, and the three services, each once the one before has its host."""
    wanted = Wanted(kit_images(hosts.inventory.lab, STACK), frontend_config(), STACK.name)
    manager.secrets.create(
        name=secret_name(STACK), data=database_password(STACK.name).reveal().encode(), labels=STACK.labels
    )
    manager.configs.create(name=wanted.config_name, data=wanted.config.encode(), labels=STACK.labels)
    create_network(manager)
    work = Work(hosts.fleet, lambda *_: None, threading.Event(), time.monotonic() + 120)
    services = wanted_services(hosts.inventory, STACK, wanted, hosts.inventory.hosts[-1].name)
    specs = fit_for_kernels(kernels, services)
    for spec in specs:
        create_service(manager, spec, work)
    for started in [pool.submit(wait_for_tasks, manager, spec.name, work) for spec in specs]:
        started.result()


def create_network(manager: docker.DockerClient) -> None:
    """The plan's own step needs a look first; the floor knows what it wants."""
    manager.networks.create(
        STACK.network.name,
        driver="overlay",
        ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=STACK.network.subnet)]),
        attachable=STACK.network.attachable,
        internal=STACK.network.internal,
        labels=STACK.labels,
    )


def label(engines: Engines, first: str, name: str) -> None:
    """The host's name on its node."""
    manager = engines(first)
    node_id = engines(name).info()["Swarm"]["NodeID"]
    node = manager.api.inspect_node(node_id)
    spec: Any = {**node["Spec"], "Labels": {HOST_LABEL: name}}
    manager.api.update_node(node_id, node["Version"]["Index"], spec)


@retry(
    retry=retry_if_exception_type((requests.RequestException, KeyError)),
    stop=stop_after_delay(60),
    wait=wait_fixed(0.05),
)
def assert_answers(hosts: Hosts) -> None:
    """A write through each host's port 80 comes back through the next host's."""
    doors = [f"http://{host.published}/api/entries" for host in hosts.inventory]
    for door, other in zip(doors, doors[1:] + doors[:1], strict=True):
        written = requests.post(door, json={"name": "bench", "message": "hello"}, timeout=5).json()["entry"]["id"]
        read = requests.get(other, timeout=5).json()["entries"]
        assert written in [entry["id"] for entry in read], f"{door} wrote {written}; {other} does not have it"


def take_down(hosts: Hosts) -> None:
    """Back to bare engines, without data, proven."""
    phase = hosts.down(STACK, volumes=True)
    phase.apply()
    left = phase.prove()
    assert left.ok, left.details()


def run_command(inventory: str) -> None:
    """The command line, started as a person would."""
    up = [sys.executable, "-m", "overlaykit", "up", "--inventory", inventory, "--set", PLACEMENT]
    subprocess.run(up, check=True, stdout=subprocess.DEVNULL)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, nargs="+", default=[3, 10])
    parser.add_argument("--rounds", type=int, help="for each number of hosts; 9, and 3 from ten hosts on")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
