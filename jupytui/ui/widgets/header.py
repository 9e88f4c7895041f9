"""The first line: where one can go, where one is, and how much there is."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from jupytui.ui.format.line import cells, cut

WIDE = 72
Title = tuple[str, str]


class HeaderLine(Static):
    """Digits and titles of the panes, the one shown in bold; at the right end `note` (how much is shown).

    `way` is the key for more or less of it. Where there is no room for every title the others show their digits; narrow
    terminals the current pane alone.
    """

    def __init__(self, titles: Sequence[Title]) -> None:
        super().__init__("", markup=False)
        self._titles = tuple(titles)
        self._shown: tuple[str, str, str, int] = ("", "", "", 0)

    def show(self, digit: str, note: str, way: str = "") -> None:
        """Draw the line; nothing is written when it is as it was."""
        width = self.app.size.width - 2
        if self._shown != (digit, note, way, width):
            self._shown = (digit, note, way, width)
            self.update(header_text(self._titles, digit, note, way, width), layout=False)


def header_text(titles: Sequence[Title], current: str, note: str, way: str, width: int) -> Content:
    """Return the line in `width` cells: as much of it as leaves room for the note, of which the way is never cut."""
    forms = _forms(titles, current, wide=width + 2 >= WIDE)
    way = f" · {way}" if way else ""
    note = cut(note, width - forms[-1].cell_length - 1 - cells(way)) + way
    left = next((form for form in forms if form.cell_length + 1 + cells(note) <= width), forms[-1])
    return Content.assemble(left, " " * max(1, width - left.cell_length - cells(note)), (note, "$muted"))


def _forms(titles: Sequence[Title], current: str, *, wide: bool) -> list[Content]:
    """Return the left side, the longest first: all titles, the others' digits alone, the current one alone."""
    alone = Content.assemble(*_tabs([title for title in titles if title[0] == current], current))
    if not wide:
        return [alone]
    brief = [title if title[0] == current else (title[0], "") for title in titles]
    tabs, digits = Content.assemble(*_tabs(titles, current)), Content.assemble(*_tabs(brief, current))
    named = [Content.assemble(("jupytui   ", "$accent bold"), form) for form in (tabs, digits)]
    return [named[0], tabs, Content.assemble(*_tabs(titles, current, " ")), named[1], digits, alone]


def _tabs(titles: Sequence[Title], current: str, gap: str = "  ") -> list[Content]:
    return [part for title in titles for part in (_tab(title, title[0] == current), Content(gap))]


def _tab(title: Title, current: bool) -> Content:
    text = Content.styled(" ".join(filter(None, title)), "bold $foreground" if current else "$muted")
    return text if current else text.stylize(Style.from_meta({"@click": f"screen.show_pane('{title[0]}')"}))
