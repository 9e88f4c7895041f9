"""A saved log is private, whole, clean and masked."""

import os
from pathlib import Path

import pytest

from jupytui.errors import CommandError
from jupytui.logs.events import Marker
from jupytui.logs.ring import Ring
from jupytui.logs.save import save
from jupytui.logs.scan import Filter, Scan


@pytest.fixture
def ring() -> Ring:
    filled = Ring()
    filled.feed([b"one ?token=abcdef\x1b[6n\n" * 500, Marker("rotated"), b"two\n"])
    return filled


async def test_what_is_shown_is_saved_and_only_for_the_owner(ring: Ring, home: Path) -> None:
    old = os.umask(0)
    try:
        count = await save(ring, home / "a.log")
    finally:
        os.umask(old)
    lines = (home / "a.log").read_text().splitlines()
    assert (count, lines) == (502, ["one ?token=••••••"] * 500 + ["--- rotated ---", "two"])
    assert (home / "a.log").stat().st_mode & 0o777 == 0o600


async def test_a_filtered_view_saves_what_it_shows(ring: Ring, home: Path) -> None:
    scan = Scan(ring, Filter(text="two"))
    await scan.finish()
    await save(ring, home / "a.log", scan)
    assert (home / "a.log").read_text() == "two\n"


async def test_a_planted_link_is_replaced_and_not_followed(ring: Ring, home: Path) -> None:
    (home / "victim").write_text("mine")
    (home / "a.log").symlink_to(home / "victim")
    await save(ring, home / "a.log")
    assert (home / "victim").read_text() == "mine"


async def test_where_it_cannot_be_written_nothing_is_left(ring: Ring, home: Path) -> None:
    (home / "a.log").mkdir()
    for path in (home / "a.log", home / "missing" / "a.log"):
        with pytest.raises(CommandError, match="cannot be written"):
            await save(ring, path)
    assert {path.name for path in home.iterdir()} <= {"a.log", "run"}
