"""What is selected is the scope: a digit shows its pane for that, pressed again for all hosts, and again for that."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from jupytui.fleet.subject import Subject
from jupytui.ui.program import Program
from jupytui.ui.widgets.header import header_text
from tests.ui import fleets
from tests.ui.program import SIZES, running, settled, text, toasts

LISTS = "24567"
LAB = Subject("gpu1", "gpu1:8888")


async def on(pilot: Pilot[int], program: Program, subject: Subject) -> None:
    program.main.pane.move_to(subject)  # type: ignore[attr-defined]
    await settled(pilot)


def head(program: Program) -> str:
    return text(program).splitlines()[0]


@pytest.mark.parametrize("digit", LISTS)
@pytest.mark.parametrize("size", SIZES)
async def test_a_digit_in_the_fleet_shows_its_pane_for_what_is_selected_there_and_says_so(
    home: Path, size: tuple[int, int], digit: str
) -> None:
    async with running(home, size) as (program, pilot):
        await on(pilot, program, LAB)
        await pilot.press(digit)
        await settled(pilot)
        part = "gpu1" if digit == "5" else "gpu1:8888"  # tunnels are a host's
        assert head(program).endswith(f"{part} · {digit} all")
        await pilot.press(digit)
        await settled(pilot)
        assert head(program).endswith(f"4 hosts · {digit} {part}")
        await pilot.press(digit)
        await settled(pilot)
        assert head(program).endswith(f"{part} · {digit} all")


async def test_kernels_are_those_of_the_server_or_of_the_host_that_is_selected(home: Path) -> None:
    async with running(home, (120, 40)) as (program, pilot):
        await on(pilot, program, LAB)
        await pilot.press("2")
        await settled(pilot)
        assert "train.ipynb" in text(program) and "gpu1:8890" not in text(program)
        await pilot.press("2")
        await settled(pilot)
        assert "gpu1:8890" in text(program) and "fit.ipynb" in text(program)
        await pilot.press("1")
        await on(pilot, program, Subject("gpu1"))
        await pilot.press("2")
        await settled(pilot)
        assert "gpu1:8890" in text(program) and "fit.ipynb" not in text(program)


@pytest.mark.parametrize("digit", "38")
async def test_log_and_settings_are_those_of_the_server_that_is_selected_in_any_pane(home: Path, digit: str) -> None:
    async with running(home) as (program, pilot):
        await on(pilot, program, Subject("gpu1"))
        await pilot.press("2")
        await on(pilot, program, Subject("gpu1", "gpu1:8888", "kernel-experiments/train.ipynb"))
        await pilot.press(digit)
        await settled(pilot)
        assert head(program).endswith(f"gpu1:8888 · {digit} all")
        await pilot.press(digit)
        await settled(pilot)
        assert head(program).endswith(f"4 hosts · {digit} gpu1:8888")
        assert program.main.pane.subject != LAB


async def test_from_pane_to_pane_the_scope_stays_until_it_is_widened(home: Path) -> None:
    async with running(home) as (program, pilot):
        await on(pilot, program, LAB)
        await pilot.press("2", "4")
        await settled(pilot)
        assert head(program).endswith("gpu1:8888 · 4 all")
        await pilot.press("4", "6")
        await settled(pilot)
        assert head(program).endswith("4 hosts")


async def test_a_single_host_is_the_whole_fleet(home: Path) -> None:
    async with running(home, views=[fleets.local()]) as (program, pilot):
        await pilot.press("2")
        await settled(pilot)
        assert head(program).endswith("1 host")
        assert "fit.ipynb" in text(program)


def test_a_long_name_is_cut_before_the_way_out_of_it() -> None:
    titles = [("7", "Certificates")]
    line = header_text(titles, "7", "gpu-with-a-very-long-name.example.org:8888", "7 all", 43)
    assert line.cell_length == 43
    assert line.plain.startswith("7 Certificates")
    assert line.plain.endswith("… · 7 all")


@pytest.mark.parametrize("key", ["h", "left", "escape"])
async def test_out_of_where_enter_went_in(home: Path, key: str) -> None:
    async with running(home) as (program, pilot):
        await on(pilot, program, LAB)
        await pilot.press("enter")
        await settled(pilot)
        assert program.main.pane.TITLE == "Kernels"
        await pilot.press(key)
        await settled(pilot)
        assert program.main.pane.TITLE == "Fleet"


async def test_an_empty_list_of_kernels_is_about_the_server_it_was_narrowed_to(home: Path) -> None:
    bare = replace(fleets.local(), servers=tuple(replace(each, kernels=()) for each in fleets.local().servers))
    async with running(home, views=[bare, fleets.gpu1()]) as (program, pilot):
        await on(pilot, program, Subject("local", "local:8888"))
        await pilot.press("2", "l")
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert program.main.pane.TITLE == "Logs"
        assert not toasts(program)
