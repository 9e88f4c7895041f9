"""A log line as the screen shows it: how grave, when, and the message; wrapped or cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from jupytui.logs.entry import Entry
from jupytui.logs.level import Level
from jupytui.logs.message import message
from jupytui.ui.format.glyphs import RULE
from jupytui.ui.format.line import Line, Span, cells, cut_line, wrap

TIMED = 72  # cells from which on there is room for times
MATCH = "match"
GUTTER = 2  # the letter of the level
_TIME = 10  # a time and two blanks
_LETTERS = {Level.DEBUG: "D", Level.INFO: " ", Level.WARNING: "W", Level.ERROR: "E", Level.CRITICAL: "C"}
_STYLES = {Level.DEBUG: "dim", Level.WARNING: "warn", Level.ERROR: "bad", Level.CRITICAL: "bad"}
_CLOCK = re.compile(r"\[[DIWEC] (\d\d:\d\d:\d\d)")


class LogLook(NamedTuple):
    """How lines are laid out: cells there are, whether long ones are wrapped, and what is to stand out."""

    width: int
    wrap: bool = True
    match: re.Pattern[str] | None = None

    @property
    def timed(self) -> bool:
        """Whether there is room for times."""
        return self.width >= TIMED

    @property
    def indent(self) -> int:
        """Cells before the message."""
        return GUTTER + (_TIME if self.timed else 0)


def pattern(text: str) -> re.Pattern[str] | None:
    """Return what to highlight for a search: capitals in it make them matter, as in `Scan`."""
    flags = re.IGNORECASE if text == text.lower() else re.NOFLAG
    return re.compile(re.escape(text), flags) if text else None


def lines_of(entry: Entry, look: LogLook) -> list[Line]:
    """Return the screen lines of `entry`, at least one, none wider than there is room for."""
    if entry.marker:
        return _remark(entry.text, look.width)
    style = _STYLES.get(entry.level, "")
    message = tuple(_highlighted(_message(entry), style, look.match))
    room = max(8, look.width - look.indent)
    pieces = _chopped(message, room) if look.wrap else [cut_line(message, room)]
    indent = Span(" " * look.indent)
    return [(*_gutter(entry, style, look), *pieces[0]), *((indent, *piece) for piece in pieces[1:])]


def moment(entry: Entry) -> datetime | None:
    """Return when the line was logged, naive: by this machine's clock from the journal, else as the host wrote it."""
    time = entry.time
    return time.astimezone().replace(tzinfo=None) if time and time.tzinfo is UTC else time


def _gutter(entry: Entry, style: str, look: LogLook) -> Line:
    letter = " " if entry.continued else _LETTERS.get(entry.level, " ")
    mark = Span(f"{letter} ", style)
    return (mark, Span(f"{_clock(entry):{_TIME}}", "dim")) if look.timed else (mark,)


def _clock(entry: Entry) -> str:
    if entry.continued:
        return ""
    if time := moment(entry):
        return f"{time:%H:%M:%S}"
    found = _CLOCK.match(entry.text)
    return found[1] if found else ""


def _message(entry: Entry) -> str:
    text = entry.text.expandtabs(4)
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    return text if entry.continued else message(text)


def _highlighted(text: str, style: str, match: re.Pattern[str] | None) -> Iterator[Span]:
    at = 0
    for found in match.finditer(text) if match else ():
        yield Span(text[at : found.start()], style)
        yield Span(found[0], MATCH)
        at = found.end()
    yield Span(text[at:], style)


def _remark(text: str, width: int) -> list[Line]:
    lines = wrap(text, max(8, width - GUTTER - 6)) or [""]
    indent = " " * GUTTER
    return [(Span(f"{indent}{RULE * 2} {line} {RULE * 2}", "dim"),) for line in lines]


def _chopped(line: Line, width: int) -> list[Line]:
    """Break a line where it is full, at a blank if there is one in its second half. Not a character is lost."""
    text = "".join(span.text for span in line)
    pieces, start = [], 0
    for end in _breaks(text, width):
        pieces.append(_sliced(line, start, end))
        start = end
    return pieces


def _breaks(text: str, width: int) -> Iterator[int]:
    start = 0
    while cells(text[start:]) > width:
        end = _fitting(text, start, width)
        blank = text.rfind(" ", start + width // 2, end)
        end = blank + 1 if blank > start else end
        yield end
        start = end
    yield len(text)


def _fitting(text: str, start: int, width: int) -> int:
    end = start + width
    while end > start + 1 and cells(text[start:end]) > width:
        end -= max(1, (cells(text[start:end]) - width) // 2)
    return end


def _sliced(line: Line, start: int, end: int) -> Line:
    spans, at = [], 0
    for span in line:
        part = span.text[max(0, start - at) : max(0, end - at)]
        at += len(span.text)
        if part:
            spans.append(span._replace(text=part))
    return tuple(spans)
