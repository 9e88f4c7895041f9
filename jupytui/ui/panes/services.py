"""The Services pane: the systemd units of the scope that run Jupyter, whoever made them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import ClassVar

from msgspec.structs import replace

from jupytui.fleet.models import HostView
from jupytui.fleet.services import Listing, ServiceWatch
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Scope, Subject
from jupytui.hosts.state import HostState
from jupytui.jupyter.launch.services import server_of
from jupytui.systemd.verify import Verdict
from jupytui.ui.format import empty, services
from jupytui.ui.format.line import Line, Span, cells, cut, plain, wrap
from jupytui.ui.format.servers import host_name
from jupytui.ui.format.services import ServiceRow
from jupytui.ui.format.states import urgency
from jupytui.ui.format.table import Table, beside
from jupytui.ui.panes.listing import ScopedPane, matches
from jupytui.ui.panes.service_details import show_details
from jupytui.ui.widgets.footer import Hint
from jupytui.ui.widgets.rows import Row


class ServicesPane(ScopedPane):
    """Pane 4. Services are listed only while it is seen: a `ServiceWatch` of the desk does it."""

    DIGIT = "4"
    TITLE = "Services"
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("↑ ↓ j k", "Move"),
        ("g G", "First, last"),
        ("enter", "Its file, how it ended, how exposed it is"),
        ("s", "Sort by the next column"),
    )
    SORTS: ClassVar[Mapping[str, str]] = {"state": "STATE", "unit": "UNIT", "host": "HOST", "memory": "MEM"}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._watch: ServiceWatch | None = None
        self._listings: dict[str, Listing] = {}
        self._shapes: dict[str, object] = {}
        self._verdicts: dict[Subject, Verdict] = {}
        self._sums = ""

    @property
    def subject(self) -> Subject:
        """The unit the cursor is on, with the server it runs now; else the scope."""
        row = self._rows.current
        return self._subject_of(row) if isinstance(row, ServiceRow) else self._scope

    @property
    def chosen(self) -> Sequence[Subject]:
        """What the cursor is on: units are dealt with one by one."""
        return (self.subject,)

    @property
    def own_hints(self) -> Sequence[Hint]:
        """What can be done with the unit as it stands, the likeliest first."""
        row = self._rows.current
        if not isinstance(row, ServiceRow):
            return ()
        return self._hints(services.verbs(row.service, has_server=bool(row.server)))

    def _subject_of(self, row: ServiceRow) -> Subject:
        return Subject(row.key.host, row.server or None, unit=row.key.unit)

    def narrow_to(self, subject: Subject) -> None:
        """Show only the services of `subject`'s host, of a server: the one that keeps it."""
        self._scope = subject.at(Scope.SERVER)
        self._seen = True
        self._attend()
        self._show()
        if subject.unit:
            self.move_to(Subject(subject.host, unit=subject.unit))

    def put_away(self) -> None:
        """List nothing while another pane is seen."""
        super().put_away()
        if self._watch:
            self._watch.watch(())

    def work_ended(self) -> None:
        """List anew: what an action did is to be seen at once."""
        self._verdicts.clear()
        if self._watch:
            self._watch.wake()

    def take(self, host: str, listing: Listing) -> None:
        """Show what is known of a host's services now."""
        self._listings[host] = listing
        self._show()
        self.post_message(self.Selected(self.subject))  # what can be done with it may have changed

    def show_store(self, store: Store, changed: Set[str] | None = None) -> None:
        """Draw what is known; a host that has come back, or whose servers differ, is asked at once."""
        before, self._shapes = self._shapes, {view.name: _shape(view) for view in store}
        super().show_store(store, changed)
        self._attend()
        for name in self._shapes.keys() & before.keys():
            if self._watch and self._shapes[name] != before[name]:
                self._watch.wake(name)

    def _attend(self) -> None:
        desk = getattr(self.app, "desk", None)
        if not (self._seen and desk):
            return
        if self._watch is None:
            self._watch = desk.live.services(self._listed_anew)
        self._watch.watch(view.name for view in self._views())

    def _listed_anew(self, host: str) -> None:
        if self._watch and self.is_attached:
            listing, desk = self._watch.listing(host), self._program.desk
            if desk and listing.services and not listing.services.systemd:
                desk.work.context.without_systemd.add(host)
            self.take(host, listing)

    def _visible(self) -> Sequence[ServiceRow]:
        words = self.filter.casefold().split()
        rows = [row for view in self._views() for row in self._rows_of(view) if matches(row.text, words)]
        self._sums = services.summary(rows)
        return sorted(rows, key=_SORT_KEYS[self.order])

    def _rows_of(self, view: HostView) -> list[ServiceRow]:
        listing = self._listings.get(view.name, Listing())
        stale = view.state is not HostState.UP or listing.error is not None
        rows = []
        for service in listing.services.services if listing.services else ():
            server = server_of(service, view.servers) if service.running else None
            if self._scope.server is None or (server and server.id == self._scope.server):
                id_ = server.id if server else ""
                row = services.row_of(view.name, host_name(view), service, id_, stale=stale, ahead=view.ahead)
                rows.append(replace(row, exposure=self._verdicts.get(row.key)))
        return rows

    def _table(self, width: int) -> Table:
        return services.table(width)

    def _empty(self, rows: Sequence[Row]) -> str:
        errors = " ".join(str(error) for view in self._views() if (error := self._listing(view).error))
        if rows or errors:
            return errors
        views = self._views()
        if self._scope.server and any(self._listing(view).services for view in views):
            return f"No unit keeps {self._scope.server}. {self.DIGIT} shows those of all hosts."
        unknown = [view for view in views if self._listing(view).services is None]
        bare = [view for view in views if (found := self._listing(view).services) and not found.systemd]
        return empty.services(views, unknown, bare)

    def _listing(self, view: HostView) -> Listing:
        return self._listings.get(view.name, Listing())

    def _lines_below(self, width: int) -> Sequence[Line]:
        row = self._rows.current
        if not isinstance(row, ServiceRow):
            return ()
        sums = " · ".join(filter(None, (self._place(), self._sums, self._unseen())))
        order = f"by {self.order}"
        right = order if cells(sums) + cells(order) + 2 <= width else ""
        failed = row.service.active == "failed"
        about = wrap(services.about(row), width)[:3] if failed else [cut(services.about(row), width)]
        told = [(Span(text, "bad" if failed else ""),) for text in about]
        return *told, beside(plain(sums), plain(right), width)

    def _place(self) -> str:
        view = self._store.host(self._scope.host or "")
        return self._scope.server or (host_name(view) if view else "")

    def _unseen(self) -> str:
        away = [host_name(view) for view in self._views() if view.state is not HostState.UP]
        bare = [
            host_name(view)
            for view in self._views()
            if (found := self._listing(view).services) is not None and not found.systemd
        ]
        said = [f"not seen now: {', '.join(away)}"] if away else []
        return " · ".join(said + ([f"no systemd: {', '.join(bare)}"] if bare else []))

    def _open(self, subject: Subject) -> None:
        row, desk = self._rows.current, self._program.desk
        if desk and isinstance(row, ServiceRow) and row.key == subject:
            desk.work.aside("service details", show_details(desk, row, self._look, self._weighed))

    def _weighed(self, subject: Subject, verdict: Verdict) -> None:
        self._verdicts[subject] = verdict
        self._show()


_SORT_KEYS: Mapping[str, Callable[[ServiceRow], tuple[int, str, str]]] = {
    "state": lambda row: (urgency(services.state(row.service)), row.service.name, row.host),
    "unit": lambda row: (0, row.service.name, row.host),
    "host": lambda row: (0, row.host, row.service.name),
    "memory": lambda row: (-(row.service.memory or 0), row.service.name, row.host),
}


def _shape(view: HostView | None) -> object:
    """Return what of a host says that its services may have changed."""
    return view and (view.state, [(server.id, server.pid, server.unit, server.health) for server in view.servers])
