"""What a machine's administrator does not let Docker do: a plugin of the engine's that is asked before each request.

with administrator("overlaykit-test") as rules, engine(folder, "--authorization-plugin=overlaykit-test") as client:
    rules.refused.add("Privileged")         # no container is made whose settings say so

Source of what is asked and answered: docs.docker.com/engine/extend/plugins_authorization.
"""

from __future__ import annotations

import base64
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

_PLUGINS = Path("/run/docker/plugins")  # where an engine looks for them
_REASON = "not on my machine"


@dataclass
class Rules:
    """By the names of a container's settings."""

    refused: set[str] = field(default_factory=set)

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """To one request."""
        if not asked["RequestUri"].partition("?")[0].endswith("/containers/create"):
            return {"Allow": True}
        settings = json.loads(base64.b64decode(asked["RequestBody"]))["HostConfig"]
        refused = [name for name in sorted(self.refused) if settings.get(name)]
        return {"Allow": not refused, "Msg": f"{refused[0]}: {_REASON}" if refused else ""}


@contextmanager
def administrator(name: str) -> Iterator[Rules]:
    """At work, under the name by which an engine is told to ask."""
    rules, socket = Rules(), _PLUGINS / f"{name}.sock"
    _PLUGINS.mkdir(parents=True, exist_ok=True)
    with socketserver.ThreadingUnixStreamServer(str(socket), partial(_Handler, rules)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield rules
        finally:
            server.shutdown()
            thread.join()
            socket.unlink()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, rules: Rules, *connection: Any) -> None:
        self.rules = rules
        super().__init__(*connection)

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/Plugin.Activate":
            answer: dict[str, Any] = {"Implements": ["authz"]}
        elif self.path == "/AuthZPlugin.AuthZReq":
            answer = self.rules.answer(json.loads(asked))
        else:  # what came of a request
            answer = {"Allow": True}
        said = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Nobody reads it, and a socket that is a file has no address to write."""
