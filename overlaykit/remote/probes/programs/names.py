"""Runs inside a task's network: what does each name resolve to, and who answers there?

    python3 -ISc "$(cat names.py)" '[{"name": "backend", "port": 8000, "protocol": "http", "tries": 1, "expects": []}]'
    {"backend": {"addresses": ["10.20.0.2"], "calls": [{"address": "10.20.0.2", "connected": true, …}]}}

Only what starts quickly is imported: on a small host every module costs.
"""

import json
import socket
import struct
import sys
import threading
import time
from typing import Any

CONNECT_WITHIN = 2.0
ANSWER_WITHIN = 4.0  # a backend whose database is away takes two seconds to say so
#: A task that has just begun to run is known on its own host first: Swarm tells the others by gossip.
SETTLES_WITHIN = 4.0
BETWEEN = 0.3


def settled(question: dict[str, Any]) -> dict[str, Any]:
    """What is seen when all is as it should be, or else last."""
    deadline = time.monotonic() + SETTLES_WITHIN
    while not _is_well(question, seen := look(question)) and time.monotonic() < deadline:
        time.sleep(BETWEEN)  # what a host has heard by gossip is announced to nobody
    return seen


def _is_well(question: dict[str, Any], seen: dict[str, Any]) -> bool:
    complete = bool(seen["addresses"]) and set(question["expects"]) <= set(seen["addresses"])
    return complete and all(call["answered"] for call in seen["calls"])


def look(question: dict[str, Any]) -> dict[str, Any]:
    """Resolve one name, then call each of its addresses."""
    try:
        found = socket.getaddrinfo(question["name"], None, socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        return {"addresses": [], "calls": [], "error": f"{question['name']}: {error.strerror or error}"}
    addresses = sorted({str(one[4][0]) for one in found})
    calls = [address for address in addresses for _ in range(question["tries"])]
    return {
        "addresses": addresses,
        "calls": at_once(lambda address: call(address, question["port"], question["protocol"]), calls),
    }


def call(address: str, port: int, protocol: str) -> dict[str, Any]:
    """Connect to one address and speak its protocol."""
    seen = {"address": address, "connected": False, "answered": False}
    try:
        with socket.create_connection((address, port), CONNECT_WITHIN) as sock:
            seen["connected"] = True
            sock.settimeout(ANSWER_WITHIN)
            return {**seen, **SPEAK[protocol](sock)}
    except (OSError, ValueError) as error:
        return {**seen, "error": f"{address}:{port}: {getattr(error, 'strerror', None) or error}"}


def speak_http(sock: socket.socket) -> dict[str, Any]:
    """Any status is an answer; the kit's backend says in `path` which task it is."""
    sock.sendall(b"GET /api/path HTTP/1.0\r\nHost: backend\r\nConnection: close\r\n\r\n")
    answer = b""
    while part := sock.recv(65536):
        answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/"):
        raise ValueError("what answered does not speak HTTP")
    seen: dict[str, Any] = {"answered": True, "status": int(head.split()[1])}
    try:
        return {**seen, "peer": json.loads(body)["path"]["backend"]["container"]}
    except (ValueError, KeyError, TypeError):
        return seen


def speak_mongodb(sock: socket.socket) -> dict[str, Any]:
    """`hello`, the first message of every MongoDB driver; it needs no password."""
    command = b"\x10hello\0" + struct.pack("<i", 1) + b"\x02$db\0" + struct.pack("<i", 6) + b"admin\0"
    message = struct.pack("<iB", 0, 0) + struct.pack("<i", len(command) + 5) + command + b"\0"  # flags, kind, BSON
    sock.sendall(struct.pack("<iiii", 16 + len(message), 1, 0, 2013) + message)  # 2013: OP_MSG
    length, _, answers, kind = struct.unpack("<iiii", read(sock, 16))
    answer = read(sock, length - 16)
    if (answers, kind) != (1, 2013) or b"maxWireVersion\0" not in answer:
        raise ValueError("what answered does not speak MongoDB's protocol")
    return {"answered": True}


def speak_tcp(sock: socket.socket) -> dict[str, Any]:
    """Nothing is known of the protocol: that it connects is the answer."""
    return {"answered": True}


SPEAK = {"http": speak_http, "mongodb": speak_mongodb, "tcp": speak_tcp}


def read(sock: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes."""
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise ValueError("the connection ended in the middle of an answer")
        data += part
    return data


def at_once(do: Any, items: list[Any]) -> list[Any]:
    """What `do` returns for each item; all side by side."""
    results: list[Any] = [None] * len(items)

    def one(place: int) -> None:
        results[place] = do(items[place])

    threads = [threading.Thread(target=one, args=(place,), daemon=True) for place in range(len(items))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    print(json.dumps(dict(zip([one["name"] for one in asked], at_once(settled, asked), strict=True))))  # noqa: T201
