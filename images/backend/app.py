"""The guest book's backend: entries in, entries out, and the path that each request took.

    curl http://backend:8000/api/entries
    curl http://backend:8000/api/entries --json '{"name": "Ada", "message": "Hello"}'
    curl http://backend:8000/api/path

Every answer carries `path`: the host and the container of each tier that served it. When the database
cannot be had, the answer is 503 with one sentence in `error`, and the next request tries again.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import uvicorn
import words
from pydantic import BaseModel, StringConstraints

# FastAPI brings models of OpenAPI's own, which this backend does not serve: to build them when they are needed, and so
# never, saves a fifth of its start. It has to be said before FastAPI is imported: hence the imports below it (E402).
BaseModel.model_config["defer_build"] = True

from fastapi import FastAPI, Request  # noqa: E402
from fastapi.exceptions import RequestValidationError  # noqa: E402
from fastapi.responses import JSONResponse  # noqa: E402
from pymongo import DESCENDING, MongoClient  # noqa: E402
from pymongo.errors import PyMongoError  # noqa: E402

try:
    settings = words.Settings.from_environment(os.environ)
    password = settings.password()
except words.SettingsError as error:
    sys.exit(str(error))

hostname = socket.gethostname()
log = logging.getLogger("uvicorn.error")

# Nothing is asked of the database until the first request, so the backend may start before it. A request
# waits at most two seconds for a database, and an entry counts only when it is on the database's disk.
client: MongoClient[dict[str, Any]] = MongoClient(
    settings.database_host,
    settings.database_port,
    username=settings.database_user,
    password=password,
    authSource="admin",
    directConnection=True,
    connectTimeoutMS=2000,
    serverSelectionTimeoutMS=2000,
    socketTimeoutMS=4000,
    w=1,
    journal=True,
)
entries = client[settings.database_name]["entries"]

# The page is the frontend's; FastAPI's own documentation pages would fetch their scripts from elsewhere.
app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


class Entry(BaseModel):
    """What a guest sends."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=words.NAME_LENGTH)]
    message: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=words.MESSAGE_LENGTH)]


@app.get("/api/entries")
def read_entries(request: Request) -> dict[str, Any]:
    """The newest hundred, and how many there are."""
    newest = entries.find().sort("_id", DESCENDING).limit(100)
    return {
        "entries": [as_json(entry) for entry in newest],
        "count": entries.count_documents({}),
        "path": path(request),
    }


@app.post("/api/entries", status_code=201)
def write_entry(entry: Entry, request: Request) -> dict[str, Any]:
    """Written, and acknowledged by the database: the id is the receipt."""
    way = path(request)
    document = {"name": entry.name, "message": entry.message, "written_at": now(), "path": way}
    written = entries.insert_one(document).inserted_id
    log.info("entry %s written", written)
    return {"entry": as_json(document), "path": way}


@app.get("/api/path")
def read_path(request: Request) -> dict[str, Any]:
    """Which way this request went, without touching an entry."""
    return {"path": path(request)}


@app.get("/health")
def health() -> dict[str, str]:
    """Well means: this process answers. That the database is away is no reason to restart it."""
    return {"status": "live"}


@app.get("/ready")
def ready() -> dict[str, str]:
    """Ready means: the database answers and accepts the password."""
    entries.find_one()
    return {"status": "ready"}


def path(request: Request) -> dict[str, object]:
    """Frontend from its header, backend from its own hostname, database from its answer."""
    host = client.admin.command("hostInfo")["system"]["hostname"]
    product = words.product(client.admin.command("buildInfo"))
    return words.path(request.headers.get("X-Frontend"), hostname, host, product)


def as_json(document: dict[str, Any]) -> dict[str, Any]:
    return {"id": str(document["_id"])} | {name: value for name, value in document.items() if name != "_id"}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@app.exception_handler(PyMongoError)
def without_database(request: Request, error: Exception) -> JSONResponse:
    """503: it may be well again at the next request."""
    code, details = getattr(error, "code", None), getattr(error, "details", None) or {}
    sentence = words.no_database(settings, code, resolves(settings.database_host), str(details.get("errmsg", "")))
    log.warning("%s %s: %s", request.method, request.url.path, sentence)
    way = words.path(request.headers.get("X-Frontend"), hostname, None)
    return JSONResponse({"error": sentence, "path": way}, 503)


@app.exception_handler(RequestValidationError)
def not_an_entry(request: Request, error: RequestValidationError) -> JSONResponse:
    wrong = [str(fault["loc"][1]) for fault in error.errors() if fault["loc"][1:] and fault["type"] != "json_invalid"]
    return JSONResponse({"error": words.not_well_formed(wrong)}, 422)


def resolves(name: str) -> bool:
    """Asked again, because the driver's error tells it in its text alone."""
    try:
        return bool(socket.getaddrinfo(name, None))
    except socket.gaierror:
        return False


if __name__ == "__main__":
    # Plain asyncio and no websockets: what is not imported does not slow the start.
    config = uvicorn.Config(app, "0.0.0.0", settings.port, access_log=False, loop="asyncio", ws="none", lifespan="off")
    log.info("%s looks for its database at %s", hostname, settings.database_address)
    uvicorn.Server(config).run()
    # Served to the end, and logged. What is left is memory to give back piece by piece, a second on a small host, in
    # which Swarm would wait for this task to be gone.
    os._exit(0)
