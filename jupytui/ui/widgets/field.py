"""One line to type into."""

from __future__ import annotations

from textual.widgets import Input


def plain_input(value: str = "", *, password: bool = False) -> Input:
    """Return an input that writes nothing to the terminal while nobody types."""
    field = Input(value, password=password, select_on_focus=False, compact=True)
    field.cursor_blink = False
    return field
