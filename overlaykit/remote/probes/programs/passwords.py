"""Runs inside a backend task: the database takes the right password, and neither a wrong one nor none.

    echo '["6924…"]' | python3 -c "$(cat passwords.py)"
    {"right": {"accepted": true}, "wrong": {"accepted": false, "code": 18, …}, "none": {"accepted": false, …}}

The password is read where the task has it and goes nowhere but to the database. The line on standard input comes
when the proof has read back the entries that it wrote: whoever has the right password strikes them out again.
"""

import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

from bson import ObjectId  # type: ignore[import-not-found]  # in the image, not on this machine
from pymongo import MongoClient  # type: ignore[import-not-found]
from pymongo.errors import OperationFailure, PyMongoError  # type: ignore[import-not-found]

setting = os.environ.get


def attempt(password: str | None, strike: list[str] | None = None) -> dict[str, Any]:
    """Read, and strike out those entries, logged in with that password or not at all."""
    login = {"username": setting("DATABASE_USER", "guestbook"), "password": password, "authSource": "admin"}
    client: Any = MongoClient(
        setting("DATABASE_HOST", "database"),
        int(setting("DATABASE_PORT", "27017")),
        directConnection=True,
        serverSelectionTimeoutMS=3000,
        socketTimeoutMS=3000,
        **(login if password is not None else {}),
    )
    try:
        entries = client[setting("DATABASE_NAME", "guestbook")]["entries"]
        entries.find_one()
        return {"accepted": True, **(remove(entries, strike) if strike else {})}
    except OperationFailure as error:
        return {"accepted": False, "code": error.code, "said": str((error.details or {}).get("errmsg", error))}
    except PyMongoError as error:
        return {"error": str(error).split(",", maxsplit=1)[0]}
    finally:
        client.close()


def remove(entries: Any, strike: list[str]) -> dict[str, str]:
    """Why the entries are still there; nothing once they are not."""
    try:
        entries.delete_many({"_id": {"$in": [ObjectId(one) for one in strike]}})
    except PyMongoError as error:
        return {"left": str(error).split(",", maxsplit=1)[0]}
    return {}


def right_password() -> str:
    """The one that Swarm put into this task."""
    file = Path(setting("DATABASE_PASSWORD_FILE", "/run/secrets/database_password"))
    return file.read_text(encoding="utf-8").rstrip("\r\n")


if __name__ == "__main__":
    written = json.loads(sys.stdin.readline() or "[]")
    answers = {
        "right": attempt(right_password(), strike=written),
        "wrong": attempt(secrets.token_urlsafe(12)),
        "none": attempt(None),
    }
    print(json.dumps(answers), flush=True)  # noqa: T201  (it is the answer, and what follows flushes nothing)
    os._exit(0)  # PyMongo's threads and modules, ended in good order, take a small host a third of a second
