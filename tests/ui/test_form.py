"""A form whose answers turned out to be wrong comes back filled in."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupytui.actions.base import Action, Answers, Context, Field, Form, Subjects
from jupytui.errors import WrongAnswer
from jupytui.fleet.subject import Scope
from tests.ui.program import SIZES, running, settled, text, toasts


async def _form(_context: Context, _subjects: Subjects) -> Form:
    fields = (
        Field("app", "Program", "lab", choices=("lab", "notebook", "server")),
        Field("root", "Directory", "~"),
        Field("port", "Port"),
    )
    return Form("New server", fields, submit="Start")


async def _run(_context: Context, _subjects: Subjects, answers: Answers) -> str:
    if answers["port"] == "8888":
        raise WrongAnswer("Port 8888 is taken.", "Take another.", field="port")
    return f"{answers['app']} in {answers['root']} on {answers['port']}"


NEW = Action(id="test.new", title="New server", scope=Scope.FLEET, keys=("n",), form=_form, run=_run)


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_refused_comes_back_as_it_was_filled_in_with_the_reason_at_its_field(
    home: Path, size: tuple[int, int]
) -> None:
    async with running(home, size, actions=(NEW,)) as (program, pilot):
        await pilot.press("n")
        await settled(pilot)
        await pilot.press("down", "enter", *"/work", "enter", *"8888", "enter")
        for _ in range(200):
            if "is taken" in text(program):
                break
            await pilot.pause(0.01)
        shown = text(program)
        assert "Port 8888 is taken. Take another." in " ".join(shown.replace("│", " ").split())
        assert "8888" in shown
        assert "ctrl+s starts" in shown
        assert not toasts(program)
        await pilot.press("backspace", "9")  # the keyboard is where the mistake is
        await settled(pilot)
        assert "is taken" not in text(program)
        await pilot.press("ctrl+s")
        for _ in range(200):
            if toasts(program):
                break
            await pilot.pause(0.01)
        assert toasts(program) == ["notebook in ~/work on 8889"]
