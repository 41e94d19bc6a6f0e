"""Builds recipes in the order in which they stand on each other, side by side where they do not.

with Builder(cache, recipes, observer) as builder:
    builder.start("database")            # and what it stands on; returns at once
    builder.wait("host")                 # the tag of the image
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from overlaykit.making.buildah import Buildah, Observer, run_logged
from overlaykit.making.hub import docker_hub_answers
from overlaykit.making.recipes import Recipe
from overlaykit.words.errors import LabError

_BOOTSTRAP = "bootstrap"  # a program beside a Dockerfile that makes what it adds


class Builder:
    """One build at a time per store: whoever makes a Builder holds the cache's lock."""

    def __init__(self, cache: Path, recipes: dict[str, Recipe], observer: Observer) -> None:
        self.buildah = Buildah(cache)
        self.recipes = recipes
        self.observer = observer
        self._logs = cache / "log"
        self._scratch = cache / "scratch"
        self._lock = threading.Lock()
        self._builds: dict[str, Future[str]] = {}
        self._pool = ThreadPoolExecutor(max_workers=len(recipes))  # a build that waits for another holds a thread

    def start(self, name: str) -> Future[str]:
        """Have an image built if it is not; its tag when it is there."""
        with self._lock:
            if name not in self._builds:
                self._builds[name] = self._pool.submit(self._build, self.recipes[name])
            return self._builds[name]

    def wait(self, name: str) -> str:
        """The tag of an image, once it is there."""
        return self.start(name).result()

    def log(self, name: str) -> Path:
        """Where everything is written that a step of the build says."""
        self._logs.mkdir(parents=True, exist_ok=True)
        return self._logs / f"{name}.log"

    def _build(self, recipe: Recipe) -> str:
        if self.buildah.has(recipe.tag):
            return recipe.tag
        for ground in [self.start(name) for name in recipe.grounds]:
            ground.result()
        self.observer(f"{recipe.name}: building")
        started = time.monotonic()
        self._make(recipe)
        self.observer(f"{recipe.name}: built in {time.monotonic() - started:.0f} s")
        return recipe.tag

    def _make(self, recipe: Recipe) -> None:
        log = self.log(recipe.name)
        log.write_text("")
        if recipe.well_known and docker_hub_answers():
            self.observer(f"{recipe.name}: Docker Hub answers, fetching {recipe.well_known}")
            try:
                self.buildah.pull(recipe, log, self.observer)
            except LabError as error:  # it answers, and gives nothing away: too many have asked from this address
                self.observer(f"{error}: the kit's own takes its place")
            else:
                return
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._scratch) as scratch:
            context = Path(scratch, recipe.name)
            shutil.copytree(recipe.folder, context, ignore=shutil.ignore_patterns("__pycache__"))
            if (context / _BOOTSTRAP).exists():
                self.observer(f"{recipe.name}: fetching Debian's packages")
                run_logged([f"./{_BOOTSTRAP}"], log, recipe.name, self.observer, cwd=context)
            self.buildah.build(recipe, context, log, self.observer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
