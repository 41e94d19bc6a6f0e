"""make workbench: the whole kit as one image, in an archive that `docker load` takes; made without Docker.

python bundle/make_workbench.py [FILE]      # dist/overlaykit-workbench.tar where not said
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import wheels
from make_bundle import LAB, ROOT, copy, copy_lessons, exit_status, kit_wheel

from overlaykit.lab.carry import export_build
from overlaykit.making.builder import Builder
from overlaykit.making.lock import held
from overlaykit.making.needs import require_build_tools
from overlaykit.making.recipes import IMAGES, WORKBENCH, Recipe, read_recipes
from overlaykit.making.tier_images import cache_folder

REFERENCE = f"overlaykit/workbench:{version('overlaykit')}"
RECIPE = Recipe(WORKBENCH, IMAGES / WORKBENCH, ("base",), version("overlaykit"))
#: Debian 13's, which the image stands on.
PYTHON = "3.13"
_COPIED = ("hosts.example.ini", "stack.example.toml", "LICENSE")


def main() -> int:
    """Make it, or say in a sentence why not."""
    file = (Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "overlaykit-workbench.tar").resolve()
    return exit_status(lambda: _make(file))


def _make(file: Path) -> None:
    cache = cache_folder()
    require_build_tools(cache)
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".workbench-") as scratch:
        context = Path(scratch, "context")
        shutil.copytree(RECIPE.folder, context)
        fill(context)
        with held(cache, lambda: say("another build is running, waiting for it")):
            archive(context, cache, Path(scratch, file.name))
        Path(scratch, file.name).replace(file)
        rows = sizes(context)
    say(f"{file}: {file.stat().st_size / 1e6:.0f} MB; of what went into it:")
    say("\n".join(rows))
    say(f"Next: docker load --input {file}")
    say(f"      docker run --rm -p 127.0.0.1:8888:8888 {REFERENCE}")


def fill(context: Path) -> None:
    """What the Dockerfile copies, beside it."""
    for name in _COPIED:
        copy(ROOT / name, context / name)
    copy_lessons(context)
    say("== Wheels, and what practice hosts run from")
    with ThreadPoolExecutor() as pool:  # one waits for the network, the other computes
        exported = pool.submit(export_build, context / LAB, say)
        _fetch_wheels(context)
        copy(exported.result().contents, context / "CONTENTS.md")


def _fetch_wheels(context: Path) -> None:
    store = context / "wheels"
    store.mkdir()
    wheels.fetch(kit_wheel(store), store, (PYTHON,), context / "requirements.txt")
    (context / "WHEELS.md").write_text(wheels.table(store))


def archive(context: Path, cache: Path, file: Path) -> None:
    """Build the image and write it; it does not stay in the cache, which need not be twice as large for it."""
    say("== Image")
    with Builder(cache, read_recipes(), say) as builder:
        builder.wait("base")
        builder.buildah.build(RECIPE, context, builder.log(WORKBENCH), say)
        builder.buildah.archive(builder.buildah.image_id(RECIPE.tag), file, REFERENCE)
        builder.buildah.forget(RECIPE.tag)


def sizes(context: Path) -> list[str]:
    """What makes it large, as it was carried in."""
    parts = {path.name: sum(one.stat().st_size for one in (*path.rglob("*"), path) if one.is_file())
             for path in context.iterdir()}  # fmt: skip
    largest = sorted(parts.items(), key=lambda part: -part[1])[:4]
    return [f"{size / 1e6:8.1f} MB  {name}" for name, size in largest]


def say(text: str) -> None:
    """At once, beside what pip and buildah say."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
