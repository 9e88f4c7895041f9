"""The Logs pane by keys, on real files of this machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual import events
from textual.pilot import Pilot

from jupytui.fleet.feed import FeedState
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Destination
from jupytui.jupyter.models import App, Log, Server
from jupytui.ui.panes.logs import LogsPane
from jupytui.ui.program import Program
from tests.ui import fleets
from tests.ui.program import SIZES, desk, running, settled, text, toasts

NOTES = Subject("local", "local:8888")
LINE = "[{} 2026-11-20 10:11:{:02} ServerApp] {}\n"
TRACEBACK = "    Traceback (most recent call last):\n    ValueError: no\n"


def lines(count: int, words: str = "line", level: str = "I") -> str:
    return "".join(LINE.format(level, number % 60, f"{words} {number}") for number in range(count))


def view_with(*logs: Log | None) -> HostView:
    servers = [
        replace(fleets.local().servers[0], id=f"local:{8888 + n}", port=8888 + n, log=log) for n, log in enumerate(logs)
    ]
    return replace(fleets.local(), servers=tuple(servers))


class Screen:
    """The program with the log on its screen, and what a test asks of it."""

    def __init__(self, program: Program, pilot: Pilot[int], log: Path) -> None:
        self.program, self.pilot, self.log = program, pilot, log

    @property
    def pane(self) -> LogsPane:
        pane = self.program.main.pane
        assert isinstance(pane, LogsPane)
        return pane

    @property
    def text(self) -> str:
        return text(self.program)

    def write(self, words: str) -> None:
        with self.log.open("a") as file:
            file.write(words)

    async def until(self, *words: str, gone: str = "") -> str:
        """Wait until all `words` are on the screen, and `gone` is not."""
        return await self.when(lambda shown: all(word in shown for word in words) and (not gone or gone not in shown))

    async def when(self, holds: Callable[[str], object]) -> str:
        for _ in range(500):
            if holds(self.text):
                return self.text
            await self.pilot.pause(0.01)
        raise AssertionError(self.text)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await settled(self.pilot)


@asynccontextmanager
async def open_log(home: Path, content: str, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Screen]:
    log = home / "lab.log"
    log.write_text(content)
    async with on_fleet(home, view_with(Log("file", str(log))), size=size) as (program, pilot):
        await pilot.press("down", "l")
        yield Screen(program, pilot, log)


@asynccontextmanager
async def on_fleet(
    home: Path, view: HostView, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Program, Pilot[int]]]:
    async with running(home, size, [view]) as (program, pilot):
        desk(program).live.fleet.add(Destination("local"))
        yield program, pilot


@pytest.mark.parametrize("size", SIZES)
async def test_the_newest_line_is_at_the_bottom_and_so_is_every_one_that_comes(
    home: Path, size: tuple[int, int]
) -> None:
    async with open_log(home, lines(100), size) as screen:
        shown = await screen.until("line 99", "● following", "lab :8888", "lab.log")
        assert "line 10 " not in shown
        screen.write(lines(1, "news"))
        await screen.until("news 0")
        assert all(len(line) <= size[0] for line in screen.text.splitlines())


async def test_scrolled_up_it_stays_says_so_and_counts_what_comes_until_it_follows_again(home: Path) -> None:
    async with open_log(home, lines(100)) as screen:
        await screen.until("line 99")
        await screen.press("k", "k")
        await screen.until("○ paused, f follows", "2 more below", gone="line 99")
        screen.write(lines(3, "news"))
        await screen.until("5 more below", gone="news")
        await screen.press("f")
        await screen.until("● following", "news 2")
        await screen.press("g")
        await screen.until("line 0", "paused")
        await screen.press("end")
        await screen.until("● following", "news 2")


async def test_a_search_counts_its_matches_and_goes_from_one_to_the_next(home: Path) -> None:
    async with open_log(home, lines(40) + lines(1, "needle") + lines(40) + lines(1, "needle") + lines(40)) as screen:
        await screen.until("line 39")
        await screen.press("/", *"NEEDLE")
        await screen.until("/NEEDLE  0 found")
        await screen.press("escape", "/", *"needle")
        await screen.until("2 of 2", "needle 0")
        await screen.press("enter", "N")
        await screen.until("1 of 2", "needle 0")
        await screen.press("N")
        await screen.until("none further")
        await screen.press("n")
        await screen.until("2 of 2")
        screen.write(lines(1, "needle"))
        await screen.until("2 of 3")
        await screen.press("escape")
        await screen.until("lines", gone="/needle")


async def test_a_search_goes_to_what_is_nearest_to_where_it_was_begun_however_it_was_typed(home: Path) -> None:
    async with open_log(home, "needle\n" + lines(40, "n") + "here a needle\n" + lines(40)) as screen:
        await screen.until("line 39")
        await screen.press("/", *"needle", "enter")  # with its first letters, it was further up
        await screen.until("2 of 2", "here a needle")
        await screen.press("escape", "g", "/", *"line 39")
        await screen.until("1 of 1", "line 39")  # none above: the one below


async def test_what_is_typed_at_once_after_the_slash_is_the_text(home: Path) -> None:
    async with open_log(home, lines(3)) as screen:
        await screen.until("line 2")
        for key in ("slash", *"lewb"):  # each of them is a key of the pane
            screen.program.post_message(events.Key(key, "/" if key == "slash" else key))
        await screen.until("/lewb  0 found")


async def test_levels_hide_what_is_less_grave_but_never_a_part_of_an_error(home: Path) -> None:
    content = lines(3, "fine") + "silent\n" + lines(1, "careful", "W") + lines(1, "broken", "E") + TRACEBACK
    async with open_log(home, content) as screen:
        await screen.until("ValueError")
        await screen.press("l")
        await screen.until("info and worse", "fine 2", gone="silent")
        await screen.press("l")
        await screen.until("warnings and worse", "careful", "broken", gone="fine")
        await screen.press("l")
        await screen.until("errors only", "broken", "Traceback", "ValueError", gone="careful")
        screen.write(lines(1, "worse", "C") + lines(1, "all is well"))
        await screen.until("worse 0", gone="all is well")
        await screen.press("l")
        await screen.until("silent", "all is well", gone="only")


async def test_a_level_of_which_there_is_nothing_says_what_to_do(home: Path) -> None:
    async with open_log(home, lines(3)) as screen:
        await screen.until("line 2")
        await screen.press("l", "l")
        await screen.until("No line is as grave as that", "l shows the next level")


async def test_errors_are_gone_through_backwards_and_forwards(home: Path) -> None:
    content = lines(60) + lines(1, "first", "E") + TRACEBACK + lines(60) + lines(1, "second", "E") + lines(60)
    async with open_log(home, content) as screen:
        await screen.until("line 59")
        await screen.press("E")
        await screen.until("second 0")
        await screen.press("E")
        await screen.until("first 0", gone="second")
        await screen.press("E")
        await screen.until("none further")
        await screen.press("e")
        await screen.until("second 0", gone="first")


async def test_long_lines_are_wrapped_or_cut(home: Path) -> None:
    async with open_log(home, "x" * 100 + "TAIL\n", (45, 24)) as screen:
        await screen.until("TAIL")
        await screen.press("w")
        await screen.until("…", "not wrapped", gone="TAIL")


async def test_a_line_without_an_end_is_seen_while_it_grows(home: Path) -> None:
    async with open_log(home, "loading 10%") as screen:
        await screen.until("loading 10%")
        screen.write("\rloading 80%")
        await screen.until("loading 80%", gone="10%")


async def test_it_is_saved_where_it_says_with_secrets_masked_and_never_over_another_file(home: Path) -> None:
    async with open_log(home, lines(3) + "http://localhost:8888/?token=0123456789abcdef\n") as screen:
        await screen.until("token=••••••")
        await screen.press("ctrl+s")
        await screen.until("Save this log", f"local-8888-{datetime.now():%Y%m%d}")
        await screen.press(*["backspace"] * 60, *"~/lab.log", "enter")
        await screen.until("such a file already")
        await screen.press(*["backspace"] * 7, *"mine.txt", "enter")
        await screen.when(lambda _text: (home / "mine.txt").exists() and toasts(screen.program))
        assert toasts(screen.program) == [f"4 lines written to {home}/mine.txt."]
        assert (home / "mine.txt").read_text().endswith("token=••••••\n")
        assert (home / "mine.txt").stat().st_mode & 0o777 == 0o600


async def test_a_path_that_cannot_be_is_said_to_be_none(home: Path) -> None:
    async with open_log(home, lines(3)) as screen:
        await screen.until("line 2")
        await screen.press("ctrl+s")
        await screen.until("Save this log")
        for wrong, words in (("~nobody-at-all/x", "can be no such file"), ("/no/such/x", "There is no directory /no")):
            await screen.press(*["backspace"] * 60, *wrong, "enter")
            await screen.until(words)


async def test_a_rotation_is_a_remark_between_the_lines(home: Path) -> None:
    async with open_log(home, lines(2)) as screen:
        await screen.until("line 1")
        screen.log.rename(home / "lab.log.1")
        screen.write("anew\n")
        await screen.until("── the log was rotated", "anew", "line 1")


async def test_hidden_it_reads_nothing_and_shown_again_it_goes_on_where_it_stopped(home: Path) -> None:
    async with open_log(home, lines(2)) as screen:
        await screen.until("line 1")
        feed = screen.pane.feed
        assert feed is not None
        await screen.press("1")
        assert feed.state is FeedState.STOPPED
        screen.write("meanwhile\n")
        await screen.press("3")
        await screen.until("line 0", "line 1", "meanwhile")
        assert screen.pane.feed is feed
        assert screen.text.count("line 1") == 1


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


async def test_lines_of_another_day_say_so(home: Path) -> None:
    async with open_log(home, lines(3)) as screen:
        await screen.until("line 2", "from 20 Nov 2026")
        screen.write("".join(f"[I {datetime.now():%Y-%m-%d %H:%M:%S} ServerApp] now {n}\n" for n in range(60)))
        await screen.until("now 59", gone="from 20 Nov")


async def test_actions_are_about_the_server_whose_log_it_is(home: Path) -> None:
    async with open_log(home, lines(2)) as screen:
        await screen.until("line 1")
        assert screen.pane.chosen == (NOTES,)
        await screen.press("?")
        shown = await screen.until("Keys valid now", "Restart server")
        assert "New server" not in shown  # n is the next match in here


async def test_foreign_text_is_text(home: Path) -> None:
    hostile = "[/] [@click=app.quit]x[/] \x1b]52;c;aGk=\x07 \x1b[31mred\x1b[0m \x9b6n \u202ertl 数据 \x00\n"
    async with open_log(home, hostile + "end\n") as screen:
        shown = await screen.until("end")
        assert "[@click=app.quit]x[/]" in shown
        assert "red" in shown
        assert not {"\x1b", "\x07", "\x9b", "\x00", "\u202e"} & set(shown)


async def test_a_flood_is_drawn_now_and_then_and_keys_are_heard_meanwhile(home: Path) -> None:
    async with open_log(home, "start\n") as screen:
        await screen.until("start")
        flood = await asyncio.create_subprocess_exec("sh", "-c", f"exec yes '{lines(1)[:-1]}' >>'{screen.log}'")
        try:
            loop, late = asyncio.get_running_loop(), []
            ring = screen.pane.feed.ring if screen.pane.feed else None
            assert ring is not None
            while ring.end < 1_000_000:
                due = loop.time() + 0.01
                await asyncio.sleep(0.01)
                late.append(loop.time() - due)
            screen.program.post_message(events.Key("k", None))
            before = loop.time()
            while screen.pane._view.follows:  # noqa: ASYNC110 - as soon as may be
                await asyncio.sleep(0)
            assert loop.time() - before < 0.1
            assert sorted(late)[int(len(late) * 0.99)] < 0.1
        finally:
            flood.kill()
            await flood.wait()
            os.truncate(screen.log, 0)


async def test_closed_it_leaves_no_task_and_no_process(home: Path) -> None:
    """The fixtures of every test look; here the log is being followed while the program ends."""
    async with open_log(home, lines(2)) as screen:
        await screen.until("line 1", "following")


async def test_a_server_of_which_the_log_is_not_known_yet_says_so(home: Path) -> None:
    server = Server(id="local:1", pid=1, app=App.LAB, port=1)
    async with running(home, views=[replace(fleets.local(), servers=(server,))]) as (program, pilot):
        await pilot.press("down", "3")
        await settled(pilot)
        assert "not known yet" in text(program)
