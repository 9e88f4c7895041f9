"""The directories of a place, listed by a real sh among real directories."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jupytui.errors import CommandError
from jupytui.hosts import directories
from jupytui.hosts.base import Process
from jupytui.hosts.directories import subdirectories
from jupytui.hosts.local import LocalHost

NOBODY = 65534


class Unprivileged(LocalHost):
    """This machine for somebody who may not read everything: root sees no permissions."""

    async def spawn(self, command: str) -> Process:
        if os.getuid() == 0:
            command = f"exec setpriv --reuid={NOBODY} --clear-groups /bin/sh -c {shlex.quote(command)}"
        return await super().spawn(command)


@pytest.fixture
async def host() -> AsyncIterator[LocalHost]:
    opened = Unprivileged()
    yield opened
    await opened.close()


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everybody may enter, as pytest's own are not."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    yield made
    for directory in made.rglob("*/"):
        if not directory.is_symlink():
            directory.chmod(0o755)
    shutil.rmtree(made)


async def test_directories_and_links_to_them_are_listed_and_files_are_not(host: LocalHost, place: Path) -> None:
    (place / "Work").mkdir()
    (place / "data").mkdir()
    (place / "link").symlink_to("data")
    (place / "dangling").symlink_to("nowhere")
    (place / "to_file").symlink_to("file")
    (place / "file").write_text("")
    (place / ".hidden").mkdir()
    assert await subdirectories(host, str(place)) == (".hidden", "data", "link", "Work")
    assert await subdirectories(host, f"{place}/link") == ()


@pytest.mark.parametrize(
    "name", ["two words", " around ", "-n", "$(touch x)", "[b]", "*", "a\\nb", "日本 é", "~", "%s"]
)
async def test_any_name_that_can_be_shown_is_listed_and_can_be_entered(host: LocalHost, place: Path, name: str) -> None:
    (place / name / "inner").mkdir(parents=True)
    assert await subdirectories(host, str(place)) == (name,)
    assert await subdirectories(host, f"{place}/{name}") == ("inner",)


async def test_names_that_cannot_be_shown_as_they_are_are_left_out(host: LocalHost, place: Path) -> None:
    for name in (b"line\nbreak", b"escape\x1b[2J", b"latin\xe9", b"tab\t", "turn\u202eed".encode()):
        (place / os.fsdecode(name)).mkdir()
    (place / "good").mkdir()
    assert await subdirectories(host, str(place)) == ("good",)


@pytest.mark.parametrize("path", ["~", "~/", "", "."])
async def test_the_home_directory_is_that_of_the_host(
    host: LocalHost, place: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("CDPATH", "/")
    (place / "etc" / "mine").mkdir(parents=True)
    assert await subdirectories(host, path) == ("etc",)
    assert await subdirectories(host, "etc") == await subdirectories(host, "~/etc") == ("mine",)
    assert place.name in await subdirectories(host, "~/..")


@pytest.mark.parametrize("mode", [0o000, 0o711])
async def test_a_directory_that_may_not_be_read_is_not_an_empty_one(host: LocalHost, place: Path, mode: int) -> None:
    (place / "closed" / "inner").mkdir(parents=True)
    (place / "closed").chmod(mode)
    with pytest.raises(CommandError, match="may not be read"):
        await subdirectories(host, f"{place}/closed")
    assert await subdirectories(host, str(place)) == ("closed",)


@pytest.mark.skipif(os.getuid() != 0, reason="somebody else's directory is needed")
async def test_what_lies_in_a_closed_directory_is_not_said_to_be_missing(host: LocalHost, place: Path) -> None:
    (place / "closed").mkdir(mode=0o700)
    with pytest.raises(CommandError, match="may not be read"):
        await subdirectories(host, f"{place}/closed/inner")


async def test_what_is_missing_and_what_is_a_file_are_told_apart(host: LocalHost, place: Path) -> None:
    (place / "file").write_text("")
    with pytest.raises(CommandError, match="no directory"):
        await subdirectories(host, f"{place}/gone")
    with pytest.raises(CommandError, match="is not a directory"):
        await subdirectories(host, f"{place}/file")
    with pytest.raises(CommandError):
        await subdirectories(host, "/a\0b")


async def test_no_more_than_so_many_are_listed(host: LocalHost, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directories, "MOST", 3)
    for number in range(5):
        (place / f"d{number}").mkdir()
    assert await subdirectories(host, str(place)) == ("d0", "d1", "d2")
