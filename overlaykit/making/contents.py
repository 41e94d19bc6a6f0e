"""What is inside a build that other people made: each program's version, its licence, and where its source is.

    found = Contents()
    found.read("host", folder)          # what dpkg and Go noted in one image: `status`, `doc/*/copyright`
    file.write_text(found.text())

What an image says of itself is read, nothing else: what it does not say is written down as not said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

UNSAID = "not said"
_MODULES = "doc/ferretdb/modules"

_HEAD = """\
# What is inside

Practice hosts and the images of the three tiers are made of other people's programs. This list was written by the
build itself, from what the packages say. The licences' own texts lie on the hosts and in the images, under
`/usr/share/doc/PACKAGE/copyright` and `/usr/share/common-licenses`, and for `kernel` beside this file, under
`kernel/doc`.

Where the source is:

- Packages of Debian: `apt-get source SOURCE=VERSION` where `deb-src` of Debian 13 (trixie, its updates and its security
  updates) is among apt's sources; versions that have left it are in Debian's snapshot archive, under the same name.
  A package that was made from the source of others too names them under "Built from as well". The hosts' `iptables`
  was linked anew, with glibc in it, from the `.orig.tar.xz` of that same source; the kit's own `lab-run` too has glibc
  in it.
- Go modules: `go mod download MODULE@VERSION`, from wherever Go modules are fetched; `std` is Go's own library, from
  Debian's source package golang of that version.
- What the kit adds (how the images are put together) is in the folder `images/` of overlaykit, Apache-2.0.
"""

# Words by which a licence is known where no machine can read it; the more special stand first.
_KNOWN = (
    ("Apache-2.0", r"Apache License\s+Version 2\.0"),
    ("MPL-2.0", r"Mozilla Public License,? [Vv]ersion 2\.0"),
    ("BSD-3-clause", r"Redistribution and use in source and binary forms(?s:.*)(Neither the name|names? of)"),
    ("BSD-2-clause", r"Redistribution and use in source and binary forms"),
    ("MIT", r"Permission is hereby granted, free of charge"),
    ("ISC", r"Permission to use, copy, modify, and(/or)? distribute this software"),
    ("LGPL", r"GNU (Lesser|Library) General Public License"),
    ("GPL", r"GNU General Public License"),
)


@dataclass(frozen=True, order=True)
class Part:
    """One program of somebody else."""

    kind: str  # "Debian" or "Go"
    name: str
    version: str
    source: str
    source_version: str
    also: str = ""  # further sources that went into it, as dpkg names them


class Contents:
    """The parts of several images, each named once, with the images that hold it."""

    def __init__(self) -> None:
        self._places: dict[Part, list[str]] = {}
        self._licences: dict[tuple[str, str], str] = {}

    def read(self, image: str, folder: Path) -> None:
        """Add an image: `folder` holds its `status` of dpkg and its `doc`, as far as it has them."""
        doc = folder / "doc"
        for part in [*_packages(folder / "status"), *_modules(folder / _MODULES)]:
            self._places.setdefault(part, []).append(image)
            texts = _module_texts(doc / "ferretdb" / part.name) if part.kind == "Go" else _package_text(doc, part)
            if licences := ", ".join(dict.fromkeys(name for text in texts for name in licences_of(text))):
                self._licences[part.kind, part.source] = licences

    def text(self) -> str:
        """The whole list, as Markdown."""
        parts = sorted(self._places)
        return "\n".join([_HEAD, *self._table("Debian", parts), *self._table("Go", parts), *_also(parts)])

    def _table(self, kind: str, parts: list[Part]) -> Iterator[str]:
        yield f"## {'Packages of Debian' if kind == 'Debian' else 'Go modules in FerretDB'}\n"
        yield "| name | version | licences | source | in |\n|---|---|---|---|---|"
        for part in (part for part in parts if part.kind == kind):
            licences = self._licences.get((kind, part.source), UNSAID)
            source = f"{part.source} {part.source_version}"
            yield f"| {part.name} | {part.version} | {licences} | {source} | {', '.join(self._places[part])} |"
        yield ""


def licences_of(text: str) -> list[str]:
    """The licences that a copyright file names: by its fields where a machine can read it, else by its words."""
    if re.match(r"\s*Format(-Specification)?:", text):
        named = re.findall(r"^License: *(\S[^\n]*)$", text, re.MULTILINE)
    else:
        named = re.findall(r"/usr/share/common-licenses/([A-Z][\w.-]*\w)", text)
        named = named or [name for name, words in _KNOWN if re.search(words, text)][:1]
    return sorted({" ".join(name.replace("|", " ").split()) for name in named})


def stanzas(text: str) -> Iterator[dict[str, str]]:
    """Debian's control format: fields by name; a line that begins with a blank goes on with the field before it."""
    for block in re.split(r"\n\s*\n", text.strip()):
        whole = re.sub(r"\n[ \t]+", " ", block)
        yield {name: value.strip() for name, _, value in (line.partition(":") for line in whole.splitlines())}


def _packages(status: Path) -> Iterator[Part]:
    for stanza in stanzas(status.read_text()) if status.exists() else ():
        if not stanza.get("Status", "").endswith(" installed"):
            continue
        name, version = stanza["Package"], stanza["Version"]
        source, _, other = stanza.get("Source", name).partition(" ")
        also = ", ".join(stanza[field] for field in ("Built-Using", "Static-Built-Using") if field in stanza)
        yield Part("Debian", name, version, source, other.strip("()") or version, also)


def _modules(listed: Path) -> Iterator[Part]:
    for line in listed.read_text().splitlines() if listed.exists() else ():
        name, _, version = line.partition(" ")
        yield Part("Go", name, version, name, version)


def _package_text(doc: Path, part: Part) -> list[str]:
    file = doc / part.name / "copyright"
    return [file.read_text(errors="replace")] if file.exists() else []


def _module_texts(folder: Path) -> list[str]:
    files = sorted(path for path in folder.glob("*") if path.is_file())
    return [file.read_text(errors="replace") for file in files]


def _also(parts: list[Part]) -> Iterator[str]:
    yield "## Built from as well\n"
    for part in parts:
        if part.also:
            yield f"- {part.name} {part.version}: {part.also}"
