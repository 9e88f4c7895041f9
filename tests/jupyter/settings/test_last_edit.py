"""The last edit is kept on its host and taken back by whoever comes next, to the byte, or not at all."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from jupytui.hosts.local import LocalHost
from jupytui.jupyter.settings.apply import apply
from jupytui.jupyter.settings.commit import Done
from jupytui.jupyter.settings.discover import Answer
from jupytui.jupyter.settings.edit import Edit, FileChange
from jupytui.jupyter.settings.last_edit import recall, recall_for, remember
from jupytui.jupyter.settings.models import CannotEdit, Found

PYTHON = "/usr/bin/python3"
OLD, NEW = b'{"A": {"token": "old"}}', b'{"A": {"token": "new"}}'


@pytest.fixture
def found(home: Path) -> Found:
    return Found("lab", python=PYTHON, user_directory=f"{home}/.jupyter", prefix="/usr")


async def made(here: LocalHost, found: Found, home: Path) -> tuple[Path, Path]:
    """Change one file and make another, as one edit of ours that is kept; their paths."""
    assert not await remember(here, found, "Change of A.token", await edited(here, home), "h:8888")
    return home / "a.json", home / "b.json"


async def edited(here: LocalHost, home: Path) -> Done:
    changed, fresh = home / "a.json", home / "b.json"
    changed.write_bytes(OLD)
    changed.chmod(0o640)
    edit = Edit((FileChange(str(changed), OLD, NEW, 0o640, 0o600), FileChange(str(fresh), None, NEW)))
    return Done(edit, Answer("", {}, {}), await apply(here, PYTHON, edit))


async def test_it_is_taken_back_to_the_byte_by_the_next_program(here: LocalHost, found: Found, home: Path) -> None:
    changed, fresh = await made(here, found, home)
    last = await recall(LocalHost(), found)
    assert last
    assert last.title == "Change of A.token"
    await apply(here, PYTHON, last.undo, backups=False)
    assert (changed.read_bytes(), changed.stat().st_mode & 0o777, fresh.exists()) == (OLD, 0o640, False)
    assert await recall(here, found) is None, "it is taken back already"


@pytest.mark.parametrize("name", ["h:8888", "another-name-of-it:8888", "h", "h:#4711"])
async def test_it_is_found_for_a_server_that_does_not_run_any_more(
    here: LocalHost, found: Found, home: Path, name: str
) -> None:
    changed, _ = await made(here, found, home)
    last = await recall_for(here, name)
    assert last
    await apply(here, last.python, last.undo, backups=False)
    assert changed.read_bytes() == OLD
    assert await recall_for(here, name) is None


async def test_of_several_servers_that_do_not_run_one_must_be_named(here: LocalHost, found: Found, home: Path) -> None:
    await made(here, found, home)
    (home / "other.json").write_bytes(OLD)
    other = Edit((FileChange(str(home / "other.json"), OLD, NEW, 0o600),))
    done = Done(other, Answer("", {}, {}), await apply(here, PYTHON, other))
    await remember(here, replace(found, prefix="/opt"), "Change of B.b", done, "h:9999")
    with pytest.raises(CannotEdit, match=r"local:8888 \(Change of A.token\)"):
        await recall_for(here, "h")
    last = await recall_for(here, "h:9999")
    assert last and last.title == "Change of B.b"
    assert await recall_for(here, "h:1") is None


async def test_what_somebody_changed_since_is_theirs(here: LocalHost, found: Found, home: Path) -> None:
    changed, _ = await made(here, found, home)
    changed.write_bytes(NEW + b"\n")
    with pytest.raises(CannotEdit, match="has changed since our last edit"):
        await recall(here, found)


async def test_the_record_is_private_under_any_umask_and_holds_no_secret(
    here: LocalHost, found: Found, home: Path
) -> None:
    before = os.umask(0)
    try:
        await made(here, found, home)
    finally:
        os.umask(before)
    place = home / ".local/state/jupytui/last-edits"
    (record,) = place.iterdir()
    assert (place.stat().st_mode & 0o777, record.stat().st_mode & 0o777) == (0o700, 0o600)
    assert not {b"old", b"new"} & set(record.read_bytes().replace(b'"', b" ").split())


async def test_a_link_in_place_of_its_directory_is_refused(
    here: LocalHost, found: Found, home: Path, tmp_path: Path
) -> None:
    place = home / ".local/state/jupytui/last-edits"
    place.parent.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    place.symlink_to(tmp_path / "elsewhere")
    said = await remember(here, found, "Change of A.token", await edited(here, home))
    assert "Nothing can be kept" in said and ".bak-" in said
    assert not list((tmp_path / "elsewhere").iterdir())
