"""What the tiers are made from, as far as it lies on this machine: images, the frontend's configuration, a password."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from platformdirs import user_state_path

from overlaykit.lab.build import LabBuild
from overlaykit.lab.lab import find_lab
from overlaykit.making.recipes import read_recipes
from overlaykit.making.tier_images import cached_images
from overlaykit.words.errors import PlanRefused
from overlaykit.words.images import KitImages
from overlaykit.words.secret import Secret
from overlaykit.words.stack import KIT_IMAGE, TIERS, Stack

PASSWORD_VARIABLE = "OVERLAYKIT_DATABASE_PASSWORD"

_LAB_NAME = re.compile(r"[\w-]+")


def present_images(lab: str | None) -> KitImages:
    """Those of the kit's images that there are: on a lab's disk, else in this machine's cache."""
    made = find_lab(lab) if lab else None
    return LabBuild(made.build).images if made else cached_images()


def kit_images(lab: str | None, stack: Stack) -> KitImages:
    """The kit's images: those on a lab's disk, else those in this machine's cache.

    Raises PlanRefused where one that the stack uses was never made.
    """
    images = present_images(lab)
    used = {tier for tier in TIERS if stack.get(f"{tier}.image") == KIT_IMAGE}
    if used - {image.tier for image in images}:
        raise PlanRefused(
            "the tiers' images have not been made on this machine: run `overlaykit lab build` (some minutes, once), "
            "or name images of your own in the stack file. Nothing was changed."
        )
    return images


def frontend_config() -> str:
    """The frontend's site, which reaches it as a Swarm config. Raises LabNotPossible where there are no recipes."""
    return (read_recipes()["frontend"].folder / "default.conf.template").read_text()


def database_password(stack: str, where: str = "") -> Secret:
    """The password for a database that is made anew: from the environment, else kept, else a new one.

    `where` tells apart stacks of one name: the lab, or the inventory's path. Nothing is written here: a new password
    lives in memory alone until `keep_database_password`, which comes before the step that creates the secret.
    """
    if given := os.environ.get(PASSWORD_VARIABLE):
        return Secret(given)
    try:
        return Secret(_password_file(stack, where).read_text())
    except FileNotFoundError:
        return Secret(secrets.token_urlsafe(24))
    except OSError as fault:
        raise _not_kept(stack, where, fault) from None


def keep_database_password(stack: str, where: str, secret: Secret) -> None:
    """Keep what the database is about to be made with, for this user alone, where the platform keeps state.

    The swarm's secret goes with the swarm, the data in a volume stays: MongoDB takes its password once, when the
    volume is empty. Of two that keep at once the first wins; the other is refused before it changed anything.
    """
    if os.environ.get(PASSWORD_VARIABLE):
        return  # whoever gave it there keeps it
    path = _password_file(stack, where)
    try:
        _write_once(path, secret.reveal())
        kept = path.read_text()
    except OSError as fault:
        raise _not_kept(stack, where, fault) from None
    if kept != secret.reveal():
        raise PlanRefused(
            f"another run has just chosen the database password of {stack}: nothing was changed. Once that run has "
            "ended, the same command again goes on with its password."
        )


def forget_database_password(stack: str, where: str = "") -> None:
    """Once no volume is left that was made with it. Forgetting what is not kept is fine."""
    try:
        _password_file(stack, where).unlink(missing_ok=True)
    except OSError as fault:
        raise _not_kept(stack, where, fault) from None


def forget_lab(name: str) -> None:
    """A lab's data goes with its disks, and so do the passwords of the stacks that were on it."""
    folder = user_state_path("overlaykit") / "passwords"
    for path in folder.glob(f"*@lab-{name}"):
        path.unlink(missing_ok=True)
    for left in (folder, folder.parent):
        with suppress(OSError):  # it holds others, or was never there
            left.rmdir()


def _password_file(stack: str, where: str) -> Path:
    """A lab is named as it is; a path becomes a short hash, since it fits no file name."""
    known = f"lab-{where}" if _LAB_NAME.fullmatch(where) else hashlib.sha256(where.encode()).hexdigest()[:12]
    return user_state_path("overlaykit") / "passwords" / (f"{stack}@{known}" if where else stack)


def _write_once(path: Path, text: str) -> None:
    """Whole or not at all, and never over another's; nobody else can read it, not even for a moment."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()


def _not_kept(stack: str, where: str, fault: OSError) -> PlanRefused:
    return PlanRefused(
        f"the file that keeps the database password, {_password_file(stack, where)}, cannot be used "
        f"({fault.strerror}): make it yours to read and write, or give the password in {PASSWORD_VARIABLE}"
    )
