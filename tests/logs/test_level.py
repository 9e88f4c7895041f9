"""Levels of lines, and which of them belong together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.logs.level import CONTINUED, START, Level, graded, level_of_priority

U, D, I, W, E, C = Level  # noqa: E741


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("[I 2026-11-20 10:11:12.345 ServerApp] Serving", I),
        ("[W 2026-11-20 10:11:12.345 ServerApp] 404 GET /x", W),
        ("[E 2026-11-20 10:11:12.345 LabApp] no", E),
        ("[C 2026-11-20 10:11:12.345 ServerApp] Running as root", C),
        ("[D 10:11:12.345 NotebookApp] old", D),
        ("\x1b[31m[E 2026-11-20 10:11:12.345 ServerApp]\x1b[m red", E),
        ("INFO:     127.0.0.1:5000 - GET / 200 OK", I),
        ("\x1b[33mWARNING\x1b[0m:  slow", W),
        ("ERROR:root:it broke", E),
        ("2026-11-20 10:11:12,345 - my.module - ERROR - it broke", E),
        ("2026-11-20 10:11:12,345 nothing said", U),
        ("[2026-11-20 10:11:12 +0000] [7] [CRITICAL] WORKER TIMEOUT", C),
        ("2026-11-20 10:11:12.345 | WARNING  | m:f:1 - loguru", W),
        ("[IPKernelApp] WARNING | Kernel is running over TCP without encryption.", W),
        ("W1120 10:11:12.345678 7 glog.cc:1] x", W),
        ("time=2026-11-20T10:11:12Z level=error msg=x", E),
        ("/opt/x.py:12: FutureWarning: soon", W),
        ("Traceback (most recent call last):", E),
        ("Information about errors", U),
        ("ERRORS were none", U),
        ("", U),
    ],
)
def test_a_line_has_the_level_it_says(line: str, level: Level) -> None:
    assert graded(line.encode(), START)[0] == level


def grades(text: str) -> list[tuple[Level, bool]]:
    state, found = START, []
    for line in text.splitlines():
        grade, state = graded(line.encode(), state)
        found.append((Level(grade & ~CONTINUED), bool(grade & CONTINUED)))
    return found


def test_an_indented_traceback_belongs_to_its_head() -> None:
    assert grades(
        "[E 2026-11-20 10:11:12.345 ServerApp] Uncaught exception\n"
        "    Traceback (most recent call last):\n"
        '      File "x.py", line 1, in f\n'
        "    ValueError: no\n"
        "[I 2026-11-20 10:11:12.346 ServerApp] on"
    ) == [(E, False), (E, True), (E, True), (E, True), (I, False)]


def test_a_traceback_of_pythons_logging_belongs_to_the_line_above_with_all_its_causes() -> None:
    assert grades(
        "ERROR:root:it broke\n"
        "Traceback (most recent call last):\n"
        '  File "x.py", line 1, in f\n'
        "KeyError: 'a'\n"
        "\n"
        "During handling of the above exception, another exception occurred:\n"
        "\n"
        "Traceback (most recent call last):\n"
        '  File "x.py", line 3, in f\n'
        "my.package.Broken: no\n"
        "plain words"
    ) == [(E, False), *[(E, True)] * 9, (U, False)]


def test_a_bare_traceback_is_an_error_of_its_own() -> None:
    found = grades("hello\nTraceback (most recent call last):\n  File x\nKeyboardInterrupt\nbye now")
    assert found == [(U, False), (E, False), (E, True), (E, True), (U, False)]


def test_a_priority_counts_where_somebody_chose_it() -> None:
    assert level_of_priority(3) == E
    assert level_of_priority(6) == U
    assert graded(b"oops", START, level_of_priority(4))[0] == W
    assert graded(b"[E 2026-11-20 10:11:12.345 ServerApp] x", START, level_of_priority(4))[0] == E


@given(st.lists(st.binary(max_size=400)))
def test_any_bytes_have_some_level(lines: list[bytes]) -> None:
    state = START
    for line in lines:
        grade, state = graded(line, state)
        assert Level(grade & ~CONTINUED) in Level
