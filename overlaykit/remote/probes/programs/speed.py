"""Runs on two hosts: how much passes from one to the other, and how soon a small answer is back.

    python3 -ISc "$(cat speed.py)" '{"address": "10.0.3.5"}' # listens, and prints its port: 40123
    python3 -ISc "$(cat speed.py)" '{"address": "10.0.3.5", "port": 40123, "seconds": 1, "trips": 200}'
    {"bytes": 52428800, "seconds": 1.02, "trips": [0.00041, …]}

A caller says first what it wants: `b` sends bytes that are counted, `e` sends small messages that come back.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
from typing import Any

LIFETIME = 120.0  # nobody came to stop it: the kit was killed
CONNECT_WITHIN = 15.0  # a task's way to another host may be a moment behind the task
ANSWER_WITHIN = 15.0
BETWEEN = 0.1
PART = 1 << 16
SMALL = 64


def serve(server: socket.socket) -> None:
    """One thread for each caller."""
    while True:
        sock, _ = server.accept()
        threading.Thread(target=answer, args=(sock,), daemon=True).start()


def answer(sock: socket.socket) -> None:
    """Count, or send back."""
    with sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        counts, size = sock.recv(1) == b"b", 0
        try:
            while part := sock.recv(PART):
                size += len(part)
                if not counts:
                    sock.sendall(part)
            if counts:
                sock.sendall(str(size).encode())
        except OSError:
            return  # the caller sees it too, and says so


def connect(asked: dict[str, Any], wish: bytes) -> socket.socket:
    """Try until there is a way."""
    until = time.monotonic() + CONNECT_WITHIN
    while True:
        try:
            sock = socket.create_connection((asked["address"], asked["port"]), 2.0)
            break
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(BETWEEN)
    sock.settimeout(ANSWER_WITHIN)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(wish)
    return sock


def stream(asked: dict[str, Any]) -> tuple[int, float]:
    """Send for so long; how many bytes had come when the other side had all, and after how many seconds."""
    data = os.urandom(PART)
    with connect(asked, b"b") as sock:
        began = time.monotonic()
        while time.monotonic() - began < asked["seconds"]:
            sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        size = int(sock.recv(64))
        return size, time.monotonic() - began


def trips(asked: dict[str, Any]) -> list[float]:
    """Seconds of each way there and back."""
    found = []
    with connect(asked, b"e") as sock:
        for _ in range(asked["trips"]):
            began = time.perf_counter()
            sock.sendall(b"." * SMALL)
            left = SMALL
            while left:
                left -= len(sock.recv(left)) or sys.exit("the connection ended in the middle of an answer")
            found.append(time.perf_counter() - began)
    return found


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    if "port" in wanted:
        size, seconds = stream(wanted)
        print(json.dumps({"bytes": size, "seconds": seconds, "trips": trips(wanted)}))  # noqa: T201
    else:
        listener = socket.create_server((wanted["address"], 0))
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # the first process of a container ignores it otherwise
        print(listener.getsockname()[1], flush=True)  # noqa: T201
        time.sleep(LIFETIME)
