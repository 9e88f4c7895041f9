"""The first line: where one can go, where one is, and how much there is."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.style import Style
from textual.widgets import Static

WIDE = 72
Title = tuple[str, str]


class HeaderLine(Static):
    """Digits and titles of the panes, the one shown in bold; `note` (the number of hosts) at the right end.

    Narrow terminals show the current pane alone.
    """

    def __init__(self, titles: Sequence[Title]) -> None:
        super().__init__("", markup=False)
        self._titles = tuple(titles)
        self._shown: tuple[str, str, int] = ("", "", 0)

    def show(self, digit: str, note: str) -> None:
        """Draw the line; nothing is written when it is as it was."""
        width = self.app.size.width - 2
        if self._shown != (digit, note, width):
            self._shown = (digit, note, width)
            self.update(header_text(self._titles, digit, note, width), layout=False)


def header_text(titles: Sequence[Title], current: str, note: str, width: int) -> Content:
    """Return the line in `width` cells."""
    wide = width + 2 >= WIDE
    shown = titles if wide else [title for title in titles if title[0] == current]
    left = Content.assemble(("jupytui   ", "$accent bold") if wide else "", *_tabs(shown, current))
    gap = width - left.cell_length - Content(note).cell_length
    return Content.assemble(left, " " * max(2, gap), (note, "$muted"))


def _tabs(titles: Sequence[Title], current: str) -> list[Content]:
    return [part for title in titles for part in (_tab(title, title[0] == current), Content("  "))]


def _tab(title: Title, current: bool) -> Content:
    text = Content.styled(" ".join(title), "bold $foreground" if current else "$muted")
    return text if current else text.stylize(Style.from_meta({"@click": f"screen.show_pane('{title[0]}')"}))
