"""The Logs pane: the log of the server that is selected, wherever it goes, as it is written."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self, cast

from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from jupytui.errors import JupytuiError
from jupytui.fleet.feed import Feed, FeedState
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Scope, Subject
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import Health, Server
from jupytui.logs.boots import Boot
from jupytui.logs.ring import Ring
from jupytui.logs.source import Journal, Source, source_of
from jupytui.ui.format import empty, log_state
from jupytui.ui.format.line import Line
from jupytui.ui.format.log import GUTTER
from jupytui.ui.format.log_state import LEVELS, Standing
from jupytui.ui.format.servers import host_name, server_name
from jupytui.ui.panes import log_asks
from jupytui.ui.panes.base import Pane
from jupytui.ui.panes.hunt import Hunt
from jupytui.ui.widgets.footer import Hint
from jupytui.ui.widgets.lines import Block
from jupytui.ui.widgets.log import LogView

if TYPE_CHECKING:
    from jupytui.ui.program import Program

TICK = 0.12  # seconds in which lines are collected before they are drawn
SLICE = 0.015  # seconds between two slices of a search, for everybody else
NARROW = 72


class LogsPane(Pane):
    """Pane 3. The reading is done by a `Feed` of the desk, which ends when another log is shown."""

    DIGIT = "3"
    TITLE = "Logs"
    FILTER = "search"
    HINTS = ("server.restart", "server.stop")
    TAKEN = frozenset("/nNfeEwlbsgG") | {"ctrl+s", "space"}
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("↑ ↓ j k", "Scroll"),
        ("pgup pgdn", "A screen up, down"),
        ("g", "First line"),
        ("f G end", "Follow, or stay here"),
        ("/", "Search; escape ends it"),
        ("n N", "Next, previous match"),
        ("e E", "Next, previous error"),
        ("l", "Levels: all, info, warnings, errors"),
        ("w", "Wrap long lines, or cut them"),
        ("b", "Earlier boots"),
        ("s", "Another server's log"),
        ("ctrl+s", "Save to a file"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", show=False),
        Binding("n", "hit(1)", show=False),
        Binding("N", "hit(-1)", show=False),
        Binding("e", "error(1)", show=False),
        Binding("E", "error(-1)", show=False),
        Binding("l", "level", show=False),
        Binding("w", "wrap", show=False),
        Binding("b", "boots", show=False),
        Binding("s", "server", show=False),
        Binding("r", "again", show=False),
        Binding("ctrl+s", "save", show=False),
    ]

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

    @property
    def own_hints(self) -> Sequence[Hint]:
        """What keys do in here, the likeliest first."""
        if self._feed is None:
            return (("s", "servers"),)
        found = (("n", "next"), ("N", "previous")) if self._hunt.text else ()
        boots = (("b", "boots"),) if isinstance(self._feed.source, Journal) else ()
        follow = () if self._view.follows else (("f", "follow"),)
        return (*follow, *found, ("E", "error"), ("l", "level"), ("w", "wrap"), *boots, ("^s", "save"))

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the keyboard to the lines."""
        self._view.focus(scroll_visible)
        return self

    # Which log

    def show_store(self, store: Store, changed: Set[str] | None = None) -> None:
        """Take in what became of the server."""
        self._store = store
        if changed is None or self.subject.host is None or self.subject.host in changed:
            self._look()

    def narrow_to(self, subject: Subject) -> None:
        """Show the log of this server, or of the only one within `subject`."""
        self._within = subject.at(min(subject.scope, Scope.SERVER))
        self._look()
        if self._feed and self._feed.state is FeedState.STOPPED:
            self._feed.start()

    def put_away(self) -> None:
        """Read nothing while nobody sees it; shown again, it goes on where it stopped."""
        if self._feed:
            self._feed.stop()

    def _look(self) -> None:
        wanted = self._wanted()
        if wanted != self._subject:
            self._subject, self._source, self._boot = wanted, None, None
            self._open(None)
        server = self._store.server(wanted.host or "", wanted.server or "")
        self._server = server or self._server if wanted.server else None
        source = _source(server) if server and server.health is not Health.STALE else None
        if source and source != self._source:
            self._source, self._boot = source, None
            self._open(source)
        self._draw()

    def _wanted(self) -> Subject:
        if self._within.scope is Scope.SERVER:
            return self._within
        subjects = log_asks.servers(self._store, self._within)
        if self._subject in subjects:
            return self._subject
        return subjects[0] if len(subjects) == 1 else Subject()

    def _open(self, source: Source | None) -> None:
        """Let go of what is read, and read `source`."""
        live = self._program.desk.live if self._program.desk else None
        if self._feed and live:
            live.let_go(self._feed)
        self._feed, self._error, self._said = None, None, ""
        if source and live:
            try:
                self._feed = live.follow(self._subject.host or "", source, self._news)
            except JupytuiError as error:
                self._error = error
        self._hunt = Hunt(self._feed.ring if self._feed else Ring())
        self._view.show(self._hunt.ring, self._hunt.numbers)
        self._hints_differ()

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
            gone = self._server is None or self._store.server(self._subject.host or "", self._server.id) is None
            state = log_state.state_of(self._feed.state, follows=self._view.follows, gone=gone)
        place = log_state.place_of(self._feed.source if self._feed else None, self._boot)
        line = log_state.title(name, place, state, width - GUTTER - 1) if name else ()
        return [(log_state.margin(GUTTER), *line)]

    def _whose(self, width: int) -> str:
        if self._subject.server is None:
            return ""
        name = server_name(self._server) if self._server else self._subject.server
        view = self._store.host(self._subject.host or "")
        return f"{host_name(view)} › {name}" if view and (width >= NARROW or not self._feed) else name

    def _status_lines(self, width: int) -> Sequence[Line]:
        hunt, found = self._hunt, self._hunt.found
        shown = hunt.shown if hunt.shown is not None else hunt.ring
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

    def _why_none(self) -> str:
        if self._subject.server and self._server is None:
            return empty.log_of_nobody(self._subject.server)
        if self._subject.server:
            return empty.log_unknown(self._subject.server)
        count = len(log_asks.servers(self._store, self._within))
        return empty.log_of_many(count) if count else empty.log_of_none()

    # What keys do

    def action_follow(self) -> None:
        """Go with the end, or stay here."""
        if self._view.follows:
            self._view.action_hold()
        else:
            self._view.action_follow()

    @on(LogView.Moved)
    def _moved(self) -> None:
        self._said = ""
        self._draw()
        self._hints_differ()

    def _hints_differ(self) -> None:
        self.post_message(self.Selected(self.subject))

    def filter_by(self, text: str) -> int | None:
        """Search `text`, upwards from where we were when it was begun."""
        if not self._hunt.text:
            self._anchor = self._from(forward=False, inclusive=True)
        self._hunt.search(text)
        self._view.lay_out(wrap=self._wrap, text=text)
        self._view.current, self._said = None, ""
        if text:
            self._hunt.wish_nearest(self._anchor)
        self._go_on()
        self._news()
        self._hints_differ()
        return None

    def action_hit(self, way: int) -> None:
        """Go to the next match, or the one before."""
        if self._feed is None:
            raise SkipAction  # nothing to search in: the key is the app's
        if not self._hunt.text:
            self._say("/ searches")
            return
        self._hunt.wish(self._from(forward=way > 0), forward=way > 0)
        self._go_on()

    def action_error(self, way: int) -> None:
        """Go to the next error, or the one before."""
        self._hunt.wish_error(self._from(forward=way > 0), forward=way > 0)
        self._go_on()

    def _from(self, *, forward: bool, inclusive: bool = False) -> int:
        """Return where a jump starts: at the line found last if it is seen, else at the edge of what is seen."""
        seen = self._view.seen
        current = self._view.current
        if not inclusive and current is not None and any(place.number == current for place in seen):
            return current
        if not seen:
            return self._hunt.ring.end
        return seen[0].number - 1 if forward else seen[-1].number + 1

    def _say(self, words: str) -> None:
        self._said = words
        self._draw()

    def action_level(self) -> None:
        """Show the next graver level, after the gravest all."""
        levels = list(LEVELS)
        self._hunt.show(levels[(levels.index(self._hunt.level) + 1) % len(levels)])
        self._said = ""
        self._view.narrow(self._hunt.numbers)
        self._go_on()
        self._news()
        self._draw()

    def action_wrap(self) -> None:
        """Wrap long lines or cut them."""
        self._wrap = not self._wrap
        self._view.lay_out(wrap=self._wrap, text=self._hunt.text)
        self._draw()

    def action_again(self) -> None:
        """Read on after a failure; looking at the host again is for everybody."""
        if self._feed and self._feed.state is FeedState.FAILED:
            self._feed.start()
        elif self._feed is None and self._source:
            self._open(self._source)
        raise SkipAction

    def action_boots(self) -> None:
        """Pick an earlier boot."""
        if not self._feed or not isinstance(self._feed.source, Journal):
            self._say("only a journal knows boots")
        elif desk := self._program.desk:
            host = self._subject.host or ""
            desk.work.aside("boots", log_asks.pick_boot(self._program, desk, host, self._show_boot))

    def _show_boot(self, boot: Boot) -> None:
        if isinstance(self._source, Journal):
            self._boot = boot if boot.index else None
            self._open(replace(self._source, boot=boot.id if boot.index else None))
            self._draw()

    def action_server(self) -> None:
        """Pick another server."""
        if desk := self._program.desk:
            desk.work.aside("log of", log_asks.pick_server(self._program, self._store))

    def action_save(self) -> None:
        """Write what is shown to a file."""
        if self._feed and (desk := self._program.desk):
            name = (self._subject.server or "log").replace("/", "-").replace(":", "-")
            desk.work.aside("save log", log_asks.save_as(desk, name, self._hunt))


def _source(server: Server) -> Source | None:
    log, unit = server.log, server.unit
    if log is None:
        return None
    name = unit.name if unit else log.where
    return source_of(log.kind, log.where, name, unit.scope if unit else None, server.pid)
