"""A build that is carried: out of the cache into one file, and into another cache, whole or not at all."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import shutil
import subprocess
import sys
import threading
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

import pytest
from click.testing import CliRunner, Result

from overlaykit.lab import build as building
from overlaykit.lab import carry, download, parcel, sparse
from overlaykit.lab.carry import export_build, import_build
from overlaykit.making.tier_images import cache_folder, cached_images
from overlaykit.ui.cli import main
from overlaykit.words.errors import InputError, LabError, LabNotPossible, OverlaykitError

HOLE = 8 * 2**20
CHUNK = download._CHUNK
NOISE = os.urandom(3 * 2**18)  # which does not compress, so that a parcel is long enough to be cut


def unheard(_: str) -> None: ...


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Go to a machine with a cache of its own; `here` is where every test begins."""

    def go(name: str) -> Path:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / name / "state"))
        return cache_folder()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(parcel, "_LEVEL", 1)  # the best takes seconds to get ready
    monkeypatch.delenv("OVERLAYKIT_DEBUG", raising=False)
    go("here")
    return go


@pytest.fixture
def built() -> Path:
    """A build as small as one can be, in the place of the real one."""
    place = building.place_of_build()
    (place / "kernel" / "bin").mkdir(parents=True)
    program = place / "kernel" / "bin" / "linux.uml"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    with (place / "disk.img").open("wb") as disk:
        disk.write(b"begin")
        disk.seek(HOLE)
        disk.write(NOISE)
        disk.truncate(2 * HOLE)
    (place / "disk.img").chmod(0o444)
    notes = []
    for tier in ("backend", "database", "frontend"):
        (place / f"{tier}.tar").write_text(f"image of the {tier}")
        notes.append(
            {"tier": tier, "reference": f"overlaykit/{tier}:1", "image_id": "sha256:1", "archive": f"{tier}.tar"}
        )
    (place / "images.json").write_text(json.dumps(notes))
    (place / "CONTENTS.md").write_text("# What is inside\n")
    return place


@pytest.fixture
def file(built: Path, tmp_path: Path) -> Path:
    export_build(tmp_path / "lab.tar.zst", unheard)
    return tmp_path / "lab.tar.zst"


@pytest.fixture
def there(file: Path, home: Callable[[str], Path]) -> Path:
    """The cache of another machine, once a file was written on this one."""
    return home("there")


def digest(folder: Path) -> dict[str, object]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode & 0o100)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def nothing_half_made(cache: Path) -> None:
    builds = cache / "builds"
    assert [path.name for path in builds.glob("*")] == []
    assert building.find_build() is None


def test_a_build_arrives_as_it_left(built: Path, file: Path, there: Path) -> None:
    arrived = import_build(str(file), unheard).path
    assert arrived == there / "builds" / built.name
    assert digest(arrived) == digest(built)
    assert building.find_build() == building.LabBuild(arrived)
    assert (arrived / "disk.img").stat().st_mode & 0o777 == 0o444


def test_holes_stay_holes(built: Path, file: Path, there: Path) -> None:
    assert file.stat().st_size < 2**20
    arrived = import_build(str(file), unheard).path
    assert (arrived / "disk.img").stat().st_size == 2 * HOLE
    assert (arrived / "disk.img").stat().st_blocks * 512 < 2 * len(NOISE)


def test_the_images_are_there_for_hosts_that_no_lab_made(file: Path, there: Path) -> None:
    import_build(f"file://{file}", unheard)
    images = cached_images()
    assert [Path(image.archive).read_text() for image in images] == [f"image of the {image.tier}" for image in images]
    assert sorted(image.tier for image in images) == ["backend", "database", "frontend"]


def test_the_same_build_makes_the_same_file(built: Path, file: Path, tmp_path: Path) -> None:
    export_build(tmp_path / "again", unheard)
    assert (tmp_path / "again").read_bytes() == file.read_bytes()


@pytest.mark.skipif(not (shutil.which("tar") and shutil.which("zstd")), reason="needs tar and zstd")
def test_any_tar_reads_it(built: Path, file: Path, tmp_path: Path) -> None:
    (tmp_path / "by tar").mkdir()
    subprocess.run(["tar", "--zstd", "-xf", file, "-C", tmp_path / "by tar"], check=True)
    assert digest(tmp_path / "by tar") == digest(built)


def test_progress_is_told(built: Path, tmp_path: Path, home: Callable[[str], Path]) -> None:
    heard: list[str] = []
    export_build(tmp_path / "x", heard.append)
    assert heard[-1].endswith("x: 100 %")
    home("there")
    import_build(str(tmp_path / "x"), heard.append)
    assert heard[-1] == "unpacking: 100 %"


def test_a_second_import_is_left_alone(file: Path, there: Path) -> None:
    first = import_build(str(file), unheard)
    heard: list[str] = []
    for source in (str(file), file.as_uri(), "http://127.0.0.1:9/lab"):
        assert import_build(source, heard.append) == first
    assert heard == ["the build is here already, nothing is imported"] * 3


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("/nowhere", "/nowhere cannot be imported: there is no /nowhere"),
        ("/", "/ cannot be imported: it is a folder, and a file is wanted"),
        (
            "ftp://here/lab",
            r"ftp://here/lab: a build is taken from a path, file://, http:// or https://, not from ftp://",
        ),
    ],
)
def test_what_is_no_file_is_told_also_where_none_is_needed(file: Path, there: Path, source: str, said: str) -> None:
    for _ in range(2):
        with pytest.raises(OverlaykitError, match=f"^{said}$"):
            import_build(source, unheard)
        import_build(str(file), unheard)


@pytest.mark.parametrize("at", [9, 40, 5000, -200, -20])
def test_a_changed_byte_is_refused_wherever_it_is(file: Path, there: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    with pytest.raises(LabError, match=r"its checksum is another|no file that `overlaykit lab export`|holds build"):
        import_build(str(file), unheard)
    nothing_half_made(there)


@pytest.mark.parametrize("kept", [0, 5, 200, 5000, -1])
def test_a_file_cut_short_is_refused(file: Path, there: Path, kept: int) -> None:
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(LabError, match=r"is cut short|no file that `overlaykit lab export`"):
        import_build(str(file), unheard)
    nothing_half_made(there)


def test_a_file_that_goes_on_is_refused(file: Path, there: Path) -> None:
    file.write_bytes(file.read_bytes() + b"more")
    with pytest.raises(LabError, match="is cut short or was changed"):
        import_build(str(file), unheard)


def test_another_build_is_refused_with_both(file: Path, there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_FORMAT", "of another day")
    wanted = building.place_of_build().name
    with pytest.raises(LabError, match=rf"holds build [0-9a-f]{{16}}, exported by overlaykit .* needs build {wanted}"):
        import_build(str(file), unheard)
    nothing_half_made(there)


def test_programs_for_another_machine_are_refused(file: Path, there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(LabError, match="holds programs for x86_64, and this machine is aarch64"):
        import_build(str(file), unheard)
    nothing_half_made(there)


def a_disk_with(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(free))


def test_a_full_disk_is_said_before_anything_is_written(
    built: Path, file: Path, home: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_disk_with(monkeypatch, free=1000)
    with pytest.raises(LabNotPossible, match=r"the export needs .* name a file on another disk"):
        export_build(tmp_path / "full", unheard)
    cache = home("there")
    with pytest.raises(LabNotPossible, match=r"the import needs .* set XDG_CACHE_HOME"):
        import_build(str(file), unheard)
    assert not (tmp_path / "full").exists()
    nothing_half_made(cache)


def test_a_disk_that_fills_up_meanwhile_leaves_nothing(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parcel, "add_file", full)
    with pytest.raises(LabError, match=r"lab cannot be written: No space left on device"):
        export_build(tmp_path / "lab", unheard)
    assert list(tmp_path.glob("lab*")) == []


SLOW_EXPORT = """
import pathlib, sys, time
from overlaykit.lab import carry, parcel
parcel.write = lambda manifest, folder, target, progress: (target.write(b"half"), target.flush(), print(flush=True),
                                                           time.sleep(60))
carry.export_build(pathlib.Path("lab.tar.zst"), lambda _: None)
"""


def test_what_a_killed_export_has_left_is_written_over(built: Path, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SLOW_EXPORT], cwd=tmp_path, stdout=subprocess.PIPE) as other:
        assert other.stdout and other.stdout.readline()  # it writes
        with pytest.raises(LabError, match=r"lab.tar.zst is being written by another export: wait for it"):
            export_build(tmp_path / "lab.tar.zst", unheard)
        other.kill()
    assert [path.read_bytes() for path in tmp_path.glob("lab*")] == [b"half"]
    export_build(tmp_path / "lab.tar.zst", unheard)
    assert [path.name for path in tmp_path.glob("lab*")] == ["lab.tar.zst"]
    assert parcel.verify(tmp_path / "lab.tar.zst").key == built.name


def test_a_draft_that_another_export_finishes_just_then_is_not_taken_for_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, lock = tmp_path / "lab.tar.zst", fcntl.flock

    def finished_just_then(opened: BinaryIO, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        Path(opened.name).replace(file)
        lock(opened, how)

    monkeypatch.setattr(fcntl, "flock", finished_just_then)
    with carry._draft(file) as draft:
        assert not draft.samefile(file)
        with draft.open("ab") as third, pytest.raises(BlockingIOError):
            lock(third, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_is_there_is_not_written_over(built: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a thesis")
    with pytest.raises(InputError, match=r"taken is there already: .*--force"):
        export_build(taken, unheard)
    assert taken.read_text() == "a thesis"
    export_build(taken, unheard, force=True)
    assert parcel.verify(taken).key == built.name


@pytest.mark.parametrize(("name", "said"), [("", "is a folder"), ("no/such", "there is no folder")])
def test_where_nothing_can_be_written(built: Path, tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        export_build(tmp_path / name, unheard)


def test_an_import_that_is_interrupted_leaves_nothing(file: Path, there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: Path, folder: Path, _: object) -> None:
        (folder / "disk.img").write_text("half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(parcel, "unpack", interrupted)
        with pytest.raises(KeyboardInterrupt):
            import_build(str(file), unheard)
    nothing_half_made(there)
    assert import_build(str(file), unheard)


def test_what_a_killed_import_left_goes_with_the_next(file: Path, there: Path) -> None:
    half = there / "builds" / f".{building.place_of_build().name}.draft-xyz"
    half.mkdir(parents=True)
    assert building.find_build() is None
    import_build(str(file), unheard)
    assert not half.exists()


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped"])
def test_nothing_is_written_outside(there: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = tmp_path / "evil"
    evil.mkdir()
    (evil / "x").write_text("x")
    manifest = parcel.Manifest(building.place_of_build().name, "1", os.uname().machine, 1)
    with monkeypatch.context() as patch, (tmp_path / "evil.zst").open("wb") as target:
        patch.setattr(parcel, "add_file", lambda archive, path, _, told: sparse.add_file(archive, path, name, told))
        parcel.write(manifest, evil, target, lambda _: None)
    with pytest.raises(LabError, match="Nothing was imported"):
        import_build(str(tmp_path / "evil.zst"), unheard)
    nothing_half_made(there)
    assert not (there / "escaped").exists() and not Path("/tmp/escaped").exists()


class Shelf(ThreadingHTTPServer):
    """One file at every address; `cuts` says after how many bytes each answer ends, `ranges` whether it can go on."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.content, self.cuts, self.ranges, self.status = content, list[int](), True, 200
        self.asked: list[int] = []
        self.address = f"http://127.0.0.1:{self.server_port}/lab.tar.zst"


class Answer(BaseHTTPRequestHandler):
    """As a web server gives a file."""

    server: Shelf

    def do_GET(self) -> None:
        shelf, begin = self.server, 0
        if shelf.ranges and (wanted := self.headers.get("Range")):
            begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
        shelf.asked.append(begin)
        if begin >= len(shelf.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(shelf.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = shelf.content[begin:]
        self.send_response(206 if begin else shelf.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = shelf.cuts.pop(0) if shelf.cuts else len(body)
        self.wfile.write(body[:cut])
        self.close_connection = True

    def log_message(self, *_: object) -> None: ...

    def handle(self) -> None:
        with suppress(ConnectionError):  # who has seen enough hangs up
            super().handle()


@pytest.fixture
def shelf(file: Path, there: Path) -> Iterator[Shelf]:
    with Shelf(file.read_bytes()) as server:
        thread = threading.Thread(target=functools.partial(server.serve_forever, 0.01))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def parts(cache: Path) -> list[int]:
    return [path.stat().st_size for path in (cache / "downloads").glob("*")]


def test_a_build_comes_from_an_address(shelf: Shelf, there: Path) -> None:
    assert import_build(shelf.address, unheard) == building.find_build()
    assert shelf.asked == [0]
    assert parts(there) == []


def test_what_was_cut_goes_on_where_it_was(shelf: Shelf, there: Path) -> None:
    shelf.cuts = [20 * CHUNK, 5 * CHUNK + 1]
    import_build(shelf.address, unheard)
    assert shelf.asked == [0, 20 * CHUNK, 25 * CHUNK]
    assert building.find_build()


def test_what_is_cut_again_and_again_is_kept_for_the_next_time(shelf: Shelf, there: Path) -> None:
    shelf.cuts = [4 * CHUNK] * 5
    with pytest.raises(LabError, match=r"was cut after 0\.\d MB .* the same command again goes on from there"):
        import_build(shelf.address, unheard)
    assert parts(there) == [20 * CHUNK]
    nothing_half_made(there)
    import_build(shelf.address, unheard)
    assert shelf.asked == [n * 4 * CHUNK for n in range(6)]


def test_a_server_that_cannot_go_on_begins_anew(shelf: Shelf, there: Path) -> None:
    shelf.ranges, shelf.cuts = False, [300_000]
    assert import_build(shelf.address, unheard)
    assert shelf.asked == [0, 0]


def test_what_was_fetched_to_its_end_is_not_fetched_again(
    shelf: Shelf, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        a_disk_with(patch, free=2 * len(shelf.content))
        patch.setattr(carry, "missing_space", lambda *_: ["full"])
        with pytest.raises(LabNotPossible, match="full"):
            import_build(shelf.address, unheard)
    assert parts(there) == [len(shelf.content)]
    import_build(shelf.address, unheard)
    assert shelf.asked == [0, len(shelf.content)]


def test_a_file_that_was_changed_on_its_way_is_fetched_anew(shelf: Shelf, there: Path) -> None:
    good = shelf.content
    shelf.content = good[:-100] + bytes(100)
    with pytest.raises(LabError, match="is cut short or was changed"):
        import_build(shelf.address, unheard)
    assert parts(there) == []
    shelf.content = good
    assert import_build(shelf.address, unheard)


def test_what_does_not_fit_is_refused_before_all_of_it_has_come(
    shelf: Shelf, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.cuts = [CHUNK]
    monkeypatch.setattr(building, "_FORMAT", "of another day")
    with pytest.raises(LabError, match="needs build"):
        import_build(shelf.address, unheard)
    assert (shelf.asked, parts(there)) == ([0], [])


def test_no_file_at_the_address(shelf: Shelf, there: Path) -> None:
    shelf.status = 404
    with pytest.raises(LabError, match="gives no file, the server said 404 Not Found: check the address") as told:
        import_build(shelf.address.replace("//", "//me:secret@") + "?key=secret", unheard)
    assert "secret" not in str(told.value)
    assert parts(there) == []


def test_nobody_at_the_address(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("overlaykit.lab.download._ATTEMPTS", 1)
    with pytest.raises(LabError, match=r"^nothing came from \S+ \(no connection: ConnectionError\): is it right,"):
        import_build("HTTP://127.0.0.1:9/lab", unheard)
    assert parts(there) == []


def typed(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_the_commands(built: Path, tmp_path: Path, home: Callable[[str], Path]) -> None:
    written = typed("lab", "export", "lab.tar.zst")
    assert (written.exit_code, "Elsewhere: overlaykit lab import lab.tar.zst" in written.stdout) == (0, True)
    again = typed("lab", "export", "lab.tar.zst")
    assert (again.exit_code, again.stderr.count("\n")) == (2, 1)
    assert typed("lab", "export", "lab.tar.zst", "--force").exit_code == 0
    home("there")
    taken = typed("lab", "import", "lab.tar.zst")
    assert (taken.exit_code, "Next: overlaykit lab up" in taken.stdout) == (0, True)


@pytest.mark.parametrize("source", ["nothing", "file:///nothing", "http://[/"])
def test_no_such_source_is_one_sentence(there: Path, source: str) -> None:
    result = typed("lab", "import", source)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1 and "should not happen" not in result.stderr


def test_what_was_carried_along_takes_the_place_of_building(
    there: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(carry.CARRIED, raising=False)
    assert not carry.can_have_build()
    monkeypatch.setenv(carry.CARRIED, str(file))
    assert carry.can_have_build()
    assert carry.have_build(unheard) == building.find_build()
    assert building.find_build()
    file.unlink()
    assert carry.have_build(unheard) == building.find_build()
