"""What the panes that are lists have in common: titles above rows, sorting, a filter, marks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from jupytui.fleet.models import HostView
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Subject
from jupytui.ui.format.empty import no_match
from jupytui.ui.format.glyphs import RULE
from jupytui.ui.format.line import Line, Span
from jupytui.ui.format.look import Look
from jupytui.ui.format.table import Table
from jupytui.ui.panes.base import Pane
from jupytui.ui.widgets.footer import Hint
from jupytui.ui.widgets.lines import Block
from jupytui.ui.widgets.rows import GUTTER, MARGIN, Row, Rows

if TYPE_CHECKING:
    from jupytui.ui.program import Program


class ListPane(Pane):
    """A pane whose body is `Rows`. Subclasses say which rows there are, in what table, and what stands below."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "cycle_sort", "Sort", show=False)]
    DEFAULT_CSS = "ListPane { height: 1fr; }"
    SORTS: ClassVar[Mapping[str, str]] = {}  # name of the order: title of the column that it follows

    class Sorted(Message):
        """The rows are in another order now; `order` is one of the pane's SORTS."""

        def __init__(self, order: str) -> None:
            super().__init__()
            self.order = order

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.order = next(iter(self.SORTS))
        self.filter = ""
        self._titles = Block(self._header, id="titles")
        self._listed: Sequence[Any] = ()
        self._rows = Rows(self._line, self._above, id="rows")
        self._below = Block(self._footer, id="below")
        self._store = Store()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._look = Look(self.clock(), str(Path.home()))

    def compose(self) -> ComposeResult:
        """Yield titles, rows and what stands below."""
        yield self._titles
        yield self._rows
        yield self._below

    @property
    def subject(self) -> Subject:
        """What the cursor is on."""
        return _subject(self._rows.key)

    @property
    def chosen(self) -> Sequence[Subject]:
        """Everything marked, else what the cursor is on."""
        return [_subject(key) for key in self._rows.marked] or [self.subject]

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the keyboard to the rows."""
        self._rows.focus(scroll_visible)
        return self

    def move_to(self, subject: Subject) -> None:
        """Put the cursor on `subject`, if it is shown."""
        self._rows.move_to(subject)

    def clear_marks(self) -> None:
        """Mark nothing."""
        self._rows.clear_marks()

    def show_store(self, store: Store, changed: Set[str] | None = None) -> None:
        """Draw what is known; nothing is written where nothing differs. Call it now and then: ages grow."""
        self._store = store
        self._look = Look(self.clock(), self._look.home)
        self._learn(changed)
        self._show()

    def filter_by(self, text: str) -> int:
        """Keep only rows that hold every word of `text`; return how many are left."""
        self.filter = text.strip()
        self._rows.let_go()
        self._show()
        return len(self._listed)

    def action_cycle_sort(self) -> None:
        """Sort by the next order of the pane."""
        orders = list(self.SORTS)
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]
        self._show()
        self.post_message(self.Sorted(self.order))

    def on_rows_moved(self, event: Rows.Moved) -> None:
        """Tell the app, and word the lines below anew."""
        event.stop()
        self._show_around()
        self.post_message(self.Selected(_subject(event.key)))

    def on_rows_opened(self, event: Rows.Opened) -> None:
        """Open what the cursor is on."""
        event.stop()
        self._open(_subject(event.key))

    def on_rows_marked(self, event: Rows.Marked) -> None:
        """Count the marks."""
        event.stop()
        self._show_around()

    def _learn(self, changed: Set[str] | None) -> None:
        """Take over what differs in the store."""

    def _above(self, _key: Hashable) -> Hashable | None:
        """Return what gets the cursor when the row of `key` goes, None for the next row."""
        return None

    def _visible(self) -> Sequence[Row]:
        """Return the rows that pass the filter, in order."""
        raise NotImplementedError

    def _table(self, width: int) -> Table:
        raise NotImplementedError

    def _empty(self, rows: Sequence[Row]) -> str:
        """Return what to say when there is nothing to show, "" when there is."""
        return ""

    def _lines_below(self, width: int) -> Sequence[Line]:
        return ()

    def _titled(self, _width: int) -> bool:
        """Whether there is room for titles."""
        return True

    def _open(self, subject: Subject) -> None:
        self.post_message(self.Opened(subject))

    def _line(self, row: Any, width: int) -> Line:
        return self._table(self.size.width).row(row, self._look, width)

    def _show(self) -> None:
        rows = self._listed = self._visible()
        note = no_match(self.filter) if self.filter and not rows else self._empty(rows)
        self._rows.set_rows(rows, note)
        self._show_around()

    def _show_around(self) -> None:
        self._titles.redraw()
        self._below.redraw()

    def _header(self, width: int) -> Sequence[Line]:
        if not self._listed or not self._titled(width):
            return ()
        titles = self._table(width).header(_inner(width), self.SORTS[self.order])
        return [(Span(" " * GUTTER), *titles)]

    def _footer(self, width: int) -> Sequence[Line]:
        lines = self._lines_below(_inner(width))
        if not lines:
            return ()
        return [(Span(" " + RULE * (width - 2), "rule"),), *((Span(" " * GUTTER), *line) for line in lines)]


class ScopedPane(ListPane):
    """A list of what lies within a scope, kept true only while it is seen. Without a row, the scope is selected."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._scope = Subject()
        self._seen = True

    @property
    def _program(self) -> Program:
        return cast("Program", self.app)

    @property
    def subject(self) -> Subject:
        """What the cursor is on; else the scope."""
        return self._rows.key if isinstance(self._rows.key, Subject) else self._scope

    def put_away(self) -> None:
        """Look at nothing while another pane is seen."""
        self._seen = False

    def _views(self) -> list[HostView]:
        """Return the hosts within the scope."""
        return [view for view in self._store if self._scope.host in {None, view.name}]

    def _hints(self, verbs: Iterable[tuple[str, str]]) -> Sequence[Hint]:
        """Return the keys of `verbs`, each with its word; a verb may have none."""
        desk = self._program.desk
        if not desk or self._program.read_only:
            return ()
        keys = [(desk.verbs.keymap.shown(verb), word) for verb, word in verbs]
        return [(key, word) for key, word in keys if key]


def _inner(width: int) -> int:
    return max(1, width - GUTTER - MARGIN)


def matches(text: str, words: Sequence[str]) -> bool:
    """Whether `text` (small letters) holds every word."""
    return all(word in text for word in words)


def _subject(key: Hashable | None) -> Subject:
    return key if isinstance(key, Subject) else Subject()
