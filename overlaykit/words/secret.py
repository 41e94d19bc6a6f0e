"""A value that must never be seen: it prints masked wherever it lands."""

from __future__ import annotations


class Secret:
    """Text that shows itself as `••••`; `reveal()` is the only way to the text.

    >>> Secret("hunter2")
    Secret(••••)
    >>> f"password={Secret('hunter2')}"
    'password=••••'
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Call it only where it is handed to the program that needs it."""
        return self._text

    def __str__(self) -> str:
        return "••••"

    def __repr__(self) -> str:
        return "Secret(••••)"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        raise TypeError("a Secret is not pickled: it would be written down in the clear")
