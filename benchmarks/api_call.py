"""One Docker API call over the kit's open connection, beside docker-py over an OpenSSH forward to the same socket.

    python benchmarks/api_call.py [--inventory FILE] [--host node1] [--calls 200]

Where no inventory is named, on a practice host that is started for it.
Both connections are open before the clock starts; the calls alternate, so that what else the machine does meets
both alike. Ends with 1 if ours costs more than the larger of 0.3 ms and 5 % on top, or if one of 30 at once fails.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import docker
from tenacity import retry, retry_if_not_result, stop_after_delay, wait_fixed

from overlaykit.inventories import find_inventory
from overlaykit.lab import lab
from overlaykit.remote.engine import docker_client
from overlaykit.remote.ssh.connect import connect_host
from overlaykit.words.host import Host


def main() -> int:
    """Measure, print the table, judge."""
    options = _options()
    if options.inventory:
        return measure(find_inventory(options.inventory)[options.host], options.calls)
    name = f"bench-{os.getpid()}"
    lab.up(name, 1, observer=lambda text: print(f"# {text}", file=sys.stderr))
    try:
        return measure(find_inventory(f"lab:{name}")[options.host], options.calls)
    finally:
        lab.down(name)


def measure(host: Host, calls: int) -> int:
    """Print a row for each kind of call, then how many of 30 at once failed."""
    with connect_host(host) as connection, forward(host) as forwarded:
        ours = docker_client(connection)
        theirs = docker.DockerClient(base_url=f"unix://{forwarded}", version="auto")
        print(f"{calls} calls each to {host.name} from {platform.node()}, median (quartiles) in ms")
        slower = [name for name in ("ping", "containers", "info") if not compare(name, ours, theirs, calls)]
        failed = 30 - at_once(ours, 30)
    print(f"30 at once: {failed} failed")
    return 1 if slower or failed else 0


def compare(name: str, ours: docker.DockerClient, theirs: docker.DockerClient, calls: int) -> bool:
    """Time one kind of call over both, print it, and say whether ours is within its bound."""
    mine, other = [], []
    for _ in range(calls):
        mine.append(timed(ours, name))
        other.append(timed(theirs, name))
    allowed = max(0.3, 0.05 * statistics.median(other))
    more = statistics.median(mine) - statistics.median(other)
    print(f"{name:12} ours {spread(mine)}   forward {spread(other)}   more {more:+.2f} (at most {allowed:.2f})")
    return more <= allowed


def timed(client: docker.DockerClient, name: str) -> float:
    """How long one call takes, in milliseconds."""
    began = time.perf_counter()
    getattr(client.api, name)()
    return (time.perf_counter() - began) * 1000


def spread(times: list[float]) -> str:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(times, n=4)
    return f"{middle:6.2f} ({low:.2f} to {high:.2f})"


def at_once(client: docker.DockerClient, number: int) -> int:
    """How many of `number` calls in parallel end well."""
    with ThreadPoolExecutor(number) as pool:
        return sum(pool.map(lambda _: bool(client.info()["ID"]), range(number)))


@contextmanager
def forward(host: Host) -> Iterator[Path]:
    """An OpenSSH process that forwards a local socket to the host's Docker socket."""
    with tempfile.TemporaryDirectory() as folder:
        sock = Path(folder) / "docker.sock"
        options = [f"UserKnownHostsFile={host.known_hosts}"] if host.known_hosts else []
        options += [f"IdentityFile={host.key_file}", "IdentitiesOnly=yes"] if host.key_file else []
        options += [f"ProxyJump={host.proxy_jump}"] if host.proxy_jump else []
        words = [word for option in ("BatchMode=yes", *options) for word in ("-o", option)]
        words += [*(("-p", str(host.port)) if host.port else ()), *(("-l", host.user) if host.user else ())]
        process = subprocess.Popen(["ssh", "-nNT", *words, "-L", f"{sock}:{host.docker_socket}", host.address])
        try:
            _appears(sock)
            yield sock
        finally:
            process.terminate()
            process.wait()


@retry(retry=retry_if_not_result(bool), stop=stop_after_delay(15), wait=wait_fixed(0.05))
def _appears(path: Path) -> bool:
    return path.exists()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inventory", help="a file, or lab; a host of its own where not said")
    parser.add_argument("--host", default="node1")
    parser.add_argument("--calls", type=int, default=200)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
