"""Which log is shown, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import App, Log, Server
from tests.ui import fleets
from tests.ui.logs import NOTES, Screen, lines, on_fleet, open_log, view_with
from tests.ui.program import running, settled, text


async def test_another_server_is_picked_and_back_returns(home: Path) -> None:
    (home / "a").write_text("from a\n")
    (home / "b").write_text("from b\n")
    view = view_with(Log("file", str(home / "a")), Log("file", str(home / "b")))
    async with on_fleet(home, view) as (program, pilot):
        screen = Screen(program, pilot, home / "a")
        await screen.press("3")
        await screen.until("2 servers run here", "s picks")
        await screen.press("s", *"8889", "enter")
        await screen.until("from b")
        assert screen.pane.subject == Subject("local", "local:8889")
        await screen.press("s", *"8888", "enter")
        await screen.until("from a", gone="from b")
        await screen.press("escape")
        await screen.until("from b")


async def test_a_log_nobody_can_read_is_said_and_what_to_do(home: Path) -> None:
    async with on_fleet(home, view_with(Log("terminal", "/dev/pts/7"))) as (program, pilot):
        screen = Screen(program, pilot, home)
        await screen.press("down", "3")
        await screen.until("goes to the terminal /dev/pts/7", "R to restart it")


async def test_a_log_that_may_not_be_read_says_why_and_r_tries_again(home: Path) -> None:
    (home / "log").mkdir()
    async with on_fleet(home, view_with(Log("file", str(home / "log")))) as (program, pilot):
        screen = Screen(program, pilot, home / "log")
        await screen.press("down", "l")
        await screen.until("is a directory", "✖ not readable", "r tries again")
        (home / "log").rmdir()
        screen.write("at last\n")
        await screen.press("r")
        await screen.until("at last", "● following")


async def test_an_empty_log_says_so(home: Path) -> None:
    async with open_log(home, "") as screen:
        await screen.until("Nothing was logged yet")
        screen.write("first\n")
        await screen.until("first", gone="Nothing")


@pytest.mark.parametrize("views", [[], [replace(fleets.local(), servers=())]], ids=["no host", "no server"])
async def test_without_a_server_there_is_no_log(home: Path, views: list[HostView]) -> None:
    async with running(home, views=views) as (program, pilot):
        await pilot.press("3")
        await settled(pilot)
        assert "there is no log" in text(program)


async def test_a_server_that_went_keeps_its_log_on_the_screen(home: Path) -> None:
    async with open_log(home, lines(2)) as screen:
        await screen.until("line 1")
        screen.program.store.apply(replace(fleets.local(), servers=()))
        await screen.until("○ server gone", "line 1")


async def test_a_server_started_anew_with_another_log_is_followed_there(home: Path) -> None:
    async with open_log(home, lines(2)) as screen:
        await screen.until("line 1")
        (home / "new.log").write_text("new log\n")
        screen.program.store.apply(view_with(Log("file", str(home / "new.log"))))
        await screen.until("new log", "new.log", gone="line 1")


async def test_actions_are_about_the_server_whose_log_it_is(home: Path) -> None:
    async with open_log(home, lines(2)) as screen:
        await screen.until("line 1")
        assert screen.pane.chosen == (NOTES,)
        await screen.press("?")
        shown = await screen.until("Keys valid now", "Restart server")
        assert "New server" not in shown  # n is the next match in here


async def test_a_server_of_which_the_log_is_not_known_yet_says_so(home: Path) -> None:
    server = Server(id="local:1", pid=1, app=App.LAB, port=1)
    async with running(home, views=[replace(fleets.local(), servers=(server,))]) as (program, pilot):
        await pilot.press("down", "3")
        await settled(pilot)
        assert "not known yet" in text(program)
