"""What is looked for in a log: words, levels, errors."""

from __future__ import annotations

from pathlib import Path

from textual import events

from tests.ui.logs import TRACEBACK, lines, open_log


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
