"""Finds the inventory that is meant, and reads it: the files behind `reading/`, which itself opens none.

>>> find_inventory("lab").lab
'default'
>>> find_inventory("hosts.ini", workers="docker_workers")["node1"].role
'manager'
"""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_state_path

from overlaykit.reading.inventory import BESIDE, MANAGERS, WORKERS, read_inventory
from overlaykit.reading.which_hosts import FILE, which_hosts
from overlaykit.words.errors import InventoryError, Problem
from overlaykit.words.host import Inventory


def find_inventory(named: str | Path | None = None, managers: str = MANAGERS, workers: str = WORKERS) -> Inventory:
    """The inventory that is named, else the one that the rule finds. Raises InventoryError."""
    labs = user_state_path("overlaykit") / "labs"
    up = [file.parent.name for file in labs.glob(f"*/{FILE}")]
    where = which_hosts(named, env=os.environ, cwd=Path.cwd(), labs=labs, up=up, is_file=Path.is_file)
    return read_inventory(
        _text(where.path),
        source=str(where.path),
        managers=managers,
        workers=workers,
        env=os.environ,
        lab=where.lab,
        beside=[name for name in BESIDE if (where.path.parent / name).exists()],
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as fault:
        said = f"cannot be read ({fault.strerror}): name a file that you may read"
        raise InventoryError([Problem(said, str(path))]) from None
    except UnicodeDecodeError:
        raise InventoryError([Problem("is not text in UTF-8: save it as that", str(path))]) from None
