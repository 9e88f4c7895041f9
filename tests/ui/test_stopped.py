"""What was stopped halfway is told on the screen, beside that it was stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from jupytui.actions.base import Action, Answers, Context
from jupytui.fleet.subject import Scope, Subject
from tests.ui.program import running, settled, text, toasts


async def _halfway(context: Context, _subjects: Sequence[Subject], _answers: Answers) -> str:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await context.front.tell("gpu1:8888: stopped halfway", ["The files are changed."])
        raise
    return ""


HALFWAY = Action(id="test.halfway", title="Halfway", scope=Scope.FLEET, keys=("P",), run=_halfway)


async def test_an_action_that_was_stopped_can_tell_what_it_leaves_behind(home: Path) -> None:
    async with running(home, actions=(HALFWAY,)) as (program, pilot):
        await pilot.press("P")
        await settled(pilot)
        await pilot.press("ctrl+c")
        await settled(pilot)
        assert toasts(program) == ["Stopped: Halfway."]
        assert "The files are changed." in text(program)
        await pilot.press("escape")
        await program.workers.wait_for_complete()
        assert program.screen is program.main


async def test_the_program_ends_without_waiting_for_it_to_be_read(home: Path) -> None:
    async with asyncio.timeout(20), running(home, actions=(HALFWAY,)) as (_program, pilot):
        await pilot.press("P")
        await settled(pilot)
