"""Practice hosts as containers where the machine's Docker will not: its disk fills, its administrator says no.

On an engine of these tests' own, beside the run's: with a small disk, and with somebody who is asked first.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from administrator import Rules, administrator
from own_docker import engine, missing, place
from practice_hosts import containers_alone

from overlaykit.lab.container_build import build_for_containers, read_box
from overlaykit.lab.rights import look_at_machine
from overlaykit.words.errors import LabError, LabNotPossible

pytestmark = [pytest.mark.containers, containers_alone]
PLUGIN = f"overlaykit-test-{secrets.token_hex(4)}"  # the engine looks for it in a folder that all share
DISK = 2200 * 2**20
LEFT = 20 * 2**20
#: It has no network, and leaves the rules of the machine's firewall alone, which another engine made.
APART = ("--bridge=none", "--iptables=false")


@pytest.fixture(scope="module")
def rules() -> Iterator[Rules]:
    with administrator(PLUGIN) as made:
        yield made


@pytest.fixture(scope="module")
def disk() -> Iterator[Path]:
    """What the engine keeps its data on."""
    if reason := missing():
        pytest.skip(reason)
    with place() as folder:
        data = folder / "data"
        data.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(data)], check=True)
        try:
            yield data
        finally:
            subprocess.run(["umount", str(data)], check=True)


@pytest.fixture(scope="module")
def small(disk: Path, rules: Rules) -> Iterator[docker.APIClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{disk.parent}/docker.sock")
        with engine(disk.parent, *APART, f"--authorization-plugin={PLUGIN}") as client:
            yield client


@pytest.mark.parametrize("moment", ["host: bringing the image", "images: loading"])
def test_a_disk_that_fills_is_said_and_leaves_nothing_half_made(
    small: docker.APIClient, disk: Path, moment: str
) -> None:
    filler = disk / "somebody's"
    met: list[str] = []

    def fill(said: str) -> None:
        if said.startswith(moment) and not met:
            met.append(said)
            free = os.statvfs(disk)
            with filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - LEFT)

    try:
        with pytest.raises(LabError, match=r"the disk of this machine's Docker is full|is the disk full\?") as told:
            build_for_containers(fill)
    finally:
        filler.unlink(missing_ok=True)
    assert met and "Traceback" not in str(told.value)
    assert small.containers(all=True) == []
    assert not small.volumes()["Volumes"]


def test_with_room_it_is_made_after_all(small: docker.APIClient, disk: Path) -> None:
    assert read_box(build_for_containers(lambda _: None).path).rights in ("privileged", "narrow")
    assert {volume["Name"].startswith("overlaykit-images-") for volume in small.volumes()["Volumes"]} == {True}


def test_where_privileged_is_refused_less_is_asked_for(small: docker.APIClient, rules: Rules) -> None:
    rules.refused = {"Privileged"}
    assert look_at_machine(small, image(small)).rights == "narrow"


def test_where_both_are_refused_it_is_said_who_said_no(small: docker.APIClient, rules: Rules) -> None:
    rules.refused = {"Privileged", "CapAdd"}
    with pytest.raises(LabNotPossible) as told:
        look_at_machine(small, image(small))
    said = str(told.value)
    assert said.startswith("this machine's Docker gives practice hosts neither --privileged (")
    assert "Privileged: not on my machine" in said and "CapAdd: not on my machine" in said
    assert said.endswith("allow one of them")
    assert small.containers(all=True) == []


def image(client: docker.APIClient) -> str:
    """The hosts', which the test before has made."""
    return str(client.images(name="overlaykit/host")[0]["RepoTags"][0])
