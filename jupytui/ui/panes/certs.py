"""The Certificates pane: what each server of the scope shows, for how long yet, and who believes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import ClassVar

from jupytui.actions.cert_sights import CertLooks, CertView, servers_of
from jupytui.fleet.models import HostView
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Scope, Subject
from jupytui.hosts.state import HostState
from jupytui.text import clean
from jupytui.ui.format import certs, empty
from jupytui.ui.format.certs import CertRow
from jupytui.ui.format.line import Line, cells, plain, wrap_within
from jupytui.ui.format.look import Look
from jupytui.ui.format.servers import host_name
from jupytui.ui.format.states import urgency
from jupytui.ui.format.table import Table, beside
from jupytui.ui.panes.listing import ScopedPane, matches
from jupytui.ui.widgets.footer import Hint
from jupytui.ui.widgets.rows import Row

NARROW = 72  # cells
_TOLD, _TOLD_NARROW = 3, 6  # lines about the certificate under the cursor: who trusts it comes last


class CertificatesPane(ScopedPane):
    """Pane 7. Certificates are looked at when it is shown, when a server is another one, and after each action."""

    DIGIT = "7"
    TITLE = "Certificates"
    HINTS = ("cert.due", "cert.authority", "cert.export")
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("↑ ↓ j k", "Move"),
        ("g G", "First, last"),
        ("enter", "Its dates, fingerprints and files"),
        ("space", "Mark, to renew several"),
        ("s", "Sort by the next column"),
    )
    SORTS: ClassVar[Mapping[str, str]] = {"state": "TLS", "days": "LEFT", "server": "SERVER", "host": "HOST"}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._looks: CertLooks | None = None
        self._given: dict[Subject, CertView] = {}
        self._sums = ""

    @property
    def own_hints(self) -> Sequence[Hint]:
        """What can be done with the server as it stands, the likeliest first."""
        row = self._rows.current
        return self._hints(certs.verbs(row)) if isinstance(row, CertRow) else ()

    async def on_unmount(self) -> None:
        """Leave nothing under way."""
        if self._looks:
            await self._looks.close()

    def narrow_to(self, subject: Subject) -> None:
        """Show only the servers within `subject`."""
        self._scope = subject.at(Scope.SERVER)
        self._seen = True
        self._attend()
        self._show()

    def work_ended(self) -> None:
        """Look anew: what an action did is to be seen at once; `r` is one, too."""
        if self._looks:
            self._looks.forget()
        self._attend()

    def take(self, subject: Subject, view: CertView) -> None:
        """Show what is known of a server's certificate."""
        self._given[subject] = view
        self._learnt()

    def show_store(self, store: Store, changed: Set[str] | None = None) -> None:
        """Draw what is known; a server that is another one is looked at."""
        super().show_store(store, changed)
        self._attend()

    def _attend(self) -> None:
        desk = getattr(self.app, "desk", None)
        if not (self._seen and desk):
            return
        self._looks = self._looks or CertLooks(desk.live.fleet, self._learnt)
        self._looks.attend(self._views())

    def _learnt(self) -> None:
        if self.is_attached:
            self._attend()
            self._show()
            self.post_message(self.Selected(self.subject))  # what can be done with it may have changed

    def _visible(self) -> Sequence[CertRow]:
        words = self.filter.casefold().split()
        rows = [row for view in self._views() for row in self._rows_of(view) if matches(row.text, words)]
        self._sums = certs.summary(rows, self._look)
        key = _SORT_KEYS[self.order]
        return sorted(rows, key=lambda row: key(row, self._look))

    def _rows_of(self, view: HostView) -> list[CertRow]:
        stale = view.state is not HostState.UP
        return [
            certs.row_of(view.name, host_name(view), server, self._known(Subject(view.name, server.id)), stale=stale)
            for server in servers_of(view)
            if self._scope.server in {None, server.id}
        ]

    def _known(self, subject: Subject) -> CertView | None:
        return (self._looks.known(subject) if self._looks else None) or self._given.get(subject)

    def _table(self, width: int) -> Table:
        return certs.table(width)

    def _empty(self, rows: Sequence[Row]) -> str:
        return "" if rows else empty.certs(self._views())

    def _lines_below(self, width: int) -> Sequence[Line]:
        row = self._rows.current
        if not isinstance(row, CertRow):
            return ()
        most = _TOLD if self.size.width >= NARROW else _TOLD_NARROW
        told = wrap_within(" ".join(certs.about(row, self._look)), width, most)
        order = f"by {self.order}"
        right = order if cells(self._sums) + cells(order) + 2 <= width else ""
        lines = [plain(text) for text in told] + [()] * (most - len(told))
        return *lines, beside(plain(self._sums), plain(right), width)

    def _open(self, subject: Subject) -> None:
        from jupytui.ui.dialogs.text import TextDialog

        row = self._rows.current
        if isinstance(row, CertRow) and row.key == subject:
            shown = [clean(paragraph, 2**14) for paragraph in certs.details(row, self._look)]
            self.app.push_screen(TextDialog(f"Certificate of {row.server.id}", shown))


def _by_state(row: CertRow, look: Look) -> tuple[float, str]:
    return float(urgency(certs.state(row, look))), row.server.id


def _by_days(row: CertRow, look: Look) -> tuple[float, str]:
    shown = row.view.certificate if row.view else None
    return (shown.days_left(look.now) if shown else float("inf")), row.server.id


_SORT_KEYS: Mapping[str, Callable[[CertRow, Look], tuple[float, str]]] = {
    "state": _by_state,
    "days": _by_days,
    "server": lambda row, _look: (0.0, row.server.id.partition(":")[2]),
    "host": lambda row, _look: (0.0, row.server.id),
}
