"""The Settings pane on files made by hand; tests/e2e/test_settings.py has real ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from textual.pilot import Pilot

from jupytui.actions.base import why_not
from jupytui.actions.table import BY_ID
from jupytui.errors import CommandError
from jupytui.fleet.settings import Sight
from jupytui.fleet.subject import Subject
from jupytui.jupyter.settings.models import ConfigFile, Directory, Found
from jupytui.jupyter.settings.overview import Overview, overview_of, text_of
from jupytui.jupyter.settings.read_options import read_options
from jupytui.jupyter.settings.splice import read
from jupytui.secret import Secret
from jupytui.ui.format.setting_details import details
from jupytui.ui.panes.settings import SettingsPane
from jupytui.ui.program import Program
from tests.ui import fleets
from tests.ui.program import SIZES, desk, running, settled, text

BOTH = [SIZES[0], SIZES[2]]
HOME = "/home/alice/.jupyter"
SERVER = Subject("gpu1", "gpu1:8888")
JSON = '{"ServerApp": {"port": 8888, "root_dir": "/data"},\n "IdentityProvider": {"token": "s3cret"}}\n'
PY = "c.ServerApp.port = 9999\nc.NotebookApp.notebook_dir = '/x'\n"


def file(name: str, said: str, mode: int = 0o600, mtime: datetime | None = None) -> ConfigFile:
    path, data = f"{HOME}/{name}", said.encode()
    time = (mtime or fleets.ago(days=30)).timestamp()
    return ConfigFile(path, HOME, data, mode, 1000, time, writable=True, reading=read(path, data))


def found(*files: ConfigFile, options: tuple[str, ...] = ()) -> Overview:
    return overview_of(
        Found("lab", (Directory(HOME, True, True),), files, read_options(options), 1000, user_directory=HOME), None
    )


USUAL = found(file("jupyter_server_config.json", JSON), file("jupyter_server_config.py", PY))
BROKEN = found(file("jupyter_server_config.py", "c.ServerApp.password = (\n"))
HOSTILE = found(*(file(f"{n}.py", f"c.A.b{n} = {text!r}\nc.A.{text}\n") for n, text in enumerate(fleets.HOSTILE)))


@asynccontextmanager
async def shown(
    home: Path, sight: Sight | None, size: tuple[int, int] = (120, 40), within: Subject = SERVER, **more: Any
) -> AsyncIterator[tuple[Program, Pilot[int], SettingsPane]]:
    """Run the program with the pane shown and this known of one server."""
    async with running(home, size, [fleets.local(), fleets.gpu1()], **more) as (program, pilot):
        await program.main.enter("8", within)
        await settled(pilot)
        pane = program.main.pane
        assert isinstance(pane, SettingsPane)
        if sight:
            pane.take(SERVER, sight)
        await settled(pilot)
        yield program, pilot, pane


@pytest.mark.parametrize("size", [*SIZES, (30, 20)])
async def test_state_and_name_are_never_cut_away(tmp_path: Path, size: tuple[int, int]) -> None:
    async with shown(tmp_path, Sight(USUAL), size) as (program, pilot, _pane):
        seen = text(program)
        for words in ("● applied", "port", "○ loses", "▲ old name"):
            assert words in seen
        assert all(cell_len(line) <= size[0] for line in seen.split("\n"))
        await pilot.press("G", "g", "s", "s")
        assert program.is_running


@pytest.mark.parametrize("size", BOTH)
async def test_a_value_that_loses_is_shown_with_the_winner(tmp_path: Path, size: tuple[int, int]) -> None:
    async with shown(tmp_path, Sight(USUAL), size) as (program, pilot, pane):
        pane.filter_by("loses 9999")
        await settled(pilot)
        said = " ".join(text(program).split())
        assert "jupyter_server_config.py:1 loses to ServerApp.port at ~/.jupyter/jupyter_server_config.json:1." in said


async def test_the_wide_layout_says_file_and_line(tmp_path: Path) -> None:
    async with shown(tmp_path, Sight(USUAL)) as (program, _pilot, _pane):
        lines = [" ".join(line.split()) for line in text(program).split("\n")]
        assert "STATE SETTING VALUE WHERE" in lines
        assert "● applied ServerApp.port 8888 ~/.jupyter/jupyter_server_config.json:1" in lines
        assert "○ loses ServerApp.port 9999 ~/.jupyter/jupyter_server_config.py:1" in lines


@pytest.mark.parametrize("size", BOTH)
async def test_a_file_that_does_not_parse_is_loud_and_says_what_follows(tmp_path: Path, size: tuple[int, int]) -> None:
    async with shown(tmp_path, Sight(BROKEN), size) as (program, _pilot, _pane):
        said = " ".join(text(program).split())
        assert "✖ broken" in said
        assert "Jupyter starts as if it were not there." in said
        assert "the server may be open to all." in said


@pytest.mark.parametrize("size", BOTH)
async def test_no_secret_is_on_the_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    async with shown(tmp_path, Sight(USUAL), size) as (program, pilot, pane):
        pane.filter_by("token")
        await settled(pilot)
        assert "••••••" in text(program)
        assert pane.filter_by("s3cret") == 0
        await settled(pilot)
        pane.filter_by("")
        for _ in range(8):
            await pilot.press("enter")
            await settled(pilot)
            assert "s3cret" not in text(program)
            await pilot.press("escape", "j")


def test_values_are_masked_by_the_name_of_what_holds_them() -> None:
    assert text_of("hashed_password", b"x") == "••••••"
    assert text_of("api_key", "x") == "••••••"
    assert text_of("token", Secret("")) == "''"
    assert text_of("tornado_settings", {"cookie_secret": "x", "n": 1}) == "{'cookie_secret': '••••••', 'n': 1}"
    assert text_of("password_required", True) == "True"
    assert text_of("root_dir", "a\x1b]52;c\x07\n") == "a�]52;c�"


@pytest.mark.parametrize("size", BOTH)
async def test_hostile_text_is_text(tmp_path: Path, size: tuple[int, int]) -> None:
    async with shown(tmp_path, Sight(HOSTILE), size) as (program, pilot, _pane):
        for _ in range(12):
            await pilot.press("j")
        await pilot.press("enter")
        await settled(pilot)
        assert program.is_running


async def test_what_waits_for_a_restart_is_pending(tmp_path: Path) -> None:
    pending = found(file("jupyter_server_config.json", JSON, mtime=fleets.NOW))
    async with shown(tmp_path, Sight(pending)) as (program, _pilot, _pane):
        assert "◐ pending" in text(program)
        assert "files newer than the server: R restarts" in text(program)


async def test_details_tell_every_place(tmp_path: Path) -> None:
    said = "\n".join(details(USUAL, "ServerApp.port", None))
    assert "applied: 8888\n  ServerApp.port at ~/.jupyter/jupyter_server_config.json:1" in said
    assert "loses: 9999\n  ServerApp.port at ~/.jupyter/jupyter_server_config.py:1" in said
    async with shown(tmp_path, Sight(USUAL), (45, 24)) as (program, pilot, _pane):
        await pilot.press("enter")
        await settled(pilot)
        assert "escape leaves" in text(program)


def test_one_option_that_speaks_to_several_classes_does_not_lose_to_itself() -> None:
    items = found(options=("--no-browser",)).items()
    assert [item.state for item in items if item.key == "ServerApp.open_browser"] == ["applied"]


async def test_the_empty_states_say_what_to_do(tmp_path: Path) -> None:
    async with shown(tmp_path, None) as (program, pilot, pane):
        assert "Looking at the files of gpu1:8888 …" in text(program)
        pane.take(SERVER, Sight(found()))
        await settled(pilot)
        assert "Nothing is configured for gpu1:8888: Jupyter's defaults apply. a sets something" in text(program)
        pane.take(SERVER, Sight(None, CommandError("The configuration cannot be looked at.")))
        await settled(pilot)
        assert "The configuration cannot be looked at." in text(program)
        pane.narrow_to(Subject("gpu1", "gpu1:1"))
        await settled(pilot)
        assert "gpu1:1 does not run (any more)." in text(program)


@pytest.mark.parametrize("size", SIZES)
async def test_of_a_server_that_runs_no_more_nothing_is_applied_and_our_change_can_be_undone(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with shown(tmp_path, Sight(USUAL), size) as (program, pilot, pane):
        assert "● applied" in text(program)
        program.store.apply(replace(fleets.gpu1(), servers=()))
        await settled(pilot)
        seen = " ".join(text(program).split())
        assert "applied" not in seen
        assert "gpu1:8888 does not run (any more). u takes back our last change of its files" in seen
        assert pane.own_hints == (("u", "undo"),)
        opened = desk(program)
        assert why_not(BY_ID["settings.undo"], opened.live.context, [pane.subject]) is None
        program.store.apply(fleets.gpu1())
        await settled(pilot)
        assert "● applied" in text(program), "it is back"


async def test_jupyter_being_asked_and_jupyter_not_answering_are_said(tmp_path: Path) -> None:
    async with shown(tmp_path, Sight(USUAL, asking=True)) as (program, pilot, pane):
        assert "◐ asking Jupyter" in text(program)
        silent = overview_of(USUAL.found, None, CommandError("Jupyter ends at once with this configuration."))
        pane.take(SERVER, Sight(silent))
        await settled(pilot)
        assert "By files and rules alone: Jupyter ends at once with this configuration." in text(program)


async def test_of_several_servers_one_is_chosen(tmp_path: Path) -> None:
    async with shown(tmp_path, None, within=Subject()) as (program, pilot, pane):
        assert "gpu1:8888" in text(program)
        assert "local:8888" in text(program)
        assert pane.own_hints == ()
        pane.move_to(SERVER)
        await pilot.press("enter")
        await settled(pilot)
        assert pane.subject == SERVER
        await pilot.press("escape")
        await settled(pilot)
        assert "local:8888" in text(program)


async def test_keys_are_hinted_and_start_the_actions_on_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shown(tmp_path, Sight(USUAL)) as (program, pilot, _pane):
        assert "P presets" in text(program)
        begun: list[tuple[str, object]] = []
        work = desk(program).work
        monkeypatch.setattr(work, "start", lambda action, subjects: begun.append((action.id, list(subjects))))
        await pilot.press("e", "x", "P", "u", "m", "a")
        verbs = ["edit", "remove", "preset", "undo", "migrate", "edit"]
        assert begun == [(f"settings.{verb}", [SERVER]) for verb in verbs]


async def test_read_only_mode_hints_no_change_and_makes_none(tmp_path: Path) -> None:
    async with shown(tmp_path, Sight(USUAL), read_only=True) as (program, pilot, pane):
        assert pane.own_hints == ()
        await pilot.press("e")
        while not program._notifications:
            await pilot.pause(0.01)
        assert "--read-only" in next(iter(program._notifications)).message


async def test_an_equal_sight_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shown(tmp_path, Sight(USUAL)) as (_program, pilot, pane):
        painted: list[object] = []
        monkeypatch.setattr(pane._rows, "refresh", lambda *regions, **_more: painted.append(regions))
        pane.take(SERVER, Sight(USUAL))
        await settled(pilot)
        assert painted == []
