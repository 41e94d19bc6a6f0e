"""Lesson 11's shop: what its parts are called, and what a customer gets from it.

price_from_inside(hosts, "node3")               # "" when the visitor there gets a price, else why not
price_at_door(hosts["node1"], "10.77.0.11")     # the same at the published port, as that host itself sees it
"""

from __future__ import annotations

import docker.errors

from overlaykit.kit import Hosts
from overlaykit.remote.engine import engine_errors
from overlaykit.remote.fleet import FleetHost

NETWORK, SUBNET = "shop", "10.50.0.0/24"
STOCK, DOOR, VISITOR = "stock", "web", "visitor"
PORT = 8080
#: What every price says, whoever wrote the rest.
COINS = b"coins"

#: Seconds for a way through the door.
_WAIT = 5.0
_ASK = (
    "import urllib.request\n"
    f"try: print(urllib.request.urlopen('http://{STOCK}:8000/api/price', timeout=4).read().decode())\n"
    "except OSError as error: print('failed:', getattr(error, 'reason', error))"
)


def price_from_inside(hosts: Hosts, name: str) -> str:
    """Ask for a price inside the visitor of that host; the hint where there is none."""
    with engine_errors(name):
        try:
            visitor = hosts[name].docker.containers.get(VISITOR)
            status, output = visitor.exec_run(["python3", "-c", _ASK])
        except docker.errors.NotFound:
            return f"{VISITOR} has just gone"
        except docker.errors.APIError:
            return f"{VISITOR} does not run: its program must last, such as `sleep infinity`"
    said = (output if isinstance(output, bytes) else b"".join(output)).decode(errors="replace").strip()
    if status:
        return f"{VISITOR} has no python3 to ask with: take the image overlaykit/backend"
    return "" if COINS.decode() in said else _refused(said)


def _refused(said: str) -> str:
    if "Name or service not known" in said or "name resolution" in said:
        return f"{VISITOR} runs, but the name {STOCK} does not resolve in it: is it on {NETWORK}, and does {STOCK} run?"
    if said.startswith("failed:"):
        return f"{VISITOR} finds the name {STOCK}, but gets no answer there on port 8000"
    return f"{STOCK} answers {VISITOR}, but not with a price"


def price_at_door(host: FleetHost, address: str) -> str:
    """Ask at that host's published port, over the host's own network; the hint where no price comes."""
    stream = host.connection.open_port(address, PORT, _WAIT)
    if stream is None:
        return f"nothing answers on port {PORT} of {host.name}"
    stream.settimeout(_WAIT)
    try:
        stream.sendall(b"GET /api/price HTTP/1.0\r\nHost: shop\r\n\r\n")
        answer = b"".join(iter(stream.recv, b""))
    except OSError:
        return f"port {PORT} of {host.name} opens, but says nothing"
    finally:
        stream.close()
    if COINS in answer:
        return ""
    status = answer.split(b" ", 2)[1].decode() if answer.startswith(b"HTTP/") else "no HTTP at all"
    return f"port {PORT} of {host.name} answers with {status} and no price: does web ask stock:8000?"
