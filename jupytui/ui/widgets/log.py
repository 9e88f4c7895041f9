"""The lines of a log, as many as fit: they follow the end until somebody scrolls up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message
from textual.strip import Strip

from jupytui.logs.ring import Ring
from jupytui.ui.format.glyphs import THUMB
from jupytui.ui.format.line import Line, Span, length, wrap
from jupytui.ui.format.log import GUTTER, LogLook, lines_of, moment, pattern
from jupytui.ui.widgets.lines import Lines
from jupytui.ui.widgets.window import Numbers, Place, Window

MARGIN = 1  # the thumb
WHEEL = 3  # lines per turn


class LogView(Lines, can_focus=True):
    """A `Window` on a ring. `note` is text below the last line (empty states, errors)."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"match"}
    DEFAULT_CSS = """
    LogView { & > .match { color: $accent; text-style: bold underline; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "follow", show=False),
    ]

    class Moved(Message):
        """Another part is seen, or the end is followed again."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.note = ""
        self.current: int | None = None  # the line that was looked for
        self._ring = Ring()
        self._look = LogLook(0)
        self._wrap = True
        self._text = ""
        self._lines: dict[int, list[Line]] = {}
        self._window = Window(_Nothing(), self._parts)

    @property
    def follows(self) -> bool:
        """Whether new lines are seen as they come."""
        return self._window.follows

    @property
    def seen(self) -> list[Place]:
        """What is on the screen."""
        return self._window.seen(self._rows)

    @property
    def day(self) -> date | None:
        """Of the first line seen that says when it was logged."""
        numbers = dict.fromkeys(place.number for place in self.seen if place.number < self._ring.end)
        moments = (moment(self._ring[number]) for number in numbers)
        return next((time.date() for time in moments if time), None)

    @property
    def _rows(self) -> int:
        """Lines of the screen that are not the note's."""
        self._fit()
        return max(1, self.size.height - len(self._noted()))

    def show(self, ring: Ring, numbers: Numbers) -> None:
        """Show these lines of another ring, from the end."""
        self._ring, self.current = ring, None
        self._window = Window(numbers, self._parts)
        self._forget()

    def narrow(self, numbers: Numbers) -> None:
        """Show other lines of the same ring, and stay about where we are."""
        self._window.numbers = numbers
        self._forget()

    def lay_out(self, *, wrap: bool, text: str) -> None:
        """Wrap long lines or cut them, and let `text` stand out."""
        if (wrap, text) != (self._wrap, self._text):
            self._wrap, self._text = wrap, text
            self._forget()

    def reveal(self, number: int) -> None:
        """Bring a line into sight, and mark it."""
        self.current = number
        if all(place.number != number for place in self.seen):
            self._window.reveal(number, self._rows)
        else:
            self._window.hold(self._rows)
        self._moved()

    def strips(self) -> Sequence[Strip]:
        """Return what is seen."""
        width, places = self.size.width, self.seen
        thumb = self._thumb(places)
        strips = [self._strip(place, y in thumb) for y, place in enumerate(places)]
        note = [self.strip((Span(" " * GUTTER + text),), width) for text in self._noted()]
        return [*strips, *note[: self.size.height - len(strips)]]

    def repaint(self) -> None:
        """Write what differs; the terminal's own cursor stands on the line looked for, else on the last one."""
        super().repaint()
        if self.has_focus:
            self.app.cursor_position = Offset(self.region.x, self.region.y + self._cursor_row())

    def notify_style_update(self) -> None:
        """Forget lines in the old colours."""
        self._lines.clear()
        super().notify_style_update()

    def action_scroll(self, by: int) -> None:
        """Move by lines."""
        self._window.scroll(by, self._rows)
        self._moved()

    def action_page(self, pages: int) -> None:
        """Move by a screenful, less one line to keep the context."""
        self.action_scroll(pages * max(1, self._rows - 1))

    def action_first(self) -> None:
        """Go to the first line that is kept."""
        self._window.go_first()
        self._moved()

    def action_follow(self) -> None:
        """Go to the end, and with it."""
        self.current = None
        self._window.follow()
        self._moved()

    def action_hold(self) -> None:
        """Stay here."""
        self._window.hold(self._rows)
        self._moved()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move down."""
        event.stop()
        self.action_scroll(WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move up."""
        event.stop()
        self.action_scroll(-WHEEL)

    def on_resize(self, _event: events.Resize) -> None:
        """Lay out anew."""
        self.repaint()

    def on_focus(self) -> None:
        """Bring the terminal's cursor here."""
        self.repaint()

    def _moved(self) -> None:
        self.repaint()
        self.post_message(self.Moved())

    def _forget(self) -> None:
        self._look = LogLook(0)
        self.repaint()

    def _fit(self) -> None:
        look = LogLook(max(1, self.size.width - MARGIN), self._wrap, self._look.match)
        if look != self._look:
            self._look = look._replace(match=pattern(self._text))
            self._lines.clear()
        elif len(self._lines) > 8 * self.size.height:
            self._lines.clear()

    def _parts(self, number: int) -> int:
        return len(self._lines_of(number))

    def _lines_of(self, number: int) -> list[Line]:
        if number >= self._ring.end:
            partial = self._ring.partial  # it grows: never kept
            return lines_of(partial, self._look) if partial else [()]
        lines = self._lines.get(number)
        if lines is None:
            lines = self._lines[number] = lines_of(self._ring[number], self._look)
        return lines

    def _strip(self, place: Place, thumb: bool) -> Strip:
        width = self.size.width
        line = self._lines_of(place.number)[place.part]
        if thumb:
            line = (*line, Span(" " * (width - 1 - length(line))), Span(THUMB, "dim"))
        return self.strip(line, width, selected=place.number == self.current)

    def _noted(self) -> list[str]:
        lines = wrap(self.note, max(8, self.size.width - GUTTER - MARGIN)) if self.note else []
        return ["", *lines] if lines and len(self._ring) else lines

    def _cursor_row(self) -> int:
        places = self.seen
        row = next((y for y, place in enumerate(places) if place.number == self.current), len(places) - 1)
        return max(0, row)

    def _thumb(self, places: Sequence[Place]) -> range:
        height, total = self._rows, len(self._ring)
        if len(places) < height or not total:
            return range(0)
        size = max(1, min(height, height * len({place.number for place in places}) // total))
        start = (places[0].number - self._ring.first) * (height - size) // max(1, total - 1)
        if self.follows or self._window.at_end(places):
            start = height - size
        return range(start, start + size) if size < height else range(0)


class _Nothing:
    def after(self, _number: int) -> int | None:
        return None

    def before(self, _number: int) -> int | None:
        return None
