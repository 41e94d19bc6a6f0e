"""What a build says is inside it, from what packages and modules say of themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from overlaykit.making.contents import UNSAID, Contents, licences_of, stanzas

STATUS = """\
Package: crun
Status: install ok installed
Version: 1.21-1
Description: a runtime
 and a second line
Built-Using: glibc (= 2.41-12),
 rustc (= 1.85)

Package: libatomic1
Status: install ok installed
Source: gcc-14 (14.2.0-19)
Version: 14.2.0-19+b1

Package: gone
Status: deinstall ok config-files
Version: 1
"""
READABLE = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
License: GPL-2+
 the text

Files: x
License: Expat | MIT

License: GPL-2+
"""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    (tmp_path / "status").write_text(STATUS)
    for name, text in {
        "crun/copyright": READABLE,
        "ferretdb/modules": "example.org/sub/thing v1.2.3\nsilent.org v0\n",
        "ferretdb/example.org/sub/thing/LICENSE": "Permission is hereby granted, free of charge, to any person",
    }.items():
        (tmp_path / "doc" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "doc" / name).write_text(text)
    return tmp_path


def test_a_package_is_named_once_with_all_that_hold_it(image: Path) -> None:
    found = Contents()
    found.read("host", image)
    found.read("backend", image)
    text = found.text()
    assert "| crun | 1.21-1 | Expat MIT, GPL-2+ | crun 1.21-1 | host, backend |" in text
    assert "| libatomic1 | 14.2.0-19+b1 | not said | gcc-14 14.2.0-19 | host, backend |" in text
    assert "- crun 1.21-1: glibc (= 2.41-12), rustc (= 1.85)" in text
    assert "gone" not in text


def test_a_package_of_the_same_source_speaks_for_one_that_is_silent(image: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "doc" / "gcc-14-base").mkdir(parents=True)
    (other / "status").write_text(
        "Package: gcc-14-base\nStatus: install ok installed\nSource: gcc-14\nVersion: 14.2.0-19\n"
    )
    (other / "doc" / "gcc-14-base" / "copyright").write_text("see /usr/share/common-licenses/GPL-3.")
    found = Contents()
    found.read("kernel", image)
    found.read("host", other)
    assert "| libatomic1 | 14.2.0-19+b1 | GPL-3 | gcc-14 14.2.0-19 | kernel |" in found.text()


def test_modules_are_named_with_their_licence_or_that_they_say_none(image: Path) -> None:
    found = Contents()
    found.read("database", image)
    assert "| example.org/sub/thing | v1.2.3 | MIT | example.org/sub/thing v1.2.3 | database |" in found.text()
    assert f"| silent.org | v0 | {UNSAID} |" in found.text()


def test_an_image_without_notes_adds_nothing(tmp_path: Path) -> None:
    found = Contents()
    found.read("foreign", tmp_path)
    assert "foreign" not in found.text()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (READABLE, ["Expat MIT", "GPL-2+"]),
        (
            "On Debian, see /usr/share/common-licenses/GPL-2 and `/usr/share/common-licenses/LGPL-2.1'.",
            ["GPL-2", "LGPL-2.1"],
        ),
        ("Apache License\n   Version 2.0, January 2004", ["Apache-2.0"]),
        ("Redistribution and use in source and binary forms\n Neither the name of Google", ["BSD-3-clause"]),
        ("Redistribution and use in source and binary forms", ["BSD-2-clause"]),
        ("all mine", []),
    ],
)
def test_licences_are_found(text: str, named: list[str]) -> None:
    assert licences_of(text) == named


def test_stanzas_join_what_goes_on() -> None:
    assert [stanza["Package"] for stanza in stanzas(STATUS)] == ["crun", "libatomic1", "gone"]
