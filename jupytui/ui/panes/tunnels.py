"""The Tunnels pane: every tunnel of the scope, how it stands, and what it has carried."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import ClassVar

from jupytui.fleet.store import Store
from jupytui.fleet.subject import Subject
from jupytui.tunnels.models import Status, TunnelState
from jupytui.ui.format import empty, tunnels
from jupytui.ui.format.line import Line, Span, cells, plain, wrap, wrap_within
from jupytui.ui.format.servers import host_name
from jupytui.ui.format.states import urgency
from jupytui.ui.format.table import Table, beside
from jupytui.ui.format.tunnels import TunnelRow
from jupytui.ui.panes.listing import ScopedPane, matches
from jupytui.ui.widgets.footer import Hint
from jupytui.ui.widgets.rows import Row

COUNTING = 1.0  # seconds between two looks at counters alone
_TOLD = 3  # lines about the tunnel under the cursor


class TunnelsPane(ScopedPane):
    """Pane 5. Changes come by the screen's tick (`show_store`); counters alone are drawn once a second."""

    DIGIT = "5"
    TITLE = "Tunnels"
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("↑ ↓ j k", "Move"),
        ("g G", "First, last"),
        ("enter", "Answer what it asks, else its actions"),
        ("space", "Mark"),
        ("s", "Sort by the next column"),
    )
    SORTS: ClassVar[Mapping[str, str]] = {"state": "STATE", "name": "TUNNEL", "host": "HOST", "traffic": "IN"}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._counted = False
        self._statuses: Sequence[Status] = ()
        self._sums = ""

    @property
    def own_hints(self) -> Sequence[Hint]:
        """What can be done with the tunnel as it stands, the likeliest first."""
        row = self._rows.current
        return self._hints(tunnels.verbs(row.status) if isinstance(row, TunnelRow) else [("tunnel.add", "add")])

    def on_mount(self) -> None:
        """Look at the counters now and then."""
        self.set_interval(COUNTING, self._count)

    def narrow_to(self, subject: Subject) -> None:
        """Show only the tunnels of `subject`'s host."""
        self._scope = Subject(subject.host)
        self._seen = True
        self._show()

    def show_store(self, store: Store, changed: Set[str] | None = None) -> None:
        """Draw what is known of the tunnels now; what can be done with them may have changed, too."""
        before = self._statuses
        super().show_store(store, changed)
        if self._statuses != before:
            self.post_message(self.Selected(self.subject))

    def _count(self) -> None:
        if self._seen and self._known() != self._statuses:
            self.show_store(self._store, set())

    def _known(self) -> Sequence[Status]:
        desk = self._program.desk
        return desk.tunnels() if desk else ()

    def _visible(self) -> Sequence[TunnelRow]:
        self._statuses = self._known()
        words = self.filter.casefold().split()
        rows = [self._row_of(status) for status in self._statuses if self._scope.host in {None, status.tunnel.host}]
        rows = sorted((row for row in rows if matches(row.text, words)), key=_SORT_KEYS[self.order])
        self._sums = tunnels.summary(rows)
        return rows

    def _row_of(self, status: Status) -> TunnelRow:
        view = self._store.host(status.tunnel.host)
        return tunnels.row_of(status, host_name(view) if view else status.tunnel.host)

    def _table(self, width: int) -> Table:
        return tunnels.table(width)

    def _empty(self, rows: Sequence[Row]) -> str:
        if rows:
            return ""
        desk = self._program.desk
        trouble = desk.live.tunnels.trouble if desk else None
        return str(trouble) if trouble else empty.tunnels(self._place(), len(self._statuses))

    def _place(self) -> str:
        view = self._store.host(self._scope.host or "")
        return host_name(view) if view else self._scope.host or ""

    def _lines_below(self, width: int) -> Sequence[Line]:
        row = self._rows.current
        if not isinstance(row, TunnelRow):
            return ()
        sums = " · ".join(filter(None, (self._place(), self._sums)))
        order = f"by {self.order}"
        right = order if cells(sums) + cells(order) + 2 <= width else ""
        return *self._about(row.status, width), beside(plain(sums), plain(right), width)

    def _about(self, status: Status, width: int) -> list[Line]:
        """Always as many lines, so that moving about does not move the screen."""
        wrong = wrap(tunnels.trouble(status), width)[:_TOLD]
        lines: list[Line] = [(Span(text, tunnels.state(status).style),) for text in wrong]
        if len(lines) < _TOLD:
            told = wrap_within(tunnels.about(status, self._look), width, _TOLD - len(lines))
            lines = [plain(text) for text in told] + lines
        return lines + [()] * (_TOLD - len(lines))

    def _open(self, subject: Subject) -> None:
        row, desk = self._rows.current, self._program.desk
        if not desk or not isinstance(row, TunnelRow):
            return
        if row.status.state is not TunnelState.ASKING or not desk.asked(subject.host or ""):
            desk.menu()


_SORT_KEYS: Mapping[str, Callable[[TunnelRow], tuple[int, str]]] = {
    "state": lambda row: (urgency(tunnels.state(row.status)), row.status.tunnel.name),
    "name": lambda row: (0, row.status.tunnel.name),
    "host": lambda row: (0, f"{row.host} {row.status.tunnel.name}"),
    "traffic": lambda row: (-(row.status.bytes_in + row.status.bytes_out), row.status.tunnel.name),
}
