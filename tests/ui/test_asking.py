"""What is on its way to a question can be left; questions come one by one, and take no key meant for others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from jupytui.actions.base import Action, Answers, Context, Field, Form, Subjects
from jupytui.fleet.subject import Scope
from jupytui.ui.dialogs.finder import Finder
from jupytui.ui.dialogs.form import FormDialog
from jupytui.ui.program import Program
from tests.ui.program import SIZES, desk, running, settled, text, toasts


class Slow:
    """An action that asks only once it is let; what it was told is in `answers`."""

    def __init__(self, key: str, *, asks: bool = False) -> None:
        self.answers: list[str] = []
        self.may_ask = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()
        form = None if asks else self._form
        run = self._ask_and_run if asks else self._run
        self.action = Action(
            id=f"test.{key}", title=f"Slow {key}", scope=Scope.FLEET, keys=(key,), asks=asks, form=form, run=run
        )  # fmt: skip

    async def _form(self, _context: Context, _subjects: Subjects) -> Form:
        await self.may_ask.wait()
        return Form(self.action.title, (Field("name", "Name"),), submit="Add")

    async def _ask_and_run(self, context: Context, subjects: Subjects, _answers: Answers) -> str:
        answers = await context.front.fill(await self._form(context, subjects))
        return await self._run(context, subjects, answers) if answers else ""

    async def _run(self, _context: Context, _subjects: Subjects, answers: Answers) -> str:
        await self.may_end.wait()
        self.answers.append(answers["name"])
        return ""


async def until(pilot: Pilot[int], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await pilot.pause(0.01)


async def dialog_is_there(program: Program, pilot: Pilot[int]) -> None:
    await until(pilot, lambda: isinstance(program.screen, FormDialog))
    await settled(pilot)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("asks", [False, True])
async def test_escape_cancels_what_is_on_its_way_to_a_question_and_the_last_line_says_so(
    home: Path, size: tuple[int, int], asks: bool
) -> None:
    slow = Slow("P", asks=asks)
    async with running(home, size, actions=(slow.action,)) as (program, pilot):
        await pilot.press("P")
        await settled(pilot)
        last = text(program).splitlines()[-1]
        assert "esc cancels" in last
        assert "◐ Slow P" in last
        await pilot.press("escape")
        slow.may_ask.set()
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert program.screen is program.main
        assert toasts(program) == ["Stopped: Slow P."]
        assert "cancels" not in text(program).splitlines()[-1]


@pytest.mark.parametrize("size", SIZES)
async def test_what_works_is_stopped_by_ctrl_c_alone_and_the_last_line_says_so(
    home: Path, size: tuple[int, int]
) -> None:
    slow = Slow("P")
    slow.may_ask.set()
    slow.may_end.clear()
    async with running(home, size, actions=(slow.action,)) as (program, pilot):
        await pilot.press("P")
        await dialog_is_there(program, pilot)
        await pilot.press("x", "enter")
        await settled(pilot)
        assert "ctrl+c stops" in text(program).splitlines()[-1]
        await pilot.press("escape")
        slow.may_end.set()
        await program.workers.wait_for_complete()
        assert slow.answers == ["x"]


async def test_of_two_that_will_ask_the_later_one_does(home: Path) -> None:
    first, second = Slow("P"), Slow("I", asks=True)
    async with running(home, actions=(first.action, second.action)) as (program, pilot):
        await pilot.press("P", "I")
        first.may_ask.set()
        second.may_ask.set()
        await dialog_is_there(program, pilot)
        assert len(program.screen_stack) == 2
        assert "Slow I" in text(program)
        await pilot.press("escape")
        await program.workers.wait_for_complete()
        assert program.screen is program.main


async def test_begun_again_it_asks_once(home: Path) -> None:
    slow = Slow("P")
    async with running(home, actions=(slow.action,)) as (program, pilot):
        await pilot.press("P", "escape", "P")
        slow.may_ask.set()
        await dialog_is_there(program, pilot)
        await pilot.press("x", "enter")
        await program.workers.wait_for_complete()
        assert slow.answers == ["x"]


async def test_a_question_waits_until_what_is_in_front_of_it_was_left(home: Path) -> None:
    slow = Slow("P")
    async with running(home, actions=(slow.action,)) as (program, pilot):
        await pilot.press("P", ":")
        await settled(pilot)
        slow.may_ask.set()
        await pilot.press("q", "u")
        await settled(pilot)
        assert isinstance(program.screen, Finder)
        assert program.screen.query_one(Input).value == "qu"
        await pilot.press("escape")
        await dialog_is_there(program, pilot)
        assert not program.screen.query_one(Input).value


async def test_a_question_takes_no_key_that_was_pressed_before_it_was_seen(home: Path) -> None:
    slow = Slow("P")
    async with running(home, actions=(slow.action,)) as (program, pilot):
        await pilot.press("P")

        def typed(screen: object) -> None:
            for key in ("x", "enter", "escape"):
                program.post_message(events.Key(key, key if key == "x" else None))

        program.screen_change_signal.subscribe(program, typed, immediate=True)
        slow.may_ask.set()
        await dialog_is_there(program, pilot)
        assert not program.screen.query_one(Input).value
        assert not slow.answers
        await pilot.press("y", "enter")
        await program.workers.wait_for_complete()
        assert slow.answers == ["y"]


@pytest.mark.parametrize("size", SIZES)
async def test_beside_a_dialog_a_sentence_is_seen_once(
    home: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")  # in true colour the screen behind shows through
    async with running(home, size) as (program, pilot):
        desk(program).talk.say("Alpha\nBeta\nGamma")
        await settled(pilot)
        await pilot.press(":")
        await settled(pilot)
        desk(program).talk.say("Delta")
        await settled(pilot)
        picture = program.export_screenshot()
        assert [picture.count(word) for word in ("Alpha", "Beta", "Gamma", "Delta")] == [1, 1, 1, 1]
