"""Channels of an SSH connection that carry Docker's API, dressed as the sockets that HTTP code expects.

channel = transport.open_streamlocal("/var/run/docker.sock", timeout=10)
sock = EngineSocket(channel)
sock.sendall(b"GET /_ping HTTP/1.1\\r\\nHost: docker\\r\\n\\r\\n")
sock.makefile("rb").readline()            # b"HTTP/1.1 200 OK\\r\\n"
"""

from __future__ import annotations

import io
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import paramiko

_CHANNEL_OPEN = b"\x5a"  # SSH_MSG_CHANNEL_OPEN, RFC 4254 section 5.1
_READ_AHEAD = 65536


class HostTransport(paramiko.Transport):
    """One SSH connection that can also open a host's Unix sockets, and that notices when the host has gone."""

    every = 5.0  # seconds from one sign of life to the next question for one
    patience = 15.0  # seconds without an answer: the host was switched off, or cut off

    def __init__(self, sock: socket.socket | paramiko.Channel) -> None:
        super().__init__(sock)
        self._opening = threading.local()
        self._ended = threading.Event()

    def open_streamlocal(self, path: str, timeout: float) -> paramiko.Channel:
        """A channel to the Unix socket `path` on the host, as `ssh -L LOCAL:PATH` opens them."""
        self._opening.path = path
        try:
            return self.open_channel("direct-streamlocal@openssh.com", timeout=timeout)
        finally:
            del self._opening.path

    def watch(self) -> None:
        """From now on, close when the host no longer answers: whoever waits for it is woken."""
        threading.Thread(target=self._watch, name="ssh-watch", daemon=True).start()

    def close(self) -> None:
        """Close, and stop watching."""
        self._ended.set()
        super().close()

    def _watch(self) -> None:
        # TCP alone does not tell: what forwards a port (ssh -L, slirp) stays when the host behind it goes.
        while self.is_active():
            alarm = threading.Timer(self.patience, self.close)
            alarm.daemon = True
            alarm.start()
            with suppress(OSError, EOFError, paramiko.SSHException):  # it ended; is_active() says so next
                self.global_request("keepalive@openssh.com", wait=True)
            alarm.cancel()
            self._ended.wait(self.every)

    def _send_user_message(self, data: paramiko.Message) -> None:
        # paramiko knows no streamlocal channels: open_channel() sends the kind, and nothing after it. The three
        # fields that OpenSSH wants there (PROTOCOL, section 2.4) are added where every message passes, so that
        # all else about channels stays paramiko's own. Only the thread inside open_streamlocal() is touched.
        path = getattr(self._opening, "path", None)
        if path is not None and data.asbytes()[:1] == _CHANNEL_OPEN:
            data.add_string(path)
            data.add_string("")
            data.add_int(0)
        super()._send_user_message(data)  # type: ignore[misc]  # private, so absent from the stubs


@contextmanager
def _as_socket_errors(kind: type[OSError]) -> Iterator[None]:
    # A socket raises OSErrors alone, and code that is made for sockets expects no other.
    try:
        yield
    except TimeoutError:
        raise
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise kind(str(error) or "the SSH connection ended") from error


class EngineSocket:
    """A channel that http.client, urllib3 and docker-py take for a connected socket.

    Reading ahead is kept here and not in a file object: after an upgrade (exec, attach) docker-py goes on with
    the bare socket, and what came in one packet with the headers must still be there.
    """

    def __init__(self, channel: paramiko.Channel, on_close: Callable[[], None] | None = None) -> None:
        self._channel = channel
        self._on_close = on_close
        self._ahead = b""
        self._readers = 0
        self._closing = False
        self._always_ready: int | None = None

    @property
    def usable(self) -> bool:
        """Whether another request may be sent. A look at two flags: select() on a channel costs a pipe."""
        return not (self._closing or self._channel.closed or self._channel.eof_received)

    @property
    def _sock(self) -> EngineSocket:
        return self  # where docker-py and its users look for the socket below a stream

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of `data`. BrokenPipeError, when the other side has stopped listening; it may have said why."""
        with _as_socket_errors(BrokenPipeError):  # at which HTTP code goes on to read the answer
            self._channel.sendall(bytes(data))

    def send(self, data: bytes | bytearray | memoryview) -> int:
        """Send some of `data`; how much is returned."""
        with _as_socket_errors(BrokenPipeError):
            return self._channel.send(bytes(data))

    def recv(self, size: int = _READ_AHEAD) -> bytes:
        """What is there, at most `size` bytes; empty at the end of the stream."""
        if self._ahead:
            piece, self._ahead = self._ahead[:size], self._ahead[size:]
            return piece
        return self._receive(size)

    read, write = recv, send  # docker-py hands out raw streams, whose users call these

    def readline(self, limit: int = -1) -> bytes:
        """Up to and with the next newline, at most `limit` bytes."""
        while (end := self._ahead.find(b"\n") + 1) == 0 and not 0 <= limit <= len(self._ahead):
            more = self._receive(_READ_AHEAD)
            if not more:
                end = len(self._ahead)
                break
            self._ahead += more
        end = min(end or limit, limit) if limit >= 0 else end
        line, self._ahead = self._ahead[:end], self._ahead[end:]
        return line

    def _receive(self, size: int) -> bytes:
        with _as_socket_errors(ConnectionResetError):
            return self._channel.recv(size)

    def settimeout(self, seconds: float | None) -> None:
        """How long one read or write may take."""
        self._channel.settimeout(seconds)

    def gettimeout(self) -> float | None:
        """How long one read or write may take."""
        return self._channel.gettimeout()

    def fileno(self) -> int:
        """For poll(): readable when recv() would not wait."""
        if not self._ahead:
            return self._channel.fileno()
        if self._always_ready is None:
            self._always_ready = os.open(os.devnull, os.O_RDONLY)
        return self._always_ready

    def makefile(self, mode: str = "rb", buffering: int | None = None) -> EngineFile:
        """A reader of this socket; the channel stays open until it is closed too, as with any socket."""
        self._readers += 1
        return EngineFile(self, self._reader_closed)

    def shutdown(self, how: int) -> None:
        """End one direction (SHUT_WR), or wake whoever reads with the end of the stream."""
        with _as_socket_errors(OSError):
            if how == socket.SHUT_WR:
                self._channel.shutdown_write()
            else:
                self._channel.close()

    def close(self) -> None:
        """Close, once no reader is left."""
        self._closing = True
        if self._readers == 0:
            self._close_channel()

    def _reader_closed(self) -> None:
        self._readers -= 1
        if self._closing and self._readers == 0:
            self._close_channel()

    def _close_channel(self) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException):  # the connection has gone already
            self._channel.close()
        if self._always_ready is not None:
            os.close(self._always_ready)
            self._always_ready = None
        if self._on_close is not None:
            done, self._on_close = self._on_close, None
            done()


class EngineFile(io.BufferedIOBase):
    """What `makefile("rb")` gives: the reading half of an EngineSocket. `raw` is the socket, as docker-py asks."""

    def __init__(self, sock: EngineSocket, on_close: Callable[[], None]) -> None:
        self.raw = sock
        self._on_close = on_close

    def readable(self) -> bool:
        """Always."""
        return True

    def readline(self, size: int | None = -1, /) -> bytes:
        """The next line."""
        return self.raw.readline(-1 if size is None else size)

    def read(self, size: int | None = -1, /) -> bytes:
        """Exactly `size` bytes, fewer only at the end; all there is without a size."""
        wanted = -1 if size is None else size
        parts: list[bytes] = []
        while wanted != 0:
            piece = self.read1(wanted)
            if not piece:
                break
            parts.append(piece)
            wanted -= len(piece) if wanted > 0 else 0
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read1(self, size: int = -1, /) -> bytes:
        """What is there, at most `size` bytes."""
        return self.raw.read(size if size >= 0 else _READ_AHEAD) or b""

    def readinto(self, buffer: Any, /) -> int:
        """Fill `buffer` with what is there."""
        view = memoryview(buffer).cast("B")
        piece = self.read1(len(view))
        view[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Let go of the socket."""
        if not self.closed:
            super().close()
            self._on_close()
