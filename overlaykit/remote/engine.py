"""Docker's API over a host's SSH connection: an ordinary `docker.DockerClient`.

    client = docker_client(connection)
    client.containers.list()
    for event in client.events(decode=True): ...

Calls share a bounded number of streams that stay open; what streams its answer (logs, events, exec, attach) has a
stream of its own, since nobody knows when it ends. DOCKER_HOST and contexts are never read.

Errors of the transport are HostErrors already when they reach the caller. The engine's own refusals stay
`docker.errors`, as users of the SDK expect, until `engine_errors` turns them into HostErrors.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException
from docker.transport.basehttpadapter import BaseHTTPAdapter

from overlaykit.remote.connection import Connection
from overlaykit.remote.ssh.channels import EngineSocket
from overlaykit.words.errors import ConnectionLost, EngineRefused, EngineSilent, HostError

OnRequest = Callable[[str, str], None]
_IDEMPOTENT = ("GET", "HEAD")


def docker_client(
    connection: Connection, *, timeout: float = 60, on_request: OnRequest | None = None
) -> docker.DockerClient:
    """The Docker SDK on one host. `on_request(method, path)` is told of every request before it is sent."""
    connection.open_engine().close()  # no engine, or not for us: said here in words, and it shows how many fit
    adapter = EngineAdapter(connection, on_request)
    with engine_errors(connection.host.name):
        return _HostDocker(_HostAPI(adapter, timeout))


class _HostAPI(docker.APIClient):
    def __init__(self, adapter: EngineAdapter, timeout: float) -> None:
        self._adapter = adapter  # before all else: the constructor negotiates the API's version through it
        super().__init__(base_url="tcp://docker:2375", version="auto", timeout=timeout)  # type: ignore[arg-type]
        self.trust_env = False  # no HTTP proxy stands between us and a socket; looking for one costs time per call

    def get_adapter(self, url: str | bytes) -> EngineAdapter:
        return self._adapter

    def close(self) -> None:
        self._adapter.close()
        super().close()


class _HostDocker(docker.DockerClient):
    def __init__(self, api: docker.APIClient) -> None:
        self.api = api


class EngineAdapter(requests.adapters.BaseAdapter):
    """What `requests` sends through: a pool of kept streams for calls, fresh ones for streaming answers."""

    def __init__(self, connection: Connection, on_request: OnRequest | None = None) -> None:
        super().__init__()
        self._connection = connection
        self._on_request = on_request
        self._calls = _PoolAdapter(_Pool(connection, maxsize=connection.engine_channels, block=True))
        self._streams = _PoolAdapter(_Pool(connection, maxsize=0, block=False))

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, *args: Any, **how: Any
    ) -> requests.Response:
        """Send; what only reads is sent a second time if the first met a dead connection."""
        if self._on_request is not None:
            self._on_request(request.method or "", request.path_url)
        send = functools.partial(self._send, request, stream, *args, **how)
        try:
            return send()
        except (EngineSilent, ConnectionLost) as error:
            if request.method in _IDEMPOTENT and isinstance(error.__cause__, requests.ConnectionError):
                return send()
            raise

    def _send(self, request: requests.PreparedRequest, stream: bool, *args: Any, **how: Any) -> requests.Response:
        if stream:
            request.headers.setdefault("Connection", "close")
        adapter = self._streams if stream else self._calls
        try:
            return adapter.send(request, stream, *args, **how)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise self._in_words(request, error) from error

    def _in_words(self, request: requests.PreparedRequest, error: Exception) -> HostError:
        what, name = f"`{request.method} {request.path_url.split('?')[0]}`", self._connection.host.name
        if isinstance(error, requests.ReadTimeout):
            return EngineSilent(name, f"the engine did not answer {what} in time: see sudo systemctl status docker")
        if isinstance(error, urllib3.exceptions.EmptyPoolError):
            return EngineSilent(name, f"all streams to the engine stayed busy, so {what} was not sent: do less at once")
        if not self._connection.alive:
            return ConnectionLost(name, f"the connection ended during {what}: is the host still on?")
        return EngineSilent(name, f"the engine hung up during {what}: was it restarted? Look again, then repeat")

    def close(self) -> None:
        """Close all kept streams."""
        self._calls.close()
        self._streams.close()


class _PoolAdapter(BaseHTTPAdapter):
    def __init__(self, pool: _Pool) -> None:
        self._pool = pool
        super().__init__()

    def get_connection(self, url: str | bytes, proxies: Mapping[str, str] | None = None) -> _Pool:
        return self._pool

    def request_url(self, request: requests.PreparedRequest, proxies: Mapping[str, str] | None) -> str:
        return request.path_url

    def close(self) -> None:
        self._pool.close()
        super().close()


class _EngineHTTP(urllib3.connection.HTTPConnection):
    """HTTP on a stream to the engine, in place of a socket to a port."""

    sock: EngineSocket | None

    def __init__(self, *args: Any, engine: Connection, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._engine = engine

    def connect(self) -> None:
        self.sock = self._engine.open_engine()
        self.sock.settimeout(self.timeout)

    @property
    def is_connected(self) -> bool:
        return self.sock is not None and self.sock.usable


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _EngineHTTP

    def __init__(self, engine: Connection, *, maxsize: int, block: bool) -> None:
        super().__init__("docker", maxsize=maxsize, block=block, engine=engine)

    def urlopen(self, *args: Any, **kwargs: Any) -> urllib3.BaseHTTPResponse:
        # requests never bounds the wait for a free stream
        return super().urlopen(*args, **{"pool_timeout": 60, **kwargs})


@contextmanager
def engine_errors(host: str) -> Iterator[None]:
    """Inside, whatever the Docker SDK raises becomes a HostError of `host`; HostErrors pass as they are."""
    try:
        yield
    except APIError as error:
        said = str(error.explanation or error).strip()
        if "DeadlineExceeded" in said:  # swarmkit's store is stuck: no write ends any more
            said += ". The swarm's manager does not get on: restart Docker on it, then repeat"
        raise EngineRefused(host, f"the engine refuses: {said}", error.status_code or 0) from error
    except DockerException as error:
        if isinstance(error.__cause__, HostError):
            raise error.__cause__ from None
        raise EngineRefused(host, f"the Docker SDK gave up: {error}") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, TimeoutError) as error:
        raise EngineSilent(host, f"the engine's answer broke off ({error}): look again, then repeat") from error
