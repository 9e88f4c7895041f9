"""A long list that changes: one terminal line per row, formatted only while it is visible."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, ClassVar, Protocol

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message
from textual.strip import Strip

from jupytui.ui.format.glyphs import CURSOR, MARK, THUMB
from jupytui.ui.format.line import Line, Span, cut_line, length, plain, wrap
from jupytui.ui.widgets.lines import Lines

GUTTER = 2  # cursor and mark
MARGIN = 1  # the thumb of a list that is longer than the screen
WHEEL = 3  # rows per turn


class Row(Protocol):
    """What a list is made of: any frozen value that knows its key."""

    @property
    def key(self) -> Hashable:
        """What stays the same while the row changes."""
        ...


class Rows(Lines, can_focus=True):
    """Rows under a cursor that stays on its key while rows come, go and change places.

    A row that goes and comes again gets the cursor back, if nobody has moved it meanwhile. `above` names the row that
    has it until then (None: the next one). `draw` turns a row and a width into a line. `note` is text shown below the
    last row (empty states).
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "first", "First", show=False),
        Binding("end,G", "last", "Last", show=False),
        Binding("space", "mark", "Mark", show=False),
        Binding("enter", "open", "Open", show=False),
    ]

    class Moved(Message):
        """The cursor is on another key, or on none."""

        def __init__(self, key: Hashable | None) -> None:
            super().__init__()
            self.key = key

    class Opened(Message):
        """Enter or a second click on a row."""

        def __init__(self, key: Hashable) -> None:
            super().__init__()
            self.key = key

    class Marked(Message):
        """The set of marked keys changed."""

    def __init__(
        self,
        draw: Callable[[Any, int], Line],
        above: Callable[[Hashable], Hashable | None] = lambda _key: None,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.note = ""
        self._row_line = draw
        self._above = above
        self._chosen: Hashable | None = None  # where the cursor was put last
        self._rows: Sequence[Row] = ()
        self._cursor = 0
        self._top = 0
        self._marked: set[Hashable] = set()
        self._cache: dict[tuple[Hashable, bool, bool, bool], Strip] = {}
        self._cache_width = 0

    @property
    def key(self) -> Hashable | None:
        """The key under the cursor, None in an empty list."""
        return self.current.key if self.current else None

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._rows else None

    @property
    def marked(self) -> list[Hashable]:
        """The marked keys, in the order of the rows."""
        return [row.key for row in self._rows if row.key in self._marked] if self._marked else []

    def set_rows(self, rows: Sequence[Row], note: str = "") -> None:
        """Show `rows` instead; only visible lines that differ are written. Cursor and marks follow their keys."""
        before = self.key
        self.note = note
        self._rows = rows
        self._cursor = self._find(before)
        self._chosen = self.key if self._chosen is None else self._chosen
        if self._marked:
            self._forget_marks_of_others({row.key for row in rows})
        self.redraw()
        if self.key != before:
            self.post_message(self.Moved(self.key))

    def let_go(self) -> None:
        """Somebody asks for other rows (by a filter): the cursor goes to what is left, and stays there."""
        self._chosen = None

    def redraw(self) -> None:
        """Format the visible rows anew (what `draw` depends on changed: ages, for one) and write what differs."""
        self._cache.clear()
        self.repaint()

    def repaint(self) -> None:
        """Write what differs; the terminal's own cursor goes along with the selection."""
        self._scroll_to_cursor()
        super().repaint()
        self._place_cursor()

    def move_to(self, key: Hashable) -> None:
        """Put the cursor on `key`, if it is there."""
        index = next((i for i, row in enumerate(self._rows) if row.key == key), None)
        if index is not None:
            self._go(index)

    def clear_marks(self) -> None:
        """Mark nothing."""
        self._forget_marks_of_others(())
        self.repaint()

    def strips(self) -> Sequence[Strip]:
        """Return the visible rows and, below the last one, the note."""
        self._scroll_to_cursor()
        width, height = self.size
        if self._cache_width != width or len(self._cache) > 8 * height:
            self._cache.clear()
            self._cache_width = width
        visible = range(self._top, min(self._top + height, len(self._rows)))
        thumb = self._thumb(height)
        return [self._strip_at(index, index - self._top in thumb) for index in visible] + self._note_strips(width)

    def notify_style_update(self) -> None:
        """Forget lines in the old colours."""
        self._cache.clear()
        super().notify_style_update()

    def action_move(self, by: int) -> None:
        """Move the cursor by some rows."""
        self._go(self._cursor + by)

    def action_page(self, pages: int) -> None:
        """Move by a screenful, less one row to keep the context."""
        self._go(self._cursor + pages * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """Go to the first row."""
        self._go(0)

    def action_last(self) -> None:
        """Go to the last row."""
        self._go(len(self._rows) - 1)

    def action_mark(self) -> None:
        """Mark the row or take its mark away, and go on to the next."""
        if (key := self.key) is not None:
            self._marked ^= {key}
            self.post_message(self.Marked())
            self._go(self._cursor + 1)

    def action_open(self) -> None:
        """Open what the cursor is on."""
        if (key := self.key) is not None:
            self.post_message(self.Opened(key))

    def on_click(self, event: events.Click) -> None:
        """Select the row; a double click opens it."""
        index = self._top + event.y
        if index < len(self._rows):
            self._go(index)
            if event.chain == 2:
                self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move the view, not the cursor, unless it would be left behind."""
        self._scroll(WHEEL, event)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move the view back."""
        self._scroll(-WHEEL, event)

    def on_resize(self, _event: events.Resize) -> None:
        """Keep the cursor in sight."""
        self.repaint()

    def on_focus(self) -> None:
        """Bring the terminal's cursor here."""
        self._place_cursor()

    def _go(self, index: int) -> None:
        index = max(0, min(index, len(self._rows) - 1))
        moved = index != self._cursor
        self._cursor = index
        self._chosen = self.key
        self.repaint()
        if moved:
            self.post_message(self.Moved(self.key))

    def _find(self, before: Hashable | None) -> int:
        rows, near = self._rows, min(self._cursor, len(self._rows) - 1)
        if near < 0 or rows[near].key == before == self._chosen:
            return max(0, near)
        index = {row.key: i for i, row in enumerate(rows)}
        keys = (before,) if self._chosen is None else (self._chosen, before, self._above(before))
        return next((index[key] for key in keys if key in index), near)

    def _forget_marks_of_others(self, keys: Iterable[Hashable]) -> None:
        kept = self._marked.intersection(keys)
        if kept != self._marked:
            self._marked = kept
            self.post_message(self.Marked())

    def _scroll(self, by: int, event: events.MouseEvent) -> None:
        event.stop()
        height = self.size.height
        self._top = max(0, min(self._top + by, len(self._rows) - height))
        self._go(max(self._top, min(self._cursor, self._top + height - 1)))

    def _scroll_to_cursor(self) -> None:
        height = max(1, self.size.height)
        top = min(max(self._top, self._cursor - height + 1), self._cursor)
        self._top = max(0, min(top, len(self._rows) - height))

    def _place_cursor(self) -> None:
        if self.has_focus:
            self.app.cursor_position = Offset(self.region.x, self.region.y + self._cursor - self._top)

    def _thumb(self, height: int) -> range:
        total = len(self._rows)
        if total <= height:
            return range(0)
        size = max(1, height * height // total)
        start = self._top * (height - size) // (total - height)
        return range(start, start + size)

    def _strip_at(self, index: int, thumb: bool) -> Strip:
        row = self._rows[index]
        state = (row.key, index == self._cursor, row.key in self._marked, thumb)
        strip = self._cache.get(state)
        if strip is None:
            strip = self._cache[state] = self._row_strip(row, *state[1:])
        return strip

    def _row_strip(self, row: Row, selected: bool, marked: bool, thumb: bool) -> Strip:
        width = self._cache_width
        inner = max(1, width - GUTTER - MARGIN)
        line = cut_line(self._row_line(row, inner), inner)
        gutter = (CURSOR if selected else " ") + (MARK if marked else " ")
        line = (Span(gutter, "accent" if marked else ""), *line)
        if thumb:
            line = (*line, *plain(" " * (width - 1 - length(line))), Span(THUMB, "dim"))
        return self.strip(line, width, selected=selected)

    def _note_strips(self, width: int) -> list[Strip]:
        if not self.note:
            return []
        texts = [*([""] if self._rows else []), *wrap(self.note, width - GUTTER - MARGIN)]
        return [self.strip((Span(" " * GUTTER + text),), width) for text in texts]
