"""The Passwords pane on standings made by hand; tests/e2e/test_passwords.py has real ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as changed
from rich.cells import cell_len
from textual.pilot import Pilot

from jupytui.errors import CommandError
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import Auth
from jupytui.jupyter.passwords.standing import Standing
from jupytui.jupyter.settings.door import Hash
from jupytui.jupyter.settings.models import Entry
from jupytui.ui.panes.passwords import PasswordsPane
from jupytui.ui.program import Program
from tests.ui import fleets
from tests.ui.program import SIZES, running, settled, text

FILE = "/home/alice/.jupyter/jupyter_server_config.json"
GOOD = Standing(
    Auth.PASSWORD, Hash.ARGON2, Entry("IdentityProvider", "hashed_password", path=FILE, line=3),
    changed_at=fleets.ago(days=3),
)  # fmt: skip
WEAK = replace(GOOD, hash=Hash.WEAK, warnings=("The hash is of an old kind that is guessed fast.",), deprecated=True)
OPEN = Standing(Auth.NONE, Hash.NONE, warnings=("Anybody who can reach it is let in.",))


@asynccontextmanager
async def shown(
    home: Path, size: tuple[int, int] = (120, 40), views: Iterable[HostView] | None = None, **more: Any
) -> AsyncIterator[tuple[Program, Pilot[int], PasswordsPane]]:
    """Run the program with the pane shown; nothing is looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PasswordsPane, "_due", lambda *_: False)
        async with running(home, size, [fleets.gpu1()] if views is None else views, **more) as (program, pilot):
            await pilot.press("6", "6")  # of all hosts
            await settled(pilot)
            pane = program.main.pane
            assert isinstance(pane, PasswordsPane)
            yield program, pilot, pane


def take(pane: PasswordsPane, *standings: Standing, view: HostView | None = None) -> None:
    view = view or fleets.gpu1()
    for server, standing in zip(view.servers, standings, strict=False):
        pane.take(view.name, server, standing)


@pytest.mark.parametrize("size", [*SIZES, (30, 20), (200, 50)])
async def test_server_and_state_are_never_cut_away(tmp_path: Path, size: tuple[int, int]) -> None:
    async with shown(tmp_path, size) as (program, pilot, pane):
        take(pane, GOOD, OPEN)
        await settled(pilot)
        seen = text(program)
        for words in ("gpu1:8888", "gpu1:8890", "● fine", "✖ open"):
            assert words in seen
        assert all(cell_len(line) <= size[0] for line in seen.split("\n"))


async def test_an_open_server_is_first_and_what_decides_is_told(tmp_path: Path) -> None:
    async with shown(tmp_path) as (program, pilot, pane):
        take(pane, GOOD, OPEN)
        await settled(pilot)
        pane.move_to(Subject("gpu1", "gpu1:8888"))
        await settled(pilot)
        seen = text(program)
        lines = [" ".join(line.split()) for line in seen.split("\n")]
        assert "SERVER STATE LETS IN BY HASH CHANGED KEY FILE" in lines
        assert seen.index("gpu1:8890") < seen.index("gpu1:8888")
        for words in ("jupyter_server_config.json:3", "IdentityProvider.hashed_password", "argon2", "3d"):
            assert words in seen
        assert "2 servers · 1 open" in seen


async def test_an_age_is_right_on_a_host_whose_clock_is_not(tmp_path: Path) -> None:
    view = changed(fleets.gpu1(), ahead=2 * 86_400.0)
    async with shown(tmp_path, views=[view]) as (program, pilot, pane):
        take(pane, GOOD, view=view)
        await settled(pilot)
        assert " 5d " in text(program)


async def test_what_waits_for_a_restart_says_what_comes_then(tmp_path: Path) -> None:
    async with shown(tmp_path, (45, 24)) as (program, pilot, pane):
        take(pane, replace(GOOD, pending=True, auth=Auth.TOKEN), GOOD)
        await settled(pilot)
        pane.move_to(Subject("gpu1", "gpu1:8888"))
        await settled(pilot)
        seen = " ".join(text(program).split())
        assert "◐ restart" in seen
        assert "count after a restart: it lets in by token then." in seen


async def test_a_logout_that_waits_for_a_restart_is_not_called_fine(tmp_path: Path) -> None:
    async with shown(tmp_path, (45, 24)) as (program, pilot, pane):
        take(pane, replace(GOOD, logs_out=True), GOOD)
        await settled(pilot)
        pane.move_to(Subject("gpu1", "gpu1:8888"))
        await settled(pilot)
        seen = " ".join(text(program).split())
        assert "◐ restart" in seen
        assert "Who is logged in stays so until a restart, which logs everybody out." in seen


async def test_a_weak_hash_is_a_warning_and_enter_tells_everything(tmp_path: Path) -> None:
    async with shown(tmp_path, views=[fleets.locked()]) as (program, pilot, pane):
        take(pane, WEAK, view=fleets.locked())
        await settled(pilot)
        assert "▲ weak" in text(program)
        await pilot.press("enter")
        await settled(pilot)
        seen = text(program)
        assert "How pi:8888 lets people in" in seen
        assert f"Password: IdentityProvider.hashed_password at {FILE}:3" in seen


async def test_files_that_cannot_be_looked_at_say_why(tmp_path: Path) -> None:
    async with shown(tmp_path, views=[fleets.locked()]) as (program, pilot, pane):
        assert "? looking" in text(program)
        pane.take("pi", fleets.locked().servers[0], None, CommandError("It has no [/] Python.", "Install one."))
        await settled(pilot)
        assert "? unread" in text(program)
        assert "It has no [/] Python. Install one." in text(program)


async def test_an_empty_pane_says_what_to_do(tmp_path: Path) -> None:
    async with shown(tmp_path, views=[changed(fleets.gpu1(), servers=())]) as (program, _pilot, _pane):
        assert "n starts one" in text(program)
    async with shown(tmp_path, views=[fleets.changed_key()]) as (program, _pilot, _pane):
        assert "not connected" in text(program)


async def test_what_can_be_done_is_hinted_and_nothing_in_read_only_mode(tmp_path: Path) -> None:
    async with shown(tmp_path) as (program, pilot, pane):
        take(pane, GOOD, GOOD)
        await settled(pilot)
        assert "p set password" in text(program)
    async with shown(tmp_path, read_only=True) as (program, pilot, pane):
        take(pane, GOOD, GOOD)
        await settled(pilot)
        assert "p set" not in text(program)


async def test_a_password_is_typed_unseen_and_weighed_in_words(tmp_path: Path) -> None:
    async with shown(tmp_path) as (program, pilot, pane):
        take(pane, GOOD, GOOD)
        await settled(pilot)
        await pilot.press("p")
        while len(program.screen_stack) == 1:
            await pilot.pause(0.01)
        await settled(pilot)
        await pilot.press(*"password")
        await settled(pilot)
        seen = text(program)
        assert "guessed at once" in seen
        assert "••••••••" in seen
        await pilot.press("enter", "x", "enter", "enter", "enter")
        await pilot.pause()
        await pilot.press("escape")


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_said_of_a_server_is_said_to_the_end(tmp_path: Path, size: tuple[int, int]) -> None:
    last = "And whoever still logs in by the old way is let in until the very last of these words is seen."
    many = replace(WEAK, warnings=(*WEAK.warnings, "Its file can be read by others on this machine.", last))
    async with shown(tmp_path, size) as (program, pilot, pane):
        take(pane, many, GOOD)
        await settled(pilot)
        pane.move_to(Subject("gpu1", "gpu1:8888"))
        await settled(pilot)
        assert last in " ".join(text(program).split())
