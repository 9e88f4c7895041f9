"""The Settings pane: what Jupyter really applies for a server, and which file each value comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType

from jupytui.actions.base import Action
from jupytui.fleet.settings import SettingsWatch, Sight
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Scope, Subject
from jupytui.jupyter.models import Health
from jupytui.ui.format import settings
from jupytui.ui.format.line import Line, Span, plain, wrap
from jupytui.ui.format.settings import SettingRow
from jupytui.ui.format.table import Table, beside
from jupytui.ui.panes.listing import ScopedPane, matches
from jupytui.ui.widgets.footer import Hint
from jupytui.ui.widgets.rows import Row

if TYPE_CHECKING:
    from jupytui.jupyter.settings.overview import Overview

MOST = 4  # lines below for what is said of a row
LOUD = 8  # and for what must not be overlooked


class SettingsPane(ScopedPane):
    """Pane 8. A server is asked only while it is seen: a `SettingsWatch` of the desk does it."""

    DIGIT = "8"
    TITLE = "Settings"
    HINTS = ("server.restart",)
    TAKEN = frozenset("eaxumPrs") | {"space"}
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("↑ ↓ j k", "Move"),
        ("g G", "First, last"),
        ("enter", "What it is, its type, its default, and every place"),
        ("e", "Change it"),
        ("a", "Change another setting"),
        ("x", "Take it out of every file"),
        ("P", "Presets"),
        ("u", "Undo the last change"),
        ("m", "Migrate legacy keys"),
        ("r", "Ask Jupyter again"),
        ("s", "Trouble first, or by file"),
    )
    SORTS: ClassVar[Mapping[str, str]] = {"trouble": "STATE", "file": "WHERE"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "change", show=False),
        Binding("a", "change(False)", show=False),
        Binding("x", "remove", show=False),
        Binding("P", "do('settings.preset')", show=False),
        Binding("u", "do('settings.undo')", show=False),
        Binding("m", "do('settings.migrate')", show=False),
        Binding("r", "again", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._watch: SettingsWatch | None = None
        self._sights: dict[Subject, Sight] = {}

    @property
    def subject(self) -> Subject:
        """The server shown, or the one the cursor is on; else the scope."""
        row = self._rows.current
        return self._server() or (row.subject if isinstance(row, SettingRow) else self._scope)

    @property
    def chosen(self) -> Sequence[Subject]:
        """The server: settings are dealt with one by one, by this pane's own keys."""
        return (self.subject,)

    @property
    def own_hints(self) -> Sequence[Hint]:
        """What can be done here, the likeliest first."""
        shown = self._server()
        if not shown or self._program.read_only:
            return ()
        if settings.is_gone(self._views(), shown):
            return (("u", "undo"),)
        row = self._rows.current
        on_key = (("e", "change"), ("x", "default")) if isinstance(row, SettingRow) and row.setting else ()
        return (*on_key, ("P", "presets"), ("u", "undo"), ("a", "other"))

    def narrow_to(self, subject: Subject) -> None:
        """Show the settings of this server, or the servers of `subject` to choose from."""
        self._scope = subject.at(Scope.SERVER)
        self._seen = True
        self._attend()
        self._show()

    def put_away(self) -> None:
        """Ask nobody while another pane is seen."""
        super().put_away()
        if self._watch:
            self._watch.watch(None)

    def work_ended(self) -> None:
        """Look anew: what an action did is to be seen at once."""
        if self._watch:
            self._watch.wake()

    def take(self, subject: Subject, sight: Sight) -> None:
        """Show what is known of a server's settings now."""
        self._sights[subject] = sight
        self._show()
        self.post_message(self.Selected(self.subject))  # what can be done may have changed

    def show_store(self, store: Store, changed: Set[str] | None = None) -> None:
        """Draw what is known."""
        super().show_store(store, changed)
        self._attend()

    def _attend(self) -> None:
        desk = getattr(self.app, "desk", None)
        if not (self._seen and desk):
            return
        if self._watch is None:
            self._watch = desk.live.settings(self._seen_anew)
        self._watch.watch(self._server())

    def _seen_anew(self, subject: Subject) -> None:
        if self._watch and self.is_attached:
            self.take(subject, self._watch.sight(subject))

    # Which server

    def _subjects(self) -> list[Subject]:
        return [Subject(v.name, s.id) for v in self._views() for s in v.servers if s.health is not Health.STALE]

    def _server(self) -> Subject | None:
        """Return the server that is shown, None while there is one to be chosen."""
        if self._scope.server:
            return self._scope
        subjects = self._subjects()
        return subjects[0] if len(subjects) == 1 else None

    def _sight(self) -> Sight:
        shown = self._server()
        if shown is None or settings.is_gone(self._views(), shown):
            return Sight()
        return self._sights.get(shown, Sight())

    # What is drawn

    def _visible(self) -> Sequence[SettingRow]:
        words = self.filter.casefold().split()
        return [row for row in self._all() if matches(row.text, words)]

    def _all(self) -> list[SettingRow]:
        shown = self._server()
        if shown is None:
            return settings.servers(self._views(), self._sights.items())
        overview = self._sight().overview
        rows = settings.rows(shown, overview, self._started_at()) if overview else []
        return sorted(rows, key=lambda row: row.where) if self.order == "file" else rows

    def _started_at(self) -> datetime | None:
        shown = self._server() or Subject()
        server = self._store.server(shown.host or "", shown.server or "")
        return server.started_at if server else None

    def _table(self, width: int) -> Table:
        return settings.table(width)

    def _empty(self, rows: Sequence[Row]) -> str:
        shown = self._server() or self._scope
        return "" if rows else settings.empty(self._views(), shown, self._sight())

    def _lines_below(self, width: int) -> Sequence[Line]:
        row, sight = self._rows.current, self._sight()
        said = [(Span(text, "bad"),) for text in self._loud(width)]
        if isinstance(row, SettingRow):
            style = row.state.style if row.trouble else ""
            said += [(Span(text, style),) for text in wrap(row.words, width)[: LOUD if row.trouble else MOST]]
        if sight.overview is None:
            return said
        sums = settings.summary(sight.overview, self._started_at())
        note = "◐ asking Jupyter" if sight.asking else ""
        return *said, beside(plain(f"{(self._server() or Subject()).server} · {sums}"), plain(note), width)

    def _loud(self, width: int) -> list[str]:
        sight = self._sight()
        if sight.overview is None:
            return []
        row = self._rows.current
        told = settings.broken(sight.overview) if not (isinstance(row, SettingRow) and row.trouble) else ""
        error = str(sight.error) if sight.error else settings.trouble(sight.overview)
        return [*wrap(told, width)[:LOUD], *wrap(error, width)[:MOST]]

    # What keys do

    def _open(self, _subject: Subject) -> None:
        row, overview = self._rows.current, self._sight().overview
        if not isinstance(row, SettingRow):
            return
        if self._server() is None:
            self._program.call_later(self._program.main.enter, self.DIGIT, row.subject)
        elif overview:
            self._show_details(row, overview)

    def _show_details(self, row: SettingRow, overview: Overview) -> None:
        from jupytui.jupyter.settings.traits import traits_of
        from jupytui.ui.dialogs.text import TextDialog
        from jupytui.ui.format.setting_details import details

        if not row.setting:
            self._program.push_screen(TextDialog(row.name, [row.words]))
            return
        traits = traits_of(overview.answer.traits) if overview.answer else {}
        shown = details(overview, row.setting, traits.get(row.setting))
        self._program.push_screen(TextDialog(row.setting, shown))

    def action_change(self, this: bool = True) -> None:
        """Ask for a value of the setting the cursor is on, or for another setting."""
        from jupytui.actions.settings import editing

        self._start(editing(self._key() if this else ""))

    def action_remove(self) -> None:
        """Take the setting the cursor is on out of every file."""
        from jupytui.actions.settings import removing

        self._start(removing(self._key()))

    def action_do(self, verb: str) -> None:
        """Do the action with this id to the server."""
        if desk := self._program.desk:
            self._start(cast("Action", desk.verbs.find(verb)))

    def action_again(self) -> None:
        """Ask Jupyter, whether files differ or not."""
        if self._watch:
            self._watch.wake(anew=True)

    def _key(self) -> str:
        row = self._rows.current
        return row.setting if isinstance(row, SettingRow) else ""

    def _start(self, action: Action) -> None:
        if desk := self._program.desk:
            desk.work.start(action, [self.subject])
