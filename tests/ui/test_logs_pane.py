"""The Logs pane by keys, on real files of this machine."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from pathlib import Path

import pytest
from textual import events

from jupytui.fleet.feed import FeedState
from tests.ui.logs import lines, open_log
from tests.ui.program import SIZES, toasts


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
        await screen.press("ctrl+u", *"~/lab.log", "enter")
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
            await screen.press("ctrl+u", *wrong, "enter")
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


async def test_lines_of_another_day_say_so(home: Path) -> None:
    async with open_log(home, lines(3)) as screen:
        await screen.until("line 2", "from 20 Nov 2026")
        screen.write("".join(f"[I {datetime.now():%Y-%m-%d %H:%M:%S} ServerApp] now {n}\n" for n in range(60)))
        await screen.until("now 59", gone="from 20 Nov")


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
