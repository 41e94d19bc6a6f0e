"""A file from an address, fetched once, and gone on with where it was cut.

    path = fetch("https://…/lab.tar.zst", folder, refuse_what_does_not_fit, print)

What has come lies in `folder` under a name of the address's own, until `forget` takes it away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential
from urllib3.exceptions import ReadTimeoutError

from overlaykit.lab.parcel import HEAD
from overlaykit.making.needs import missing_space
from overlaykit.words.errors import LabError, LabNotPossible

_ATTEMPTS = 5
_SECONDS = (10, 60)  # to connect; between two bytes
_CHUNK = 2**14  # at most so much of what has come is lost when it is cut
_PARTIAL, _NOT_SATISFIABLE, _TROUBLE = 206, 416, 500

Progress = Callable[[float], None]  # how much is here, from 0 to 1
Look = Callable[[bytes], object]  # is shown the beginning of the file, and may raise what ends it


class _Cut(Exception):
    """The connection ended before the file did."""


def fetch(address: str, folder: Path, look: Look, progress: Progress) -> Path:
    """The whole file; refused early when its beginning is not what `look` wants."""
    folder.mkdir(parents=True, exist_ok=True)
    part = _part(address, folder)
    part.touch()
    again = Retrying(
        retry=retry_if_exception_type(_Cut), stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_exponential(multiplier=0.1, max=5), reraise=True,
    )  # fmt: skip
    try:
        again(_go_on, address, part, look, progress)
    except _Cut as cut:
        if not part.stat().st_size:
            raise LabError(
                f"nothing came from {told(address)} ({cut}): is it right, and does its server run?"
            ) from None
        raise LabError(
            f"{told(address)} was cut after {part.stat().st_size / 1e6:.1f} MB ({cut}): what came is kept, "
            "and the same command again goes on from there"
        ) from None
    finally:
        if not part.stat().st_size:
            part.unlink()
    return part


def told(address: str) -> str:
    """The address for people: an account in it and its query, which may be a key, are nobody's business."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "the address"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def forget(address: str, folder: Path) -> None:
    """Remove what has come of an address."""
    _part(address, folder).unlink(missing_ok=True)


def _part(address: str, folder: Path) -> Path:
    return folder / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.part"


def _go_on(address: str, part: Path, look: Look, progress: Progress) -> None:
    here = part.stat().st_size
    wanted = {"Accept-Encoding": "identity", **({"Range": f"bytes={here}-"} if here else {})}
    try:
        with requests.get(address, headers=wanted, stream=True, timeout=_SECONDS) as answer:
            if answer.status_code == _NOT_SATISFIABLE and here:
                _require_complete(answer, part, here)
            else:
                _require_file(answer, address)
                _take(answer, part, here if answer.status_code == _PARTIAL else 0, look, progress)
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
        raise LabError(f"{told(address)} is no address to fetch from ({type(error).__name__})") from None
    except requests.RequestException as error:
        raise _Cut(_reason(error)) from None


def _take(answer: requests.Response, part: Path, begin: int, look: Look, progress: Progress) -> None:
    rest = int(answer.headers.get("Content-Length", 0))
    if full := missing_space(part.parent, rest, "the download"):
        raise LabNotPossible(full[0])
    looked = False
    with part.open("r+b") as file:
        file.truncate(begin)
        file.seek(begin)
        for chunk in answer.iter_content(_CHUNK):
            file.write(chunk)
            if not looked and file.tell() >= HEAD:
                file.flush()
                look(_beginning(part))
                looked = True
            if rest:
                progress(file.tell() / (begin + rest))


def _beginning(part: Path) -> bytes:
    with part.open("rb") as file:
        return file.read(HEAD)


def _require_complete(answer: requests.Response, part: Path, here: int) -> None:
    """Nothing is left to send: either all is here, or what is here is of another file."""
    if answer.headers.get("Content-Range", "").endswith(f"/{here}"):
        return
    part.write_bytes(b"")
    raise _Cut("the file there is another one than the one that was begun")


def _require_file(answer: requests.Response, address: str) -> None:
    said = f"{answer.status_code} {answer.reason}"
    if answer.status_code >= _TROUBLE:
        raise _Cut(f"the server said {said}")
    if not answer.ok:
        raise LabError(f"{told(address)} gives no file, the server said {said}: check the address")


def _reason(error: Exception) -> str:
    within = error.args[0] if error.args else None  # so it is told where the answer had begun
    if isinstance(error, requests.exceptions.Timeout) or isinstance(within, ReadTimeoutError):
        return "the server fell silent"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection ended too soon"
    return f"no connection: {type(error).__name__}"
