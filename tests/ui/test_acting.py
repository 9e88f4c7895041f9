"""Keys that do something: seen, reported, confirmed, done once, and told when it fails."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.widgets import Input

from jupytui.actions.base import Loss
from jupytui.errors import JupytuiError
from jupytui.ui.dialogs.confirm import ConfirmDialog
from tests.ui import fleets
from tests.ui.program import SIZES, running, settled, text, toasts
from tests.ui.verb import Verb


async def test_work_is_seen_reported_and_done_once_however_often_the_key_is_pressed(tmp_path: Path) -> None:
    verb = Verb("Tested train.ipynb.")
    verb.hold.clear()
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "T")
        await settled(pilot)
        assert "◐ Test kernel" in text(program).splitlines()[-1]
        await pilot.press("T")
        verb.hold.set()
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert len(verb.done) == 1
        assert toasts(program) == ["Test kernel is under way.", "Tested train.ipynb."]
        assert "◐" not in text(program).splitlines()[-1]


async def test_ctrl_c_stops_what_is_under_way_and_never_ends_the_program(tmp_path: Path) -> None:
    verb = Verb()
    verb.hold.clear()
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "T")
        await settled(pilot)
        await pilot.press("ctrl+c")
        await settled(pilot)
        await pilot.press("ctrl+c")
        await settled(pilot)
        assert toasts(program) == ["Stopped: Test kernel.", "q quits."]
        assert verb.done == []
        assert program.is_running


@pytest.mark.parametrize("size", SIZES)
async def test_a_failure_says_what_and_what_to_do_and_d_shows_what_came_back(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    verb = Verb(JupytuiError(f"It failed {fleets.WILD}.", "Try later.", detail=f"stderr: {fleets.WILD}"))
    async with running(tmp_path, size, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "T")
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert f"It failed {fleets.TAMED}" in toasts(program)[0]
        assert "\x1b" not in toasts(program)[0]
        assert "d shows what came back" in toasts(program)[0]
        await pilot.press("d")
        await settled(pilot)
        assert f"stderr: {fleets.TAMED}" in text(program).replace("\n", " ")
        await pilot.press("escape")
        assert program.is_running


async def test_a_mistake_of_ours_in_an_action_is_a_sentence_and_a_log_line(tmp_path: Path) -> None:
    verb = Verb(ZeroDivisionError("boo"))
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "T")
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert "made a mistake" in toasts(program)[0]
        assert "ZeroDivisionError" in (tmp_path / "logs" / "jupytui.log").read_text()


async def test_what_does_not_fit_what_is_selected_says_what_to_select(tmp_path: Path) -> None:
    verb = Verb()
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press("T")
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert toasts(program) == ["Select a kernel first."]


async def test_read_only_says_so_and_changes_nothing(tmp_path: Path) -> None:
    verb = Verb()
    async with running(tmp_path, actions=(verb.action,), read_only=True) as (program, pilot):
        assert "read-only" in text(program).splitlines()[0]
        await pilot.press("2", "T")
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert verb.done == []
        assert "--read-only" in toasts(program)[0]


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_grave_needs_the_typed_name(tmp_path: Path, size: tuple[int, int]) -> None:
    losses = [Loss(f"train {fleets.TAMED}.ipynb", "busy for 41 minutes", grave=True)]
    verb = Verb(losses=lambda _context, _subject: losses, runs=lambda _context, _subject: f"POST {fleets.TAMED}")
    async with running(tmp_path, size, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "2", "T")
        await settled(pilot)
        assert isinstance(program.screen, ConfirmDialog)
        shown = text(program)
        assert "busy for 41 minutes" in shown.replace("\n", " ") or "busy for 41" in shown
        assert "Type gpu1" in shown
        await pilot.press("y", "enter")
        assert verb.done == []
        await pilot.press("ctrl+u", *"gpu1", "enter")
        await program.workers.wait_for_complete()
        assert len(verb.done) == 1


async def test_an_enter_too_many_leaves_one_dialog_and_ends_nothing(tmp_path: Path) -> None:
    verb = Verb(losses=lambda _context, _subject: [Loss("train.ipynb", "busy", grave=True)])
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "2", "T")
        await settled(pilot)
        field = program.screen.query_one(Input)
        field.value = "gpu1"
        for _ in range(2):
            await field.action_submit()
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert len(verb.done) == 1
        assert program.is_running and program.screen is program.main


async def test_what_is_not_grave_needs_one_key_and_escape_leaves_it(tmp_path: Path) -> None:
    verb = Verb(losses=lambda _context, _subject: [Loss("eval.ipynb", "idle")])
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "T")
        await settled(pilot)
        await pilot.press("escape")
        await program.workers.wait_for_complete()
        assert verb.done == []
        await pilot.press("T")
        await settled(pilot)
        await pilot.press("y")
        await program.workers.wait_for_complete()
        assert len(verb.done) == 1


async def test_marked_things_are_done_together(tmp_path: Path) -> None:
    verb = Verb(many=True)
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "2")
        await settled(pilot)
        await pilot.press("space", "down", "space", "T")
        await program.workers.wait_for_complete()
        assert [len(subjects) for subjects in verb.done] == [2]
        await pilot.press("escape")
        assert len(program.main.pane.chosen) == 1


async def test_help_lists_only_what_is_valid_now_and_can_be_searched(tmp_path: Path) -> None:
    verb = Verb()
    async with running(tmp_path, (120, 40), actions=(verb.action,)) as (program, pilot):
        await pilot.press("?")
        await settled(pilot)
        assert "Test kernel" not in text(program)
        assert "In this pane" in text(program)
        await pilot.press("escape", "2", "?")
        await settled(pilot)
        assert re.search(r"T +Test kernel", text(program)), text(program)
        await pilot.press(*"tstk")
        await settled(pilot)
        assert "Quit" not in text(program)
        await pilot.press("enter")
        await program.workers.wait_for_complete()
        assert len(verb.done) == 1


async def test_the_palette_lists_everything_and_says_why_something_cannot_be_done(tmp_path: Path) -> None:
    verb = Verb()
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press(":")
        await settled(pilot)
        assert "Test kernel" in text(program)
        assert "Select a kernel first." in text(program)
        await pilot.press("enter")
        await settled(pilot)
        assert verb.done == []
        await pilot.press(*"last view", "enter")
        await settled(pilot)
        assert len(program.screen_stack) == 1


async def test_quit_by_the_palette_ends_the_program(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        await pilot.press("ctrl+p", *"quit", "enter")
        await settled(pilot)
        assert not program.is_running
