from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.text import REPLACEMENT, clean, clean_line


@pytest.mark.parametrize(
    "foreign",
    [
        "\x1b]52;c;aGk=\x07",
        "\x1b[6n",
        "\x9b31m",
        "\x00",
        "\r",
        "\x7f",
        "\u202e",
        "\u2066",
        "\u200b",
        "\ufeff",
        "\udc80",
        "\U000e0041",
    ],
)
def test_nothing_a_terminal_obeys_comes_through(foreign: str) -> None:
    cleaned = clean(f"a{foreign}b")
    assert REPLACEMENT in cleaned
    assert foreign[0] not in cleaned


def test_ordinary_text_stays_as_it_is() -> None:
    text = "Grüße, 日本語, 👩‍🔬? [/] [@click=x]\n\ttab"
    assert clean(text.replace("\u200d", "")) == text.replace("\u200d", "")


def test_bytes_are_decoded_with_replacement() -> None:
    assert clean(b"caf\xe9") == f"caf{REPLACEMENT}"


def test_too_much_is_cut_and_marked() -> None:
    assert clean("x" * 10, 5) == "xxxx…"
    assert len(clean(b"\xe2\x82\xac" * 10_000, 100)) == 100


def test_a_line_is_one_line() -> None:
    assert clean_line(" a\nb\tc ") == "a b c"


@given(st.text(max_size=50) | st.binary(max_size=50))
def test_whatever_comes_in_can_be_written_and_is_clean_already(text: str | bytes) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert clean(cleaned) == cleaned
    assert not any((ord(char) < 0x20 and char not in "\t\n") or 0x7F <= ord(char) < 0xA0 for char in cleaned)
