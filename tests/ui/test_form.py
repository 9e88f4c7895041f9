"""A form whose answers turned out to be wrong comes back filled in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jupytui.actions.base import Action, Answers, Context, Field, Form, Subjects
from jupytui.errors import WrongAnswer
from jupytui.fleet.subject import Scope
from tests.ui.program import SIZES, desk, running, settled, text, toasts


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
        assert "enter start · esc leave" in shown
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


@pytest.mark.parametrize("size", SIZES)
async def test_the_last_line_says_what_enter_does_in_this_field_and_that_ctrl_s_sends_from_any(
    home: Path, size: tuple[int, int]
) -> None:
    async with running(home, size, actions=(NEW,)) as (program, pilot):
        await pilot.press("n")
        await settled(pilot)
        for _ in range(2):
            assert "enter next · ctrl+s start · esc leave" in text(program)
            await pilot.press("enter")
            await settled(pilot)
        assert " enter start · esc leave" in text(program)
        assert "ctrl+s" not in text(program)


async def test_ctrl_s_sends_from_the_first_field(home: Path) -> None:
    async with running(home, actions=(NEW,)) as (program, pilot):
        await pilot.press("n")
        await settled(pilot)
        await pilot.press("ctrl+s")
        await program.workers.wait_for_complete()
        assert toasts(program) == ["lab in ~ on "]


CHOICES = tuple(f"/opt/environment-{number}" for number in range(9))


async def _tall(_context: Context, _subjects: Subjects) -> Form:
    lists = (Field(f"list{number}", f"Label {number}", choices=CHOICES, help="Help.") for number in range(5))
    return Form("Tall", (*lists, Field("last", "Last")), submit="Start")


TALL = Action(id="test.tall", title="Tall", scope=Scope.FLEET, keys=("n",), form=_tall, run=_run)


@pytest.mark.parametrize("size", [(45, 30), (120, 40)])
async def test_of_a_tall_form_the_field_one_is_in_is_seen_with_its_label(home: Path, size: tuple[int, int]) -> None:
    async with running(home, size, actions=(TALL,)) as (program, pilot):
        await pilot.press("n")
        await settled(pilot)
        for number in range(5):
            assert f"Label {number} " in text(program)
            assert text(program).partition(f"Label {number} ")[2].count("› ")
            await pilot.press("enter")
            await settled(pilot)
        assert "Last" in text(program)


async def test_a_tunnel_is_asked_for_with_its_first_label_in_sight(home: Path) -> None:
    async with running(home, (45, 30)) as (program, pilot):
        desk(program).do("tunnel.add")
        await settled(pilot)
        assert re.search(r"Host +│", text(program)), text(program)


async def test_what_is_chosen_in_a_list_is_told_by_a_sign(home: Path) -> None:
    async with running(home, actions=(NEW,)) as (program, pilot):
        await pilot.press("n")
        await settled(pilot)
        assert "› lab" in text(program)
        await pilot.press("down")
        await settled(pilot)
        assert "› notebook" in text(program)
        assert "› lab" not in text(program)
