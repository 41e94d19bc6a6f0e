"""Looking again until it is so, or for as long as anybody would.

>>> facts = until(lambda facts: not are_starting(facts), hosts.look, 20.0)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_not_result, stop_after_delay, wait_fixed

T = TypeVar("T")


def until(is_so: Callable[[T], bool], look: Callable[[], T], seconds: float) -> T:
    """What was seen when it was so, or last."""
    patience = Retrying(
        retry=retry_if_not_result(is_so),
        wait=wait_fixed(0.3),
        stop=stop_after_delay(seconds),
        # It is only reached with an outcome: a look that raises is not asked again.
        retry_error_callback=lambda last: last.outcome.result() if last.outcome else look(),
    )
    seen: T = patience(look)
    return seen
