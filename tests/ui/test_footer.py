"""The last line: what is under way never pushes away the keys that are always there."""

from __future__ import annotations

import pytest

from jupytui.ui.widgets.footer import NOTE, footer_text
from jupytui.ui.work import bar

ALWAYS = ((".", "more"), ("/", "filter"), ("?", "help"))


@pytest.mark.parametrize("width", [43, 78, 118])
def test_a_long_note_is_cut_and_the_line_has_the_width_of_the_terminal(width: int) -> None:
    note = f"◐ New server {bar(0.66)} Installing collected packages"
    line = footer_text([("n", "new")], ALWAYS, note, width)
    assert line.cell_length == width
    assert "66%" in line.plain
    assert len(line.plain.partition("◐")[2]) >= NOTE - 1
    if width >= 78:
        assert "? help" in line.plain


def test_a_bar_is_as_long_at_every_fraction() -> None:
    assert [bar(fraction).partition(" ") for fraction in (0, 0.5, 1)] == [
        ("0%", " ", "──────────"),
        ("50%", " ", "━━━━━─────"),
        ("100%", " ", "━━━━━━━━━━"),
    ]
