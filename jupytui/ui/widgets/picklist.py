"""A list to find something in: type to narrow it, arrows move, enter takes, space marks where many are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.fuzzy import Matcher
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from jupytui.ui.format.glyphs import CURSOR, MARK
from jupytui.ui.widgets.field import plain_input

KEY_CELLS = 7  # at least
ABOUT = 2  # lines for what is said of the entry under the cursor
AROUND = 6  # lines of the terminal that are not the list: a border, a line to type into, a label


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to find, its `key` before its title; `note` says more. With `why_not` it is grey and cannot be taken.

    Without an id it is there to be read.
    """

    id: str
    title: str
    key: str = ""
    note: str = ""
    why_not: str = ""
    group: str = ""


class _Options(OptionList):
    """One line each, the one under the cursor told by a sign, too."""

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        if self.highlighted != self.scroll_offset.y + y or not strip:
            return strip
        return Strip.join([Strip([Segment(CURSOR, next(iter(strip)).style)]), strip.crop(1)])


class PickList(Widget):
    """The list under a line to type into. Posts `Picked` with the ids of what was taken."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "move(-8)", show=False),
        Binding("pagedown", "move(8)", show=False),
        # First, for to the line above the list it is a letter.
        Binding("space", "mark", show=False, priority=True),
    ]

    class Picked(Message):
        """Enter was pressed; with marks, on all that are marked."""

        def __init__(self, ids: Sequence[str]) -> None:
            super().__init__()
            self.ids = tuple(ids)

    def __init__(self, entries: Iterable[Entry], *, many: bool = False, at: str = "") -> None:
        super().__init__()
        self._at = at
        self._take_in(entries)
        self._noted = any(entry.note or entry.why_not for entry in self.entries)
        self._many = many
        self._marked: set[Entry] = set()

    def _take_in(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._numbers = {entry: str(number) for number, entry in enumerate(self.entries)}
        longest = max((len(entry.key) for entry in self.entries), default=0)
        self._keyed = max(KEY_CELLS, longest + 1) if longest else 0

    def show(self, entries: Iterable[Entry], at: str = "") -> None:
        """Show other entries, nothing typed or marked, the cursor on the one with the id `at`."""
        self._take_in(entries)
        self._marked.clear()
        with self.prevent(Input.Changed):
            self.query_one(Input).value = ""
        self._fill("")
        self._fit()
        self._go_to(at)

    def _go_to(self, id_: str) -> None:
        number = next((number for entry, number in self._numbers.items() if id_ and entry.id == id_), "")
        if number:
            self._options.highlighted = self._options.get_option_index(number)

    def found(self, query: str) -> Sequence[Entry]:
        """Return what `query` finds, the best first."""
        return best_first(self.entries, query)

    def compose(self) -> ComposeResult:
        """The line and the list."""
        yield plain_input(spared={"space"} if self._many else ())
        options = _Options(markup=False)
        options.can_focus = False
        yield options
        if self._noted:
            yield Static("", classes="about hint", markup=False)

    def on_mount(self) -> None:
        """Show everything."""
        self._fill("")
        self._fit()
        self._go_to(self._at)

    def on_resize(self) -> None:
        """Make room for as much of the list as the terminal has; typing does not change that."""
        self._fit()

    def _fit(self) -> None:
        groups = len({entry.group for entry in self.entries if entry.group})
        room = self.app.size.height - AROUND - (ABOUT if self._noted else 0)
        self._options.styles.height = max(3, min(len(self.entries) + groups, room))

    @property
    def answer(self) -> tuple[str, ...]:
        """The ids that are marked, else the one the cursor is on."""
        if self._marked:
            return tuple(entry.id for entry in self.entries if entry in self._marked)
        return (self._current.id,) if self._current else ()

    @property
    def _current(self) -> Entry | None:
        option = self._options.highlighted_option
        return self.entries[int(option.id)] if option and option.id else None

    @property
    def _options(self) -> OptionList:
        return self.query_one(OptionList)

    def action_move(self, step: int) -> None:
        """Move the cursor past what cannot be taken."""
        for _ in range(abs(step)):
            (self._options.action_cursor_down if step > 0 else self._options.action_cursor_up)()

    def action_mark(self) -> None:
        """Mark or unmark, and go on; where one thing is taken, a space is a letter of its name."""
        if not self._many:
            raise SkipAction
        if entry := self._current:
            self._marked ^= {entry}
            self._options.replace_option_prompt(self._numbers[entry], self._prompt(entry))
            self.action_move(1)

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        event.stop()
        self._fill(event.value.strip())

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        event.stop()
        self._pick()

    def _pick(self) -> None:
        current = self._current
        if self._marked or (current and current.id and not current.why_not):
            self.post_message(self.Picked(self.answer))

    @on(OptionList.OptionHighlighted)
    def _tell(self) -> None:
        if self._noted:
            entry = self._current
            self.query_one(".about", Static).update((entry.why_not or entry.note) if entry else "")

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if self._many:
            self.action_mark()
        else:
            self._pick()

    def _fill(self, query: str) -> None:
        self._options.clear_options()
        self._options.add_options(list(self._lines(query)))
        self._options.action_first()
        self._tell()

    def _lines(self, query: str) -> Iterator[Option]:
        group, found = "", self.found(query)
        if query and not found:
            yield Option(Content.styled("  Nothing matches.", "$muted"), disabled=True)
        for entry in found:
            if not query and entry.group != group:
                group = entry.group
                yield Option(Content.styled(f"  {group}", "$muted"), disabled=True)
            yield Option(self._prompt(entry), self._numbers[entry])

    def _prompt(self, entry: Entry) -> Content:
        return Content.assemble(
            (f" {MARK if entry in self._marked else ' '}", "$accent"),
            (f"{entry.key:<{self._keyed}}" if self._keyed else "", "$muted" if entry.why_not else "$accent"),
            (entry.title, "$muted" if entry.why_not else ""),
        )


def best_first(entries: Sequence[Entry], query: str) -> Sequence[Entry]:
    """Return the entries that `query` fuzzily finds by title, key or note, the best first; all, if it is empty."""
    if not query:
        return entries
    matcher = Matcher(query)
    scores = [(_score(matcher, query, entry), entry) for entry in entries]
    return [entry for score, entry in sorted(scores, key=lambda pair: -pair[0]) if score > 0]


def _score(matcher: Matcher, query: str, entry: Entry) -> float:
    if query == entry.key:
        return 1000.0
    return max(matcher.match(entry.title), 0.5 * (query.lower() in entry.note.lower()))
