"""Where people type: a line, or many."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widgets import Input, TextArea


class _Line(Input):
    """A line to type into, but for the keys that mean something to what it stands in."""

    spared: frozenset[str] = frozenset()

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return key not in self.spared and super().check_consume_key(key, character)


def plain_input(value: str = "", *, password: bool = False, spared: Iterable[str] = ()) -> Input:
    """Return an input that writes nothing to the terminal while nobody types; bindings with priority get `spared`."""
    field = _Line(value, password=password, select_on_focus=False, compact=True)
    field.spared = frozenset(spared)
    field.cursor_blink = False
    return field


def plain_area(value: str) -> TextArea:
    """Return an editor of a text (cleaned) that writes nothing to the terminal while nobody types."""
    area = TextArea(value, soft_wrap=False, show_line_numbers=False, tab_behavior="focus", compact=True)
    area.cursor_blink = False
    return area
