"""Ask from inside a task's own network, without root on its host.

run_in(host, container, ["python3", "-c", "print(1)"])                # docker exec, where the image has python3
run_beside(host, container, image, labels, ["python3", "-c", "…"])    # a short-lived container in its network
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import starmap
from typing import Any

from docker.errors import ImageNotFound, NotFound
from docker.utils.socket import consume_socket_output, demux_adaptor, frames_iter

from overlaykit.remote.engine import engine_errors
from overlaykit.remote.fleet import FleetHost
from overlaykit.remote.probes.programs import source
from overlaykit.words.errors import CommandFailed, HostError
from overlaykit.words.probes import AskNames, TryPasswords

Json = dict[str, Any]

#: Seconds; a program ends by itself long before.
_PATIENCE = 30


def ask_names(host: FleetHost, probe: AskNames) -> Json:
    """What each name leads to, as the task sees it."""
    command = ["python3", "-ISc", source("names"), json.dumps([asdict(name) for name in probe.names])]
    if probe.image:
        return {"names": run_beside(host, probe.container, probe.image, probe.labels, command)}
    return {"names": run_in(host, probe.container, command)}


def try_passwords(host: FleetHost, probe: TryPasswords, written: Callable[[], list[str]] = list) -> Json:
    """Which passwords the database takes. `written` waits for the ids of entries to strike out with the right one."""
    return {"passwords": run_in(host, probe.container, ["python3", "-c", source("passwords")], written)}


def run_in(host: FleetHost, container: str, command: Sequence[str], tell: Callable[[], Any] = lambda: None) -> Any:
    """Run a program in a container, hand it what `tell` returns as a line of JSON, and read the JSON it prints."""
    with engine_errors(host.name):
        api = host.docker.api
        run = api.exec_create(container, list(command), stdin=True)["Id"]
        stream: Any = api.exec_start(run, socket=True)  # the program starts, while `tell` may still have to wait
        stream.settimeout(_PATIENCE)
        stream.sendall(json.dumps(tell()).encode() + b"\n")
        stdout, stderr = consume_socket_output(starmap(demux_adaptor, frames_iter(stream, tty=False)), demux=True)
        stream.close()
        status = api.exec_inspect(run)["ExitCode"]
    return _answer(host, f"docker exec {container[:12]} python3", status, stdout or b"", stderr or b"")


def run_beside(host: FleetHost, container: str, image: str, labels: Mapping[str, str], command: Sequence[str]) -> Any:
    """Run a program in a new container that shares another one's network; it is removed whatever happens."""
    with engine_errors(host.name):
        api = host.docker.api
        made = make_probe(host, image, labels, command, f"container:{container}")
        try:
            api.start(made)
            status = api.wait(made, timeout=_PATIENCE)["StatusCode"]
            stdout, stderr = api.logs(made, stderr=False), api.logs(made, stdout=False)
        finally:
            _remove(host, made)
    return _answer(host, f"docker run --network container:{container[:12]} {image}", status, stdout, stderr)


def make_probe(
    host: FleetHost,
    image: str,
    labels: Mapping[str, str],
    command: Sequence[str],
    network: str,
    *,
    settings: Mapping[str, Any] | None = None,
    auto_remove: bool = False,
    rights: Sequence[str] = (),
) -> str:
    """A container that runs one of our programs in the network of `network`, with no right but those named.

    Raises HostError where the image is not on the host: it came with `up`, even where no tier is made of it.
    """
    api = host.docker.api
    allowed: Any = api.create_host_config(
        network_mode=network,
        cap_drop=["ALL"],
        cap_add=list(rights),
        security_opt=["no-new-privileges"],
        read_only=True,
        auto_remove=auto_remove,
    )
    try:
        made = api.create_container(
            image,
            entrypoint=list(command[:1]),
            command=list(command[1:]),
            labels={**labels},
            host_config=allowed,
            **(settings or {}),
        )
    except ImageNotFound:
        raise HostError(
            host.name,
            f"the kit's image in which it looks there, {image}, is not on this host: `overlaykit up` sends it, "
            "whatever your tiers are made of, once this machine has made it (`overlaykit lab build`)",
        ) from None
    return str(made["Id"])


def remove_probe(host: FleetHost, container: str) -> None:
    """One that removes itself when it ends: the engine may be at it already, and a host that has gone does it later."""
    if host.connection.alive:
        with suppress(HostError), engine_errors(host.name):
            host.docker.api.remove_container(container, force=True)


def _remove(host: FleetHost, container: str) -> None:
    try:
        host.docker.api.remove_container(container, force=True)
    except NotFound:
        return  # removed by somebody else meanwhile


def _answer(host: FleetHost, command: str, status: int, stdout: bytes, stderr: bytes) -> Any:
    if status == 0:
        return json.loads(stdout)
    said = (stderr.strip() or stdout.strip() or b"it said nothing").decode(errors="replace").splitlines()
    raise CommandFailed(host.name, f"`{command}` ended with status {status}: {said[-1]}", status)
