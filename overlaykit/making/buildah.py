"""buildah: builds Dockerfiles without an engine, as root or as an ordinary user.

buildah = Buildah(cache)
buildah.build(recipe, folder, log, observer)
buildah.archive(buildah.image_id(recipe.tag), file, "overlaykit/backend:3f2a9c1b7d20")
buildah.in_root(kernel.tag, 'cp -a "$root/." "$1"', folder)
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO

from platformdirs import user_cache_path

from overlaykit.making.recipes import Recipe
from overlaykit.words.errors import LabError

Observer = Callable[[str], None]

# mke2fs and its like are not on an ordinary user's path everywhere.
PATH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
_CERTIFICATES = Path("/etc/ssl/certs")


class Buildah:
    """A store of images in one folder."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "store"
        # What buildah mounts for root stays mounted, unless it ends with the command, as an ordinary user's does.
        self._alone = ["unshare", "--mount"] if os.geteuid() == 0 else []
        self._plain = [*_own_temporary(folder), "buildah", "--root", str(self.store), "--runroot", str(folder / "run")]
        self._plain += ["--storage-driver", "overlay"]
        self._command = [*self._alone, *self._plain]

    def has(self, tag: str) -> bool:
        """Whether the image is in the store."""
        return self.store.exists() and self._call("images", "-q", tag).returncode == 0

    def build(self, recipe: Recipe, context: Path, log: Path, observer: Observer) -> None:
        """Build the recipe from `context`, all output to `log`, each step to the observer."""
        # The docker format: an image's id is then the same here and in an engine.
        command = [*self._command, "bud", "--isolation", "chroot", "--format", "docker"]
        if _CERTIFICATES.is_dir():  # a machine behind a proxy of its own trusts more than Debian does
            command += ["-v", f"{_CERTIFICATES}:{_CERTIFICATES}:ro"]
        run_logged([*command, "-t", recipe.tag, "-t", recipe.repository, str(context)], log, recipe.name, observer)

    def pull(self, recipe: Recipe, log: Path, observer: Observer) -> None:
        """Fetch the well-known image that takes the recipe's place."""
        run_logged([*self._command, "pull", recipe.well_known], log, recipe.name, observer)
        self._read("tag", recipe.well_known, recipe.tag, recipe.repository)

    def image_id(self, tag: str) -> str:
        """sha256:…, as a Docker Engine will call it."""
        return self._read("inspect", "--type", "image", "--format", "{{.FromImageID}}", tag, id_of=tag)

    def description(self, tag: str) -> str:
        """What the image says of itself, in its label org.opencontainers.image.description."""
        config = json.loads(self._read("inspect", "--type", "image", tag))
        labels = config.get("Docker", {}).get("config", {}).get("Labels") or {}
        return str(labels.get("org.opencontainers.image.description", ""))

    def archive(self, image_id: str, file: Path, reference: str) -> None:
        """Write the image as an archive that `docker load` takes, to be known there as `reference` alone."""
        self._read("push", "-q", image_id.removeprefix("sha256:"), f"docker-archive:{file}:{reference}")

    def forget(self, tag: str) -> None:
        """Remove an image, by all its names, and what was built only for it."""
        self._read("rmi", "--force", self.image_id(tag).removeprefix("sha256:"))

    def in_root(self, tag: str, script: str, *arguments: str) -> None:
        """Run a shell script with the image's files at $root, owners as in the image."""
        container = self._read("from", "--pull-never", tag)
        try:
            whole = f"set -e; root=$({shlex.join(self._plain)} mount {container}); {script}"
            self._check([*self._as_owner(), "sh", "-c", whole, "overlaykit", *arguments])
        finally:
            self._read("rm", container)

    def remove(self) -> None:
        """Remove the store. Its files may belong to users that only exist inside of it."""
        if self.store.exists():
            self._check(
                [*self._as_owner(), "sh", "-c", 'chmod -R u+w "$1" 2>/dev/null; rm -rf "$1"', "-", str(self.store)]
            )

    def _as_owner(self) -> list[str]:
        return self._alone or [*self._plain, "unshare"]

    def _read(self, *arguments: str, id_of: str = "") -> str:
        out = self._check([*self._command, *arguments]).stdout.strip()
        return f"sha256:{out.removeprefix('sha256:')}" if id_of else out

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return _run([*self._command, *arguments])

    def _check(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        done = _run(command)
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise LabError(f"`{' '.join(command)}` failed: {said[-1] if said else f'status {done.returncode}'}")
        return done


def run_logged(command: list[str], log: Path, name: str, observer: Observer, cwd: Path | None = None) -> None:
    """Run a long command: its output to `log`, what it is at to the observer, its last words into the error."""
    with log.open("a") as record:
        process = subprocess.Popen(
            command, cwd=cwd, env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
        assert process.stdout is not None
        with process:
            _follow(process.stdout, record, name, observer)
    if process.returncode != 0:
        last = "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-8:])
        raise LabError(f"building {name} failed, and {log} has all of what was said; it ends with:\n{last}")


def _follow(output: IO[str], record: IO[str], name: str, observer: Observer) -> None:
    for line in output:
        record.write(line)
        if "STEP" in line.split(":")[0]:
            observer(f"{name}: {line.strip()}")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            check=False,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        raise LabError(f"{command[0]} is not installed: apt-get install {command[0]}") from None


def _own_temporary(folder: Path) -> list[str]:
    """For an ordinary user buildah makes folders in /tmp and /var/tmp, and leaves them there: here they go along.

    A session's own runtime folder ends with it, and may hold what `buildah login` has noted: it stays as it is.
    """
    if os.geteuid() == 0:
        return []
    places = {name: folder / name.lower() for name in ("TMPDIR", "XDG_RUNTIME_DIR") if name not in os.environ}
    for place in places.values():
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return ["env", *(f"{name}={place}" for name, place in places.items())]


def _environment() -> dict[str, str]:
    # What buildah notes about images for an ordinary user goes with the cache, too.
    ours = {"PATH": PATH, "LC_ALL": "C.UTF-8", "XDG_DATA_HOME": str(user_cache_path("overlaykit") / "notes")}
    return {**os.environ, **ours}


def is_installed(program: str) -> bool:
    """Whether a program is where `run_logged` looks for it."""
    return shutil.which(program, path=PATH) is not None
