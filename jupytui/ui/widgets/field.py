"""Where people type: a line, or many."""

from __future__ import annotations

from textual.widgets import Input, TextArea


def plain_input(value: str = "", *, password: bool = False) -> Input:
    """Return an input that writes nothing to the terminal while nobody types."""
    field = Input(value, password=password, select_on_focus=False, compact=True)
    field.cursor_blink = False
    return field


def plain_area(value: str) -> TextArea:
    """Return an editor of a text (cleaned) that writes nothing to the terminal while nobody types."""
    area = TextArea(value, soft_wrap=False, show_line_numbers=False, tab_behavior="focus", compact=True)
    area.cursor_blink = False
    return area
