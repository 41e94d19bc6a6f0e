"""Runs on every host, as a task of the overlay: looks for its peers by name, by TCP and by a full-size packet.

    python3 -ISc "$(cat pairs.py)" '{"peers": {"node2": "overlaykit-probe-2"}, "port": 7950}'
    {"peer": "node2", "addresses": ["10.20.0.4"], "tcp": true, "packet": true, "stream": true, "mtu": 1450, …}

It answers its peers and prints a line whenever it knows more of one, until it is stopped.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
from typing import Any

LIFETIME = 300.0  # nobody came to stop it: the kit was killed
WITHIN = 0.5
BETWEEN = 0.1
# From <linux/in.h>; Python names them only on some systems.
IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_MTU = 10, 2, 14
UDP_AND_IP = 28


def serve_tcp(port: int) -> None:
    """Say how many bytes came, once the other side has sent all of its own."""
    with socket.create_server(("", port), backlog=64) as server:
        while True:
            sock, _ = server.accept()
            threading.Thread(target=count_bytes, args=(sock,), daemon=True).start()


def count_bytes(sock: socket.socket) -> None:
    """One caller."""
    size = 0
    with sock:
        sock.settimeout(WITHIN * 4)
        try:
            while part := sock.recv(65536):
                size += len(part)
            sock.sendall(str(size).encode())
        except OSError:
            return  # the caller sees it too, and says so


def serve_udp(port: int) -> None:
    """Answer each datagram with its size: the answer is small, so that it tells of one direction alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("", port))
        while True:
            data, caller = server.recvfrom(65536)
            server.sendto(str(len(data)).encode(), caller)


def look_for(peer: str, name: str, port: int) -> None:
    """Try until everything works, and print whenever something has changed."""
    seen: dict[str, Any] = {"peer": peer, "addresses": [], "mtu": 0, "error": "", **dict.fromkeys(TRIALS, False)}
    said = ""
    while not all(seen[trial] for trial in TRIALS):
        try_once(seen, name, port)
        if said != (said := json.dumps(seen)):
            print(said, flush=True)  # noqa: T201
        time.sleep(BETWEEN)


def try_once(seen: dict[str, Any], name: str, port: int) -> None:
    """One round, as far as it goes."""
    try:
        found = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)
        seen["addresses"] = sorted({str(one[4][0]) for one in found})
    except OSError as error:
        seen["error"] = f"the name does not resolve ({error.strerror or error})"
        return
    errors = []
    for trial, attempt in TRIALS.items():
        if not seen[trial] and (seen["mtu"] or trial == "tcp"):  # the first connection tells the network's MTU
            try:
                seen[trial] = attempt(seen, seen["addresses"][0], port)
            except OSError as error:
                errors.append(f"{trial}: {error.strerror or error}")
    seen["error"] = ", ".join(errors)


def connect(seen: dict[str, Any], address: str, port: int) -> bool:
    """A connection, and one byte that is counted: small enough for any wire."""
    return send(seen, address, port, size=1)


def send_stream(seen: dict[str, Any], address: str, port: int) -> bool:
    """More than two segments, so that a wire too narrow for a full one shows."""
    return send(seen, address, port, size=4 * seen["mtu"])


def send(seen: dict[str, Any], address: str, port: int, size: int) -> bool:
    """Send so many bytes by TCP; the peer says how many came."""
    with socket.create_connection((address, port), WITHIN * 2) as sock:
        seen["mtu"] = seen["mtu"] or sock.getsockopt(socket.IPPROTO_IP, IP_MTU)
        sock.sendall(os.urandom(size))
        sock.shutdown(socket.SHUT_WR)
        return sock.recv(64) == str(size).encode()


def send_packet(seen: dict[str, Any], address: str, port: int) -> bool:
    """The largest datagram that the network promises to carry, not to be cut on the way."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(WITHIN)
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
        sock.connect((address, port))
        payload = os.urandom(seen["mtu"] - UDP_AND_IP)
        sock.send(payload)
        return sock.recv(64) == str(len(payload)).encode()


#: In the order of what they ask of the wire.
TRIALS = {"tcp": connect, "packet": send_packet, "stream": send_stream}


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    for serve in (serve_tcp, serve_udp):
        threading.Thread(target=serve, args=(asked["port"],), daemon=True).start()
    for host, service in asked["peers"].items():
        threading.Thread(target=look_for, args=(host, service, asked["port"]), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # the first process of a container ignores it otherwise
    time.sleep(LIFETIME)
