"""What is typed while the machine is busy does what it would have done, typed slowly."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from jupytui.actions.base import Confirmation, Field, Form
from jupytui.ui.dialogs.confirm import ConfirmDialog
from jupytui.ui.dialogs.finder import Finder
from jupytui.ui.dialogs.form import FormDialog
from jupytui.ui.inorder import InOrder, Taken
from jupytui.ui.program import Program
from tests.ui.program import running, settled
from tests.ui.test_asking import until

FORM = Form("New", (Field("name", "Name"), Field("word", "Password", secret=True)), submit="Add")


def type_at_once(program: Program, *keys: str) -> None:
    for key in keys:
        program.post_message(events.Key(key, key if len(key) == 1 else None))


def values(program: Program) -> list[str]:
    return [field.value for field in program.screen.query(Input)]


async def test_what_is_typed_after_tab_is_in_the_next_field(home: Path) -> None:
    async with running(home) as (program, pilot):
        await program.push_screen(FormDialog(FORM))
        await settled(pilot)
        type_at_once(program, *"name", "tab", *"word")
        program.post_message(events.Paste("s"))
        type_at_once(program, "left", "x")
        await until(pilot, lambda: values(program) == ["name", "wordxs"])


async def test_an_enter_takes_what_was_typed_before_it(home: Path) -> None:
    async with running(home) as (program, pilot):
        said: list[bool | None] = []
        dialog = ConfirmDialog(Confirmation("Restart it?", (), "", "live"))
        await program.push_screen(dialog, said.append)
        await settled(pilot)
        type_at_once(program, *"liv", "enter", "x")
        await until(pilot, lambda: values(program) == ["livx"])
        assert not said
        type_at_once(program, "backspace", "e", "enter")
        await until(pilot, lambda: bool(said))
        await settled(pilot)
        assert (said, program.screen) == ([True], program.main)


async def test_a_key_whose_end_nobody_tells_keeps_no_later_one_back(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_program: Program, _taken: Taken) -> None:
        """As when the widget that had it has gone."""

    monkeypatch.setattr(InOrder, "on_taken", lost)
    async with running(home) as (program, pilot):
        await program.push_screen(FormDialog(FORM))
        await settled(pilot)
        type_at_once(program, *"abc", "escape", "colon")
        await until(pilot, lambda: isinstance(program.screen, Finder))
