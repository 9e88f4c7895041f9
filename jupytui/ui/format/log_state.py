"""What stands above and below a log: whose it is, where it goes, how it is read, and what is looked for in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from jupytui.fleet.feed import FeedState
from jupytui.logs.boots import Boot
from jupytui.logs.level import Level
from jupytui.logs.source import Journal, LogFile, Source
from jupytui.ui.format.glyphs import DOWN, FAILED, STARTING, UP
from jupytui.ui.format.line import Line, Span, cells, cut, merge
from jupytui.ui.format.table import beside

LEVELS = {
    Level.UNKNOWN: "all levels",
    Level.INFO: "info and worse",
    Level.WARNING: "warnings and worse",
    Level.ERROR: "errors only",
}
_STATES = {
    FeedState.OPENING: Span(f"{STARTING} opening", "warn"),
    FeedState.FOLLOWING: Span(f"{UP} following", "good"),
    FeedState.LOST: Span(f"{FAILED} connection lost", "bad"),
    FeedState.ENDED: Span(f"{DOWN} ended", "dim"),
    FeedState.FAILED: Span(f"{FAILED} not readable", "bad"),
    FeedState.STOPPED: Span(f"{DOWN} stopped", "dim"),
}
_TEXT = 20  # cells of what is searched
PAUSED = Span(f"{DOWN} paused, f follows", "warn")
GONE = Span(f"{DOWN} server gone", "dim")


class Standing(NamedTuple):
    """How a log is read just now. `below`: lines under the last one seen; `day` of the first one, None for today."""

    lines: int = 0
    below: int = 0
    level: Level = Level.UNKNOWN
    text: str = ""
    hits: int = 0
    hit: int = 0
    looking: bool = False
    wrap: bool = True
    said: str = ""
    day: date | None = None


def state_of(state: FeedState, *, follows: bool, gone: bool) -> Span:
    """Return the state of a log that is shown; `follows` False when somebody scrolled up."""
    if state is FeedState.FOLLOWING and not follows:
        return PAUSED
    return GONE if gone and state is FeedState.FOLLOWING else _STATES[state]


def place_of(source: Source | None, boot: Boot | None = None) -> tuple[str, ...]:
    """Return where a log goes, in words, then in fewer."""
    if isinstance(source, Journal):
        when = (f", boot of {_day(boot)}", f" {_day(boot)}") if boot else ("", "")
        return f"journal of {source.unit}{when[0]}", f"{source.unit.removesuffix('.service')}{when[1]}"
    return (source.path, source.path.rpartition("/")[2]) if isinstance(source, LogFile) else ()


def margin(cells_: int) -> Span:
    """Return so many blanks."""
    return Span(" " * cells_)


def title(name: str, places: Sequence[str], state: Span | None, width: int) -> Line:
    """Return the line above; of the places the first that fits, the name in any case."""
    right: Line = (state,) if state else ()
    room = width - cells(name) - 2 - (cells(state.text) + 2 if state else 0)
    place = next((place for place in places if cells(place) <= room), "")
    return beside((Span(name, "title"), Span(f"  {place}" if place else "", "dim")), right, width)


def status(standing: Standing, width: int) -> Line:
    """Return the line below; what matters less goes first where there is no room."""
    day = Span(f"from {standing.day:%d %b %Y}" if standing.day else "", "warn")
    parts = [Span(standing.said, "warn"), _search(standing), _level(standing), day, _below(standing)]
    parts += [
        Span("" if standing.wrap else "not wrapped", "dim"),
        Span(_count(standing.lines), "dim"),
    ]
    shown = [part for part in parts if part.text]
    while len(shown) > 1 and sum(cells(part.text) + 3 for part in shown) - 3 > width:
        shown.pop()
    spans = [span for part in shown for span in (Span(" · ", "dim"), part)][1:]
    return merge(spans)


def boot_words(boot: Boot) -> str:
    """Return when a boot was."""
    if not boot.index:
        return f"this boot, since {_day(boot)}"
    return f"{_day(boot)} – {_local(boot.last):%H:%M}" if boot.last else _day(boot)


def _count(lines: int) -> str:
    return f"{lines:,} line{'' if lines == 1 else 's'}" if lines else ""


def _search(standing: Standing) -> Span:
    if not standing.text:
        return Span("")
    which = f"{standing.hit:,} of {standing.hits:,}" if standing.hit else f"{standing.hits:,} found"
    more = "…" if standing.looking else ""
    return Span(f"/{cut(standing.text, _TEXT)}  {which}{more}", "accent" if standing.hits else "warn")


def _level(standing: Standing) -> Span:
    return Span(LEVELS.get(standing.level, "") if standing.level else "", "warn")


def _below(standing: Standing) -> Span:
    return Span(f"{standing.below:,} more below" if standing.below else "")


def _day(boot: Boot | None) -> str:
    return f"{_local(boot.first):%d %b %H:%M}" if boot and boot.first else "an unknown time"


def _local(moment: datetime) -> datetime:
    return moment.astimezone()
