"""What the backend is told, where a tier runs, and what it says when something fails.

    >>> Place.of("backend-2.node3")
    Place(host='node3', container='backend-2')
    >>> Settings.from_environment({"DATABASE_PORT": "27018"}).database_address
    'database:27018'

The standard library alone: these parts can be read and tested without a server or a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

#: Most characters of a name and of a message.
NAME_LENGTH = 60
MESSAGE_LENGTH = 500

#: MongoDB's error codes for "who are you?": Unauthorized and AuthenticationFailed.
REFUSED = (13, 18)


class SettingsError(Exception):
    """A setting that the backend cannot start with; the text is one sentence."""


@dataclass(frozen=True)
class Settings:
    """Read from the environment, each by its name in capitals."""

    port: int = 8000
    database_host: str = "database"
    database_port: int = 27017
    database_user: str = "guestbook"
    database_password_file: str = "/run/secrets/database_password"
    database_name: str = "guestbook"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """The settings that are in `environment`, defaults for the others."""
        given = {f.name: environment.get(f.name.upper()) or f.default for f in fields(cls)}
        return cls(**{name: _port(name, v) if name.endswith("port") else v for name, v in given.items()})

    @property
    def database_address(self) -> str:
        return f"{self.database_host}:{self.database_port}"

    def password(self) -> str:
        """What is in the password file; a line break at its end does not count."""
        try:
            password = Path(self.database_password_file).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise SettingsError(
                f"backend: cannot read the database's password from {self.database_password_file} "
                f"({error.strerror}): attach the secret database_password to this service"
            ) from error
        if not password:
            raise SettingsError(f"backend: {self.database_password_file} is empty: put a password into the secret")
        return password


def _port(name: str, value: str | int) -> int:
    if str(value).isdecimal() and 0 < int(value) < 65536:
        return int(value)
    raise SettingsError(f"backend: {name.upper()}={value!r} is not a port: give a number from 1 to 65535")


@dataclass(frozen=True)
class Place:
    """Where a tier runs. Swarm gives each task the hostname TASK.HOST, such as backend-2.node3."""

    host: str | None
    container: str

    @classmethod
    def of(cls, hostname: str) -> Place:
        """The place that a hostname names; one without a dot says nothing about the host."""
        container, _, host = hostname.partition(".")
        return cls(host or None, container)


def path(frontend: str | None, backend: str, database: str | None, product: str | None = None) -> dict[str, object]:
    """The way of one request, tier by tier, each from its hostname; None where it did not pass."""
    return {
        "frontend": asdict(Place.of(frontend)) if frontend else None,
        "backend": asdict(Place.of(backend)),
        "database": asdict(Place.of(database)) | {"product": product} if database else None,
    }


def product(build: Mapping[str, object]) -> str:
    """What answers as MongoDB, from its buildInfo."""
    if ferret := build.get("ferretdbVersion"):
        return f"FerretDB {str(ferret).removeprefix('v')} on SQLite, standing in for MongoDB"
    return f"MongoDB {build.get('version', 'of unknown version')}"


def not_well_formed(wrong: Iterable[str]) -> str:
    """The sentence for an entry that cannot be written; `wrong` are the fields that are not as they should be."""
    which = " and ".join(sorted(set(wrong))) or "the whole"
    return (
        f"This is not an entry: send JSON with a name of 1 to {NAME_LENGTH} and a message of 1 to "
        f"{MESSAGE_LENGTH} characters; here {which} is not right."
    )


def no_database(settings: Settings, code: int | None, resolves: bool, reason: str) -> str:
    """The sentence for a request that the database did not serve."""
    where = settings.database_address
    if code in REFUSED:
        return (
            f"The database at {where} refuses the user {settings.database_user}: its password is not the one in "
            f"{settings.database_password_file}. (mongo:7 keeps the password with which its volume was first started.)"
        )
    if code is not None:
        return f"The database at {where} could not do it: {reason}."
    if not resolves:
        return (
            f"The name {settings.database_host} does not resolve: is there a service of that name, "
            "and is this container on its network?"
        )
    return f"The database at {where} does not answer: is its task running, and does traffic pass between the hosts?"
