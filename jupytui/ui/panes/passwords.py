"""The Passwords pane: how each server of the scope lets people in, and which key of which file decides it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from jupytui.errors import JupytuiError
from jupytui.fleet.models import HostView
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Gone, Scope, Subject
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import Health, Server
from jupytui.ui.format import passwords
from jupytui.ui.format.line import Line, Span, plain, wrap_within
from jupytui.ui.format.passwords import PasswordRow
from jupytui.ui.format.servers import host_name
from jupytui.ui.format.states import urgency
from jupytui.ui.format.table import Table, beside
from jupytui.ui.panes.listing import ScopedPane, matches
from jupytui.ui.widgets.rows import Row

if TYPE_CHECKING:
    from jupytui.jupyter.passwords.standing import Standing

NARROW = 72  # cells
PERIOD = 10.0  # seconds after which files are looked at again while the pane is seen


class Looked(NamedTuple):
    """What is known of a server's files: how they stand, or why that is not known; `at` by the pane's clock."""

    process: tuple[int, object]
    at: float
    standing: Standing | None = None
    error: JupytuiError | None = None


class PasswordsPane(ScopedPane):
    """Pane 6. Files are looked at only while it is seen, one after the other on each host."""

    DIGIT = "6"
    TITLE = "Passwords"
    HINTS: ClassVar[tuple[str, ...]] = (
        "password.set", "password.logout", "password.token", "password.token.show", "server.restart",
    )  # fmt: skip
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("↑ ↓ j k", "Move"),
        ("g G", "First, last"),
        ("enter", "All that is known of it"),
        ("space", "Mark"),
        ("s", "Sort by the next column"),
    )
    SORTS: ClassVar[Mapping[str, str]] = {"state": "STATE", "server": "SERVER", "changed": "CHANGED"}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._known: dict[Subject, Looked] = {}
        self._under_way: set[str] = set()
        self._sums = ""

    def narrow_to(self, subject: Subject) -> None:
        """Show only the servers of `subject`."""
        self._scope = subject.at(Scope.SERVER)
        self._seen = True
        self._attend()
        self._show()

    def work_ended(self) -> None:
        """Look anew: what an action did is to be seen at once."""
        self._known = {key: looked._replace(at=-PERIOD) for key, looked in self._known.items()}
        self._attend()

    def show_store(self, store: Store, changed: Set[str] | None = None) -> None:
        """Draw what is known, and look at what is new or old."""
        super().show_store(store, changed)
        self._attend()

    def take(self, host: str, server: Server, standing: Standing | None, error: JupytuiError | None = None) -> None:
        """Show how a server stands."""
        key = Subject(host, server.id)
        before, self._known[key] = self._known.get(key), Looked(_process(server), self._now, standing, error)
        if before is None or (before.standing, str(before.error)) != (standing, str(error)):
            self._show()

    @property
    def _now(self) -> float:
        return self._look.now.timestamp()

    def _attend(self) -> None:
        desk = getattr(self.app, "desk", None)
        if not (self._seen and desk and self.is_attached):
            return
        for view in self._views():
            due = [server for server in view.servers if self._due(view, server)]
            if due and view.name not in self._under_way:
                self._under_way.add(view.name)
                desk.work.aside(f"passwords {view.name}", self._look_at(view.name, due))

    def _due(self, view: HostView, server: Server) -> bool:
        if view.state is not HostState.UP or server.health in {Health.STALE, Health.UNREADABLE}:
            return False
        looked = self._known.get(Subject(view.name, server.id))
        return looked is None or looked.process != _process(server) or self._now - looked.at >= PERIOD

    async def _look_at(self, host: str, servers: Sequence[Server]) -> None:
        from jupytui.jupyter.passwords.standing import standing_of

        desk = self._program.desk
        try:
            for server in servers if desk else ():
                assert desk
                try:
                    self.take(host, server, await standing_of(desk.live.fleet.host(host), server))
                except Gone:
                    return
                except JupytuiError as error:
                    self.take(host, server, None, error)
        finally:
            self._under_way.discard(host)

    def _visible(self) -> Sequence[PasswordRow]:
        words = self.filter.casefold().split()
        rows = [row for view in self._views() for row in self._rows_of(view) if matches(row.text, words)]
        self._sums = passwords.summary(rows)
        return sorted(rows, key=_SORT_KEYS[self.order])

    def _rows_of(self, view: HostView) -> list[PasswordRow]:
        rows = []
        for server in view.servers:
            if server.health is not Health.STALE and self._scope.server in {None, server.id}:
                known = self._known.get(Subject(view.name, server.id))
                standing, error = (known.standing, known.error) if known else (None, None)
                if server.health is Health.UNREADABLE:
                    error = JupytuiError(f"{server.id} belongs to another user.")
                stale = view.state is not HostState.UP
                rows.append(passwords.row_of(view.name, server, standing, error, stale=stale, ahead=view.ahead))
        return rows

    def _table(self, width: int) -> Table:
        return passwords.table(width)

    def _empty(self, rows: Sequence[Row]) -> str:
        if rows:
            return ""
        away = [host_name(view) for view in self._views() if view.state is not HostState.UP]
        return passwords.nothing(away=", ".join(away) if len(away) == len(self._views()) else "")

    def _lines_below(self, width: int) -> Sequence[Line]:
        row = self._rows.current
        if not isinstance(row, PasswordRow):
            return ()
        bad = passwords.state(row).style in {"bad", "warn"}
        about = [(Span(text, "warn" if bad else ""),) for text in wrap_within(passwords.about(row), width, self._told)]
        marks = f"{len(self._rows.marked)} marked" if self._rows.marked else ""
        return *about, beside(plain(self._sums), plain(marks or f"by {self.order}"), width)

    @property
    def _told(self) -> int:
        """How many lines about a server are shown at most: where they are short, a sentence takes more of them."""
        return 4 if self.size.width >= NARROW else max(4, self.size.height // 2)

    def _open(self, subject: Subject) -> None:
        from jupytui.ui.dialogs.text import TextDialog

        row = self._rows.current
        if isinstance(row, PasswordRow):
            shown = passwords.details(row, self._look)
            self._program.push_screen(TextDialog(f"How {row.server.id} lets people in", shown))


def _process(server: Server) -> tuple[int, object]:
    return server.pid, server.started_at


_SORT_KEYS: Mapping[str, Callable[[PasswordRow], tuple[float, str]]] = {
    "state": lambda row: (urgency(passwords.state(row)), row.server.id),
    "server": lambda row: (0, row.server.id),
    "changed": lambda row: (-_changed(row), row.server.id),
}


def _changed(row: PasswordRow) -> float:
    changed = row.standing.changed_at if row.standing else None
    return changed.timestamp() if changed else 0.0
