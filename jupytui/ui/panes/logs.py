"""The Logs pane: the log of the server that is selected, wherever it goes, as it is written."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import ClassVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType

from jupytui.errors import JupytuiError
from jupytui.fleet.feed import FeedState
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Scope, Subject
from jupytui.jupyter.models import Health, Server
from jupytui.logs.boots import Boot
from jupytui.logs.ring import Ring
from jupytui.logs.source import Journal, Source, source_of
from jupytui.ui.format.log_state import LEVELS
from jupytui.ui.panes import log_asks
from jupytui.ui.panes.hunt import Hunt
from jupytui.ui.panes.log_body import LogBody
from jupytui.ui.widgets.footer import Hint


class LogsPane(LogBody):
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

    @property
    def own_hints(self) -> Sequence[Hint]:
        """What keys do in here, the likeliest first."""
        if self._feed is None:
            return (("s", "servers"),)
        found = (("n", "next"), ("N", "previous")) if self._hunt.text else ()
        boots = (("b", "boots"),) if isinstance(self._feed.source, Journal) else ()
        follow = () if self._view.follows else (("f", "follow"),)
        return (*follow, *found, ("E", "error"), ("l", "level"), ("w", "wrap"), *boots, ("^s", "save"))

    # Which log

    def show_store(self, store: Store, changed: Set[str] | None = None) -> None:
        """Take in what became of the server."""
        self._store = store
        if changed is None or self.subject.host is None or self.subject.host in changed:
            self._look()

    def narrow_to(self, subject: Subject) -> None:
        """Show the log of this server, of this unit, or of the only server within `subject`."""
        before, self._within = self._within, subject.at(min(subject.scope, Scope.SERVER))
        if self._within.scope < before.scope:
            self._turn_to(Subject())
        self._look()
        if self._within.unit and (desk := self._program.desk):
            desk.work.aside("log of unit", log_asks.find_unit(desk, self._within, self._show_unit))
        if self._feed and self._feed.state is FeedState.STOPPED:
            self._feed.start()

    def put_away(self) -> None:
        """Read nothing while nobody sees it; shown again, it goes on where it stopped."""
        if self._feed:
            self._feed.stop()

    def _look(self) -> None:
        wanted = self._wanted()
        if wanted != self._subject:
            self._turn_to(wanted)
        server = self._store.server(wanted.host or "", wanted.server or "")
        self._server = server or self._server if wanted.server else None
        source = _source(server) if server and server.health is not Health.STALE else None
        if source and source != self._source:
            self._source, self._boot = source, None
            self._open(source)
        self._draw()

    def _turn_to(self, subject: Subject) -> None:
        self._subject, self._source, self._boot = subject, None, None
        self._open(None)

    def _wanted(self) -> Subject:
        if self._within.scope is Scope.SERVER or self._within.unit:
            return self._within
        subjects = log_asks.servers(self._store, self._within)
        if self._subject in subjects:
            return self._subject
        return subjects[0] if len(subjects) == 1 else Subject()

    def _show_unit(self, subject: Subject, source: Source) -> None:
        if subject == self._subject and source != self._source:
            self._source, self._boot = source, None
            self._open(source)
            self._draw()

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

    # What keys do

    def action_follow(self) -> None:
        """Go with the end, or stay here."""
        if self._view.follows:
            self._view.action_hold()
        else:
            self._view.action_follow()

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
            desk.work.aside("boots", log_asks.pick_boot(desk, host, self._show_boot))

    def _show_boot(self, boot: Boot) -> None:
        if isinstance(self._source, Journal):
            self._boot = boot if boot.index else None
            self._open(replace(self._source, boot=boot.id if boot.index else None))
            self._draw()

    def action_server(self) -> None:
        """Pick another server."""
        if desk := self._program.desk:
            desk.work.aside("log of", log_asks.pick_server(self._program, desk, self._store))

    def action_save(self) -> None:
        """Write what is shown to a file."""
        if self._feed and (desk := self._program.desk):
            name = (self._subject.server or self._unit or "log").replace("/", "-").replace(":", "-")
            desk.work.aside("save log", log_asks.save_as(desk, name, self._hunt))


def _source(server: Server) -> Source | None:
    log, unit = server.log, server.unit
    if log is None:
        return None
    name = unit.name if unit else log.where
    return source_of(log.kind, log.where, name, unit.scope if unit else None, server.pid)
