"""Log lines in cells."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.fleet.feed import FeedState
from jupytui.logs.entry import Entry
from jupytui.logs.level import Level
from jupytui.logs.source import Journal, LogFile
from jupytui.ui.format.line import Line, length
from jupytui.ui.format.log import LogLook, lines_of, pattern
from jupytui.ui.format.log_state import PAUSED, Standing, place_of, state_of, status, title

WIDE, NARROW = LogLook(119), LogLook(44)
HEAD = "[E 2026-11-20 10:11:12.345 ServerApp] it broke"


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def shown(words: str, look: LogLook, level: Level = Level.INFO, time: datetime | None = None) -> list[str]:
    return [text(line) for line in lines_of(Entry(0, words, level, time), look)]


def test_a_wide_line_has_level_time_and_message_in_columns() -> None:
    time = datetime(2026, 11, 20, 10, 11, 12)
    assert shown(HEAD, WIDE, Level.ERROR, time) == ["E 10:11:12  it broke"]


def test_a_narrow_line_is_the_message() -> None:
    assert shown(HEAD, NARROW, Level.ERROR) == ["E it broke"]
    assert shown("[I 10:11:12.345 NotebookApp] old", NARROW) == ["  old"]
    assert shown("2026-11-20 10:11:12,345 - my.module - INFO - x", NARROW) == ["  my.module - INFO - x"]


def test_who_speaks_is_named_when_it_is_not_the_server() -> None:
    assert shown("[I 2026-11-20 10:11:12.345 jupyter_lsp] ready", NARROW) == ["  jupyter_lsp: ready"]
    line = "[I 2026-11-20 10:11:12.345 Restarter] Restarter: restarting kernel (1/5)"
    assert shown(line, NARROW) == ["  Restarter: restarting kernel (1/5)"]


def test_the_journals_time_is_by_this_machines_clock() -> None:
    time = datetime(2026, 11, 20, 10, 11, 12, tzinfo=UTC)
    assert f" {time.astimezone():%H:%M:%S} " in shown("x", WIDE, time=time)[0]


def test_a_line_has_one_colour_by_its_level() -> None:
    assert {span.style for span in lines_of(Entry(0, HEAD, Level.ERROR), NARROW)[0]} == {"bad"}
    assert {span.style for span in lines_of(Entry(0, HEAD, Level.WARNING), NARROW)[0]} == {"warn"}
    assert {span.style for span in lines_of(Entry(0, HEAD, Level.INFO), NARROW)[0]} == {""}


def test_a_remark_of_ours_looks_like_none_of_the_servers_lines() -> None:
    line = Entry(0, "the log was rotated: here the new file begins", marker=True)
    assert [text(one) for one in lines_of(line, WIDE)] == ["  ── the log was rotated: here the new file begins ──"]
    assert {span.style for one in lines_of(line, NARROW) for span in one} == {"dim"}


def test_a_traceback_keeps_its_indentation() -> None:
    line = Entry(0, '  File "x.py", line 1', Level.ERROR, continued=True)
    assert text(lines_of(line, NARROW)[0]) == '    File "x.py", line 1'


@pytest.mark.parametrize(
    ("wanted", "line", "hits"), [("error", "Error error", 2), ("Error", "Error error", 1), ("(x", "f(x(x", 2)]
)
def test_matches_stand_out_capitals_matter_when_there_are_any(wanted: str, line: str, hits: int) -> None:
    look = LogLook(119, match=pattern(wanted))
    spans = [span for one in lines_of(Entry(0, line), look) for span in one]
    assert sum(span.style == "match" for span in spans) == hits


@given(st.text(max_size=300), st.integers(8, 130), st.booleans(), st.text(max_size=3))
def test_no_line_is_wider_than_the_screen_and_wrapping_loses_nothing(
    words: str, width: int, wrap: bool, match: str
) -> None:
    look = LogLook(width, wrap, pattern(match))
    lines = lines_of(Entry(0, words, continued=True), look)
    least = look.indent + 8
    assert all(length(line) <= max(width, least) for line in lines)
    if wrap:
        whole = "".join(text(line)[look.indent :] for line in lines)
        printable = "".join(char if char.isprintable() else " " for char in words.expandtabs(4))
        assert whole == printable


def test_the_title_names_server_place_and_state_and_drops_the_place_first() -> None:
    places = place_of(LogFile("/home/alice/logs/jupyter.log"))
    state = state_of(FeedState.FOLLOWING, follows=True, gone=False)
    assert text(title("gpu1 › lab :8888", places, state, 70)).split("  ")[1].strip() == "/home/alice/logs/jupyter.log"
    assert text(title("lab :8888", places, state, 42)) == "lab :8888  jupyter.log         ● following"
    assert text(title("lab :8888", places, state, 24)) == "lab :8888    ● following"
    assert place_of(Journal("lab.service", "user")) == ("journal of lab.service", "lab")


def test_paused_is_said_with_the_key_that_ends_it() -> None:
    assert state_of(FeedState.FOLLOWING, follows=False, gone=False) == PAUSED
    assert "f" in PAUSED.text
    assert state_of(FeedState.LOST, follows=False, gone=True).text == "✖ connection lost"


def test_the_status_keeps_what_was_asked_for_longest() -> None:
    standing = Standing(1234, 12, Level.WARNING, "token", 17, 3)
    assert text(status(standing, 100)) == "/token  3 of 17 · warnings and worse · 12 more below · 1,234 lines"
    assert text(status(standing, 40)) == "/token  3 of 17 · warnings and worse"
    assert text(status(Standing(text="x"), 40)) == "/x  0 found"
