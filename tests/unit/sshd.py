"""A small SSH server and a smaller engine, in this process: what the tests of `remote/` connect to.

    with SshServer(folder) as server:
        connection = connect_host(server.host())

The server is paramiko's own server side; commands really run (in a shell of this machine), and channels to Unix
sockets are really opened, so that only the wire is a stand-in.
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self, cast

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_CONNECT_FAILED,
    OPEN_SUCCEEDED,
    cMSG_CHANNEL_SUCCESS,
)

from overlaykit.words.host import Host
from overlaykit.words.secret import Secret


class SshServer:
    """Listens on 127.0.0.1; lets in `key` and the password `sesame`."""

    def __init__(self, folder: Path, *, streamlocal: bool = True, path: str = "") -> None:
        self.folder = folder
        self.streamlocal = streamlocal
        self.host_key = paramiko.ECDSAKey.generate()
        self.key = paramiko.ECDSAKey.generate()
        self.key.write_private_key_file(str(folder / "key"))
        self.engine = Engine(folder / "engine.sock")
        self.environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"}
        self.logins = 0
        self.frozen = threading.Event()  # when set, accepts connections and says nothing, as a port whose host is off
        self.commands: list[str] = []
        self.opened: list[str] = []
        self._transports: list[_Transport] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.vouch_for(self.host_key)

    def host(self, **changes: Any) -> Host:
        """This server, as an inventory names it."""
        host = Host(
            "node1",
            "127.0.0.1",
            "manager",
            port=self.port,
            user="learner",
            key_file=str(self.folder / "key"),
            known_hosts=str(self.folder / "known_hosts"),
            docker_socket=str(self.engine.path),
        )
        return replace(host, **changes)

    def vouch_for(self, key: paramiko.PKey) -> None:
        """Put that key on record for this server."""
        line = f"[127.0.0.1]:{self.port} {key.get_name()} {key.get_base64()}\n"
        (self.folder / "known_hosts").write_text(line)

    def hang_up(self) -> None:
        """Drop all connections, as a host does that is switched off."""
        while self._transports:
            self._transports.pop().close()

    def __enter__(self) -> Self:
        self.engine.start()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # shutdown() wakes accept(), which close() alone does not.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        self.engine.stop()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                transport = _Transport(sock)
                transport.daemon = True
                transport.add_server_key(self.host_key)
                self._transports.append(transport)
                transport.start_server(event=threading.Event(), server=_Rules(self))


class _Transport(paramiko.Transport):
    """Begins a command once its client has been told that it runs: a short one might end before, and look refused."""

    def __init__(self, sock: socket.socket) -> None:
        self.next: Callable[[], None] = _nothing
        super().__init__(sock)

    def _send_user_message(self, data: paramiko.Message) -> None:
        super()._send_user_message(data)  # type: ignore[misc]
        if data.asbytes()[:1] == cMSG_CHANNEL_SUCCESS:
            begin, self.next = self.next, _nothing
            begin()


def _nothing() -> None: ...


class _Rules(paramiko.ServerInterface):
    """What one client may do."""

    def __init__(self, server: SshServer) -> None:
        self._server = server

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,password"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return self._judge(key.get_base64() == self._server.key.get_base64())

    def check_auth_password(self, username: str, password: str) -> int:
        return self._judge(password == "sesame")

    def _judge(self, right: bool) -> int:
        self._server.logins += right
        return AUTH_SUCCESSFUL if right else AUTH_FAILED

    def check_global_request(self, kind: str, msg: paramiko.Message) -> bool:
        while self._server.frozen.is_set():
            time.sleep(0.02)
        return False

    def check_channel_request(self, kind: str, chanid: int) -> int:
        if kind == "session":
            return OPEN_SUCCEEDED
        if kind == "direct-streamlocal@openssh.com" and self._server.streamlocal and self._server.engine.path.exists():
            self._server.opened.append(kind)
            threading.Thread(target=self._serve_engine, args=(chanid,), daemon=True).start()
            return OPEN_SUCCEEDED
        return OPEN_FAILED_CONNECT_FAILED

    def _serve_engine(self, chanid: int) -> None:
        channel = self._channel(chanid)
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(self._server.engine.path))
        # An engine that takes no more may still have said why: only this direction ends with it.
        end = partial(sock.shutdown, socket.SHUT_WR)
        threading.Thread(target=_pump, args=(channel.recv, sock.sendall, end), daemon=True).start()
        _pump(sock.recv, channel.sendall, channel.close)
        sock.close()

    def _channel(self, chanid: int) -> paramiko.Channel:
        # The channel is made right after check_channel_request has said yes.
        while True:
            for transport in self._server._transports:
                if (channel := transport._channels.get(chanid)) is not None:  # type: ignore[attr-defined]
                    return channel  # type: ignore[no-any-return]

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self._server.commands.append(command.decode())
        run = threading.Thread(target=self._run, args=(channel, command.decode()), daemon=True)
        cast(_Transport, channel.get_transport()).next = run.start
        return True

    def _run(self, channel: paramiko.Channel, command: str) -> None:
        pipe = subprocess.PIPE
        with subprocess.Popen(
            ["sh", "-c", command], stdin=pipe, stdout=pipe, stderr=pipe, env=self._server.environment, bufsize=0
        ) as process:
            assert process.stdin is not None and process.stdout is not None and process.stderr is not None
            out, err = process.stdout.fileno(), process.stderr.fileno()
            pumps = [
                threading.Thread(target=_pump, args=(lambda n: os.read(out, n), channel.sendall, None)),
                threading.Thread(target=_pump, args=(lambda n: os.read(err, n), channel.sendall_stderr, None)),
            ]
            threading.Thread(
                target=_pump, args=(channel.recv, process.stdin.write, process.stdin.close), daemon=True
            ).start()
            for pump in pumps:
                pump.start()
            for pump in pumps:
                pump.join()
            with suppress(*_HUNG_UP):
                channel.send_exit_status(process.wait())
                channel.close()


#: What a thread that serves a client meets when the client has gone: a test's end, not a fault.
_HUNG_UP = (OSError, EOFError, ValueError, paramiko.SSHException)


def _pump(read: Any, write: Any, close: Any) -> None:
    with suppress(*_HUNG_UP):
        while data := read(65536):
            write(data)
    if close is not None:
        with suppress(*_HUNG_UP):
            close()


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    engine: Engine


class Engine:
    """Speaks a few words of Docker's API: versions, an object that is not there, a stream, an upgrade."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: list[str] = []
        self.hang_up_on: list[str] = []  # paths that are cut off, once each, without an answer
        self.refuses: dict[str, list[str]] = {}  # by how the path of a POST ends: what is said of it, once each
        self.connections = 0
        self.answers: dict[str, object] = {}  # by how the path ends
        self.listening: list[_Handler] = []  # who asked for events
        #: What who attaches, or runs a program there, is sent at once, and when a line has come (empty: its echo; None:
        #: hung up at once).
        self.attached: tuple[bytes, bytes | None] = (b"hello\n", b"")
        self.created: list[dict[str, Any]] = []  # what containers were asked for
        self.absent: set[str] = set()  # images of which it makes no container

    def happen(self, event: object) -> None:
        """Tell everyone who listens."""
        for handler in self.listening:
            with suppress(*_HUNG_UP):
                handler.tell(event)

    def start(self) -> None:
        """Listen."""
        self._server = _Server(str(self.path), _Handler)
        self._server.engine = self
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Stop listening, and remove the socket."""
        self._server.shutdown()
        self._server.server_close()
        self.path.unlink(missing_ok=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.engine.connections += 1

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        engine = self.server.engine
        engine.requests.append(f"{self.command} {self.path}")
        if self.path in engine.hang_up_on:
            engine.hang_up_on.remove(self.path)
            self.close_connection = True
        elif answers := [body for end, body in engine.answers.items() if self.path.partition("?")[0].endswith(end)]:
            self._answer(200, answers[0])
        elif self.path.endswith("/version"):
            self._answer(200, {"ApiVersion": "1.45", "Version": "26.1.5"})
        elif self.path.endswith("/info"):
            self._answer(200, {"Name": "node1", "Echo": self.headers.get("X-Echo")})
        elif "/events" in self.path:
            self._stream()
        elif "/images/" in self.path:
            self._answer(404, {"message": "No such image: nowhere"})
        else:
            self._answer(404, {"message": "No such object: nowhere"})

    def do_POST(self) -> None:
        engine = self.server.engine
        engine.requests.append(f"{self.command} {self.path}")
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        made = json.loads(body) if "/containers/create" in self.path else {}
        if made and made["Image"] not in engine.absent:
            engine.created.append(made)
        refusals = next((said for end, said in engine.refuses.items() if self.path.endswith(end)), [])
        if self.path in engine.hang_up_on:
            self.close_connection = True
        elif made and made["Image"] in engine.absent:
            self._answer(404, {"message": f"No such image: {made['Image']}"})
        elif refusals:
            self._answer(500, {"message": refusals.pop(0)})
        elif "/attach" in self.path or "/exec/" in self.path:
            self._upgrade()
        elif "/images/load" in self.path:  # answers before it has read what is sent, as an engine with a full disk
            self._answer(500, {"message": "write /tmp: no space left on device"})
            self.close_connection = True
        else:
            self._answer(201, {"Id": "new"})

    def do_DELETE(self) -> None:
        self.server.engine.requests.append(f"{self.command} {self.path}")
        self._answer(200, {})

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if self.headers.get("Connection") == "close":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(2):
            self.tell({"number": number})
        self.server.engine.listening.append(self)
        self.rfile.read(1)  # until the client goes away

    def tell(self, event: object) -> None:
        """One event."""
        line = json.dumps(event).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))

    def _upgrade(self) -> None:
        # Headers and the first frame in one packet: what a fast container does.
        head = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        at_once, then = self.server.engine.attached
        self.wfile.write(head + at_once)
        if then is not None and (line := self.rfile.readline()):
            self.wfile.write(then or b"echo " + line)
        self.close_connection = True


PASSWORD = Secret("sesame")
