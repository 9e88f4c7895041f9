"""Lists to find something in: what marks, what is taken, and what stands where nothing is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from jupytui.actions.base import Action, Answers, Context, Field, Form, Subjects
from jupytui.fleet.subject import Scope
from jupytui.ui.widgets.picklist import Entry
from tests.ui.program import SIZES, desk, running, settled, text, toasts

HOSTS = ("gpu1", "gpu2", "hpc", "lab")


def picker(*, many: bool) -> Action:
    async def form(_context: Context, _subjects: Subjects) -> Form:
        return Form("Hosts", (Field("hosts", "Hosts", choices=HOSTS, many=many),), submit="Add")

    async def run(_context: Context, _subjects: Subjects, answers: Answers) -> str:
        return answers["hosts"].replace("\n", "+")

    return Action(id="test.pick", title="Pick", scope=Scope.FLEET, keys=("P",), form=form, run=run)


@pytest.mark.parametrize("size", SIZES)
async def test_space_marks_and_enter_takes_what_is_marked(home: Path, size: tuple[int, int]) -> None:
    async with running(home, size, actions=(picker(many=True),)) as (program, pilot):
        await pilot.press("P")
        await settled(pilot)
        assert "space mark · enter add · esc leave" in text(program)
        await pilot.press("space", "down", "space")
        await settled(pilot)
        assert text(program).count("✓") == 2
        assert not program.screen.query_one(Input).value
        await pilot.press("enter")
        await program.workers.wait_for_complete()
        assert toasts(program) == ["gpu1+hpc"]


async def test_where_one_thing_is_taken_a_space_is_part_of_what_is_searched(home: Path) -> None:
    async with running(home, actions=(picker(many=False),)) as (program, pilot):
        await pilot.press("P")
        await settled(pilot)
        await pilot.press("space", "x")
        assert program.screen.query_one(Input).value == " x"


@pytest.mark.parametrize("size", SIZES)
async def test_where_nothing_is_found_it_says_so_and_nothing_of_what_was_there_before(
    home: Path, size: tuple[int, int]
) -> None:
    noted = Entry("one", "First", note="All about the first.")
    async with running(home, size) as (program, pilot):
        desk(program).talk.offer("Find", [noted, Entry("two", "Second")], "")
        await settled(pilot)
        assert "All about the first." in text(program)
        await pilot.press(*"zzzz")
        await settled(pilot)
        assert "Nothing matches." in text(program)
        assert "All about the first." not in text(program)
        await pilot.press("enter", *["backspace"] * 4)
        await settled(pilot)
        assert "Nothing matches." not in text(program)
        assert "All about the first." in text(program)
