"""`stack.toml` and `--set`: the stack's parameters as a person writes them down.

    >>> read_stack("[frontend]\\nreplicas = 3", "stack.toml").frontend.replicas
    3
    >>> with_settings(Stack(), ["backend.replicas=2", "network.encrypted=yes"]).network.encrypted
    True
    >>> print(stack_text(Stack().set("frontend.replicas", 3)))
    # The stack guestbook. What is not here keeps its default: `overlaykit init` writes a file that explains all.
    <BLANKLINE>
    [frontend]
    # how many tasks
    replicas = 3
    <BLANKLINE>

Whatever is wrong is raised as one StackError that names all of it, each with its line.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import Field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from overlaykit.words import allowed
from overlaykit.words.errors import Problem, StackError
from overlaykit.words.stack import Stack, parameters, unknown

_KEY = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_TABLE = re.compile(rf"\s*\[+\s*(?P<name>{_KEY}(?:\s*\.\s*{_KEY})*)\s*\]")
_ASSIGNMENT = re.compile(rf"\s*(?P<name>{_KEY}(?:\s*\.\s*{_KEY})*)\s*=")
#: How a file begins that a program wrote.
_HEAD = "# The stack {}. What is not here keeps its default: `overlaykit init` writes a file that explains all."
#: tomllib says where only in its text, before Python 3.14.
_PLACE = re.compile(r" \((?:at line (?P<line>\d+), column \d+|at end of document)\)$")


def load_stack(path: str | Path) -> Stack:
    """The stack of a file."""
    try:
        return read_stack(Path(path).read_text(encoding="utf-8-sig"), str(path))
    except OSError as fault:
        said = f"cannot be read ({fault.strerror}): overlaykit init writes a stack.toml with comments"
        raise StackError([Problem(said, str(path))]) from None
    except UnicodeDecodeError:
        raise StackError([Problem("is not text in UTF-8: save it as that", str(path))]) from None


def read_stack(text: str, source: str) -> Stack:
    """The stack that a TOML text describes; what it leaves out keeps its default."""
    reader = _Reader(text, source)
    stack = Stack()
    for name, value in reader.values(_tables(text, source)):
        stack = stack.set(name, value)
    if reader.problems:
        raise StackError(sorted(reader.problems, key=lambda problem: problem.line))
    return stack


def with_settings(stack: Stack, settings: Iterable[str]) -> Stack:
    """The stack with parameters changed, each written NAME=VALUE."""
    problems: list[Problem] = []
    for setting in settings:
        name, equals, value = setting.partition("=")
        try:
            if not equals:
                raise StackError(f"{setting!r} is not NAME=VALUE: write it like frontend.replicas=3")
            stack = stack.set(name.strip(), value.strip())
        except StackError as fault:
            problems += [Problem(problem.text, "--set", key=problem.key) for problem in fault.problems]
    if problems:
        raise StackError(problems)
    return stack


def stack_text(stack: Stack) -> str:
    """The text of a `stack.toml` that reads back as this stack: what differs from the defaults, with its meaning."""
    lines = [_HEAD.format(stack.name)]
    last: str | None = None
    for name, spec in parameters():
        table, _, key = name.rpartition(".")
        value = stack.get(name)
        if value == spec.default:
            continue
        if table != last:
            lines += ["", f"[{table}]"] if table else [""]
            last = table
        lines += [f"# {spec.metadata['doc']}", f"{key} = {_toml(value)}"]
    return "\n".join(lines) + "\n"


class _Reader:
    """Goes through the tables of a file; `problems` fills on the way."""

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self._lines = _lines(text)
        self._fields: dict[str, Field[Any]] = dict(parameters())
        self._tables = list(dict.fromkeys(name.partition(".")[0] for name in self._fields if "." in name))

    def values(self, data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """Every parameter that is written, by its dotted name, with a value that is allowed."""
        for name, value in data.items():
            if name not in self._tables:
                yield from self._value(name, value)
            elif isinstance(value, dict):
                for key, inner in value.items():
                    yield from self._value(f"{name}.{key}", inner)
            else:
                self._add(f"this is a table: write [{name}] and its parameters below it", name)

    def _value(self, name: str, value: Any) -> Iterator[tuple[str, Any]]:
        said = self._wrong(name, value)
        if said:
            self._add(said, name)
        else:
            yield name, value

    def _wrong(self, name: str, value: Any) -> str | None:
        if name not in self._fields:
            return self._no_table(name) if isinstance(value, dict) else unknown(name, sorted(self._fields))
        spec = self._fields[name]
        if isinstance(value, str) and not isinstance(spec.default, str):
            # convert() would read it as on a command line; in TOML a number in quotes is text.
            said = spec.metadata["check"](value)
            return said if said is None or isinstance(spec.default, tuple) else f"{said}, without quotes"
        try:
            allowed.convert(name, spec.metadata["check"], value, spec.default)
        except StackError as fault:
            return fault.problems[0].text
        return None

    def _no_table(self, name: str) -> str:
        near = get_close_matches(name, self._tables, n=1)
        return f"there is no table [{name}]: " + (
            f"did you mean [{near[0]}]?" if near else f"there are [{'], ['.join(self._tables)}]"
        )

    def _add(self, text: str, name: str) -> None:
        table, _, key = name.rpartition(".")
        line = self._lines.get(name) or self._lines.get(table, 0)
        self.problems.append(Problem(text, self.source, line, section=table, key=key))


def _toml(value: Any) -> str:
    """A value as TOML writes it: JSON's texts and numbers are TOML's too, but for one character."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _tables(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        place = _PLACE.search(str(fault))
        line = int(place["line"]) if place and place["line"] else len(text.splitlines())
        said = _PLACE.sub("", str(fault))
        raise StackError(
            [Problem(f"this is not TOML ({said}): write key = value, and text in quotes", source, line)]
        ) from None


def _lines(text: str) -> dict[str, int]:
    """The line of every table and key, by dotted name: tomllib does not tell."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _TABLE.match(line):
            table = _dotted(match["name"])
            found.setdefault(table, number)
        elif match := _ASSIGNMENT.match(line):
            found.setdefault(".".join(part for part in (table, _dotted(match["name"])) if part), number)
    return found


def _dotted(written: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in written.split("."))
