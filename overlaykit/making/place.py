"""A folder that appears whole, or not at all.

with placed(folder) as draft:
    (draft / "disk.img").write_bytes(…)
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path


@contextmanager
def placed(place: Path) -> Iterator[Path]:
    """A folder beside `place` to fill, which then takes its place. Whoever asks holds the cache's lock."""
    place.parent.mkdir(parents=True, exist_ok=True)
    mark = f".{place.name}.draft-"
    for left in place.parent.glob(f"{escape(mark)}*"):  # by somebody who was killed
        shutil.rmtree(left)
    draft = Path(tempfile.mkdtemp(prefix=mark, dir=place.parent))
    try:
        yield draft
        shutil.rmtree(place, ignore_errors=True)
        draft.rename(place)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
