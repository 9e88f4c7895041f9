"""What is shown of a line is clean, bounded, and masked."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.logs.entry import LIMIT, entry, shown
from jupytui.text import clean


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x1b[32m[I 10:11:12 X]\x1b[m green\x1b[K", "[I 10:11:12 X] green"),
        (b"\x1b]52;c;aGk=\x07", "�]52;c;aGk=�"),
        (b"\x1b[6n", "�[6n"),
        (b"a\0b\xff", "a�b�"),
        (b"dos\r", "dos"),
        (b" 10%\r 50%\r100%", "100%"),
        (b"one\ntwo", "one⏎two"),
        (b"tok\x1b[1men=abcdef01", "token=••••••"),
        (b"caf\xc3\xa9\ttab", "café\ttab"),
    ],
)
def test_a_raw_line_is_shown_as_text(raw: bytes, text: str) -> None:
    assert shown(raw) == text


@given(st.binary())
def test_nothing_that_a_terminal_obeys_is_shown(raw: bytes) -> None:
    text = shown(raw)
    assert clean(text) == text
    assert "\n" not in text


@pytest.mark.parametrize("byte", [b"x", b"\0", b"\xff", "é".encode(), b"\x1b", b"token=", b"\x1b[0m"])
def test_a_line_of_any_length_is_bounded_and_its_cut_is_marked(byte: bytes) -> None:
    text = shown(byte * 300_000)
    assert len(text) <= LIMIT
    assert text.endswith("…") or byte == b"token="


def test_the_time_is_read_off_the_line() -> None:
    assert entry(0, b"[I 2026-11-20 10:11:12.345 X] a", 2).time == datetime(2026, 11, 20, 10, 11, 12, 345000)
    assert entry(0, b"2026-11-20T10:11:12+01:00 a", 0).time == datetime(2026, 11, 20, 9, 11, 12, tzinfo=UTC)
    assert entry(0, b"2026-99-20 10:11:12 a", 0).time is None
    assert entry(0, b"words", 0).time is None
