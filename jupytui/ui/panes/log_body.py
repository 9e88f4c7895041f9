"""What the Logs pane shows: whose log, its lines as they come, and what is looked for in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Self, cast

from textual import on
from textual.app import ComposeResult

from jupytui.errors import JupytuiError
from jupytui.fleet.feed import Feed, FeedState
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Subject
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import Server
from jupytui.logs.boots import Boot
from jupytui.logs.ring import Ring
from jupytui.logs.source import Source
from jupytui.ui.format import empty, log_state
from jupytui.ui.format.line import Line
from jupytui.ui.format.log import GUTTER
from jupytui.ui.format.log_state import LEVELS, Standing
from jupytui.ui.format.servers import host_name, server_name
from jupytui.ui.panes import log_asks
from jupytui.ui.panes.base import Pane
from jupytui.ui.panes.hunt import Hunt
from jupytui.ui.widgets.lines import Block
from jupytui.ui.widgets.log import LogView

if TYPE_CHECKING:
    from jupytui.ui.program import Program

TICK = 0.12  # seconds in which lines are collected before they are drawn
SLICE = 0.015  # seconds between two slices of a search, for everybody else
NARROW = 72


class LogBody(Pane):
    """Draws what `_feed` brings; the pane itself says which log that is, and what keys do."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._title = Block(self._title_lines, id="titles")
        self._view = LogView(id="log")
        self._status = Block(self._status_lines, id="status")
        self._store = Store()
        self._subject = Subject()
        self._within = Subject()
        self._server: Server | None = None
        self._source: Source | None = None
        self._boot: Boot | None = None
        self._feed: Feed | None = None
        self._hunt = Hunt(Ring())
        self._error: JupytuiError | None = None
        self._wrap = True
        self._said = ""
        self._anchor = 0  # where the search was begun
        self._drawing = self._hunting = False

    def compose(self) -> ComposeResult:
        """Whose log, the log, and what is looked for."""
        yield self._title
        yield self._view
        yield self._status

    @property
    def subject(self) -> Subject:
        """The server whose log is shown, else what the pane was asked for."""
        return self._subject if self._subject.host is not None else self._within

    @property
    def feed(self) -> Feed | None:
        """What is read now."""
        return self._feed

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the keyboard to the lines."""
        self._view.focus(scroll_visible)
        return self

    @property
    def _program(self) -> Program:
        return cast("Program", self.app)

    # What comes

    def _news(self) -> None:
        if not self._drawing and self.is_attached:
            self._drawing = True
            self.set_timer(TICK, self._draw)
            self._go_on()

    def _draw(self) -> None:
        self._drawing = False
        self._view.note = self._note()
        self._view.repaint()
        self._title.redraw()
        self._status.redraw()

    def _go_on(self) -> None:
        """Look on for what is hunted, a moment at a time."""
        if not self._hunting and not self._hunt.step():
            self._hunting = True
            self.set_timer(SLICE, self._slice)
        self._grant()

    def _slice(self) -> None:
        self._hunting = False
        self._go_on()
        self._news()

    def _grant(self) -> None:
        hit = self._hunt.granted()
        if hit is None:
            return
        if hit >= 0:
            self._said = ""
            self._view.reveal(hit)
        elif self._view.current is not None or not self._hunt.text:
            self._said = "none further"
        self._draw()

    # What is shown around the lines

    def _title_lines(self, width: int) -> Sequence[Line]:
        name, state = self._whose(width), None
        if self._feed:
            gone = not self._unit and (
                self._server is None or self._store.server(self._subject.host or "", self._server.id) is None
            )
            state = log_state.state_of(self._feed.state, follows=self._view.follows, gone=gone)
        place = log_state.place_of(self._feed.source if self._feed else None, self._boot)
        line = log_state.title(name, place, state, width - GUTTER - 1) if name else ()
        return [(log_state.margin(GUTTER), *line)]

    def _whose(self, width: int) -> str:
        name = server_name(self._server) if self._server else self._subject.server or self._unit
        if not name:
            return ""
        view = self._store.host(self._subject.host or "")
        return f"{host_name(view)} › {name}" if view and (width >= NARROW or not self._feed) else name

    def _status_lines(self, width: int) -> Sequence[Line]:
        hunt, found = self._hunt, self._hunt.found
        shown = hunt.shown if hunt.shown is not None else hunt.ring
        day = self._view.day
        standing = Standing(
            lines=len(shown),
            below=self._below(),
            level=hunt.level,
            text=hunt.text,
            hits=len(found) if found is not None else 0,
            hit=hunt.place_of(self._view.current),
            looking=hunt.looking or (found is not None and not found.done),
            wrap=self._wrap,
            said=self._said,
            day=day if day != datetime.now().date() else None,
        )
        return [(log_state.margin(GUTTER), *log_state.status(standing, width - GUTTER - 1))]

    def _below(self) -> int:
        seen = [] if self._view.follows else self._view.seen
        if not seen:
            return 0
        last, shown = seen[-1].number, self._hunt.shown
        return len(shown) - shown.row(last + 1) if shown is not None else max(0, self._hunt.ring.end - 1 - last)

    def _note(self) -> str:
        feed = self._feed
        error = (feed.error if feed else None) or self._error
        if error and (feed is None or feed.state is FeedState.FAILED):
            again = " r tries again." if feed else ""
            return f"{error}{again}"
        if feed is None:
            return self._why_none()
        if feed.state is FeedState.LOST:
            return f"{self._trouble() or (error.message if error else '')} The log goes on by itself where it stopped."
        if len(self._hunt.ring) or self._hunt.ring.partial or feed.state is FeedState.OPENING:
            return self._all_filtered()
        return empty.log(ended=feed.state is FeedState.ENDED)

    def _trouble(self) -> str:
        view = self._store.host(self._subject.host or "")
        waits = view is not None and view.state is not HostState.UP and view.error is not None
        return view.error.message if view and view.error and waits else ""

    def _all_filtered(self) -> str:
        shown = self._hunt.shown
        if shown is None or len(shown) or not shown.done:
            return ""
        return f"No line is as grave as that ({LEVELS[self._hunt.level]}). l shows the next level."

    @property
    def _unit(self) -> str:
        """The unit whose log is shown, where that was asked for."""
        return (self._subject.unit or "").partition(":")[2]

    def _why_none(self) -> str:
        if self._unit:
            return empty.log_sought(self._unit)
        if self._subject.server and self._server is None:
            return empty.log_of_nobody(self._subject.server)
        if self._subject.server:
            return empty.log_unknown(self._subject.server)
        count = len(log_asks.servers(self._store, self._within))
        return empty.log_of_many(count) if count else empty.log_of_none()

    @on(LogView.Moved)
    def _moved(self) -> None:
        self._said = ""
        self._draw()
        self._hints_differ()

    def _hints_differ(self) -> None:
        self.post_message(self.Selected(self.subject))

    def _say(self, words: str) -> None:
        self._said = words
        self._draw()
