"""The program around its panes: lines, digits, filter, help, what others say, and the end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from textual import events

from jupytui.actions.base import Confirmation, Loss
from jupytui.errors import ConfigError
from jupytui.fleet.models import HostView, Trouble
from jupytui.hosts.state import HostState
from jupytui.ui.dialogs.confirm import ConfirmDialog
from jupytui.ui.panes.table import PANES
from jupytui.ui.program import Program
from tests.ui import fleets
from tests.ui.program import SIZES, desk, options, running, settled, text, toasts, turn_to


def test_the_table_of_panes_says_what_the_panes_say_of_themselves() -> None:
    for entry in PANES:
        pane = entry.make()
        assert (entry.digit, entry.title) == (pane.DIGIT, pane.TITLE)


def test_a_theme_there_is_not_is_an_error_before_there_is_a_screen(tmp_path: Path) -> None:
    given = options(tmp_path)
    config = msgspec.structs.replace(given.config, settings=msgspec.structs.replace(given.config.settings, theme="no"))
    with pytest.raises(ConfigError, match=r"settings.theme: there is no theme no"):
        Program(type(given)(config, given.paths))


@pytest.mark.parametrize("size", SIZES)
async def test_the_first_and_the_last_line_say_where_one_is_and_what_to_press(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with running(tmp_path, size) as (program, _pilot):
        first, *_rest, last = text(program).splitlines()
        assert "1 Fleet" in first
        assert "4 hosts" in first
        assert ("2 Kernels" in first) is (size[0] >= 110)
        assert "? help" in last
        assert all(len(line) <= size[0] for line in text(program).splitlines())


async def test_digits_go_to_panes_enter_goes_in_escape_and_minus_come_back(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        await pilot.press("2")
        await settled(pilot)
        assert program.main.pane.TITLE == "Kernels"
        await pilot.press("minus")
        assert program.main.pane.TITLE == "Fleet"
        await pilot.press("down", "enter")  # a server
        await settled(pilot)
        assert program.main.pane.TITLE == "Kernels"
        assert "local:8888" in text(program).splitlines()[0]
        await pilot.press("escape")
        await settled(pilot)
        assert program.main.pane.TITLE == "Fleet"


async def test_changes_are_drawn_together_and_a_hidden_pane_learns_them_when_it_is_shown(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        calls: list[object] = []
        pane = program.main.pane
        show = pane.show_store
        pane.show_store = lambda store, changed=None: (calls.append(changed), show(store, changed))[1]  # type: ignore[method-assign, func-returns-value]
        for _ in range(50):
            program.store.patch("gpu1", rtt_ms=float(len(calls)) + 1.5)
            program.store.patch("local", rtt_ms=2.5)
        await settled(pilot)
        assert calls == [{"gpu1", "local"}]
        await pilot.press("2")
        program.store.remove("gpu1")
        await settled(pilot)
        assert len(calls) == 1
        assert "gpu1:" not in text(program)
        await pilot.press("1")
        await settled(pilot)
        assert "gpu1" not in text(program)
        assert "3 hosts" in text(program)


async def test_the_filter_narrows_while_typing_enter_keeps_it_escape_drops_it(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        await pilot.press("/", *"gpu1")
        await settled(pilot)
        assert "lab-pi" not in text(program)
        await pilot.press("enter")
        await settled(pilot)
        assert "/gpu1" in text(program).splitlines()[-1]
        await pilot.press("escape")
        await settled(pilot)
        assert "lab-pi" in text(program)


async def test_words_of_others_are_shown_as_they_are_everywhere(tmp_path: Path) -> None:
    views = [*fleets.everything(), HostView(f"h{fleets.TAMED}", state=HostState.DOWN)]
    async with running(tmp_path, (120, 40), views) as (program, pilot):
        for keys in (["1"], ["2"], ["?"], ["escape", ":"], ["escape", "."]):
            await pilot.press(*keys)
            await settled(pilot)
        await pilot.press("escape", "1")
        turn_to(program, f"h{fleets.TAMED}")
        await pilot.press(".")
        await settled(pilot)
        assert fleets.TAMED in text(program)
        question = Confirmation(fleets.TAMED, (Loss(fleets.TAMED, fleets.TAMED),), fleets.TAMED, fleets.TAMED)
        await program.push_screen(ConfirmDialog(question))
        await settled(pilot)
        assert text(program).count("[@click=app.quit]") >= 5
        assert program.is_running


async def test_what_is_known_is_saved_at_the_end(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, _pilot):
        program.store.patch("gpu1", rtt_ms=3.0)
    known = Program(options(tmp_path, fleets.fleet())).store.host("gpu1")
    assert known is not None
    assert known.servers
    assert known.state is HostState.CONNECTING


async def test_first_start_says_what_can_be_done_instead_of_an_empty_table(tmp_path: Path) -> None:
    config = Path.home() / ".ssh" / "config"
    config.parent.mkdir()
    config.write_text("".join(f"Host h{number}\n" for number in range(14)) + "Host local *.example.org\n")
    async with running(tmp_path, (45, 24), [replace(fleets.local(), servers=())]) as (program, _pilot):
        while "14 hosts" not in (said := " ".join(text(program).split())):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert "this machine ● up" in said
        assert "No Jupyter server runs here. n starts one · a adds a host · i picks from your ssh config (14" in said


async def test_d_tells_all_of_what_is_wrong_with_the_selected_host(tmp_path: Path) -> None:
    wrong = HostView("gpu9", state=HostState.DOWN, error=Trouble("gpu9 went away.", "Turn it on.", "what came back"))
    async with running(tmp_path, (80, 24), [*fleets.fleet(), wrong]) as (program, pilot):
        turn_to(program, "gpu9")
        await pilot.press("d")
        await settled(pilot)
        assert "what came back" in text(program)
        await pilot.press("escape", "g", "d")
        await settled(pilot)
        assert toasts(program) == ["Nothing has failed."]


async def test_a_blurred_terminal_is_looked_at_less_often(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        pace = desk(program).live.fleet.pace
        program.post_message(events.AppBlur())
        await settled(pilot)
        assert pace.factor > 1
        program.post_message(events.AppFocus())
        await settled(pilot)
        assert pace.factor == 1
