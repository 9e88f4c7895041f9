"""The Kernels pane: every kernel of the scope in one list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime
from typing import ClassVar

from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Scope, Subject
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import KernelState
from jupytui.ui.format import empty, kernels
from jupytui.ui.format.kernels import KernelRow
from jupytui.ui.format.line import Line, cells, cut, plain
from jupytui.ui.format.servers import host_name
from jupytui.ui.format.table import Table, beside
from jupytui.ui.panes.listing import ScopedPane, matches
from jupytui.ui.widgets.rows import Row


class KernelsPane(ScopedPane):
    """Pane 2."""

    DIGIT = "2"
    TITLE = "Kernels"
    HINTS = ("kernel.open", "kernel.interrupt", "kernel.restart", "kernel.shutdown")
    SORTS: ClassVar[Mapping[str, str]] = {
        "name": "NOTEBOOK",
        "cpu": "CPU",
        "ram": "RAM",
        "gpu": "GPU",
        "idle longest": "SINCE",
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sums = ""
        self._by_host: dict[str, tuple[KernelRow, ...]] = {}

    @property
    def scope(self) -> Subject:
        """What the list is narrowed to."""
        return self._scope

    def narrow_to(self, subject: Subject) -> None:
        """Show only the kernels of `subject`; of a kernel: those of its server, with the cursor on it."""
        self._scope = subject.at(min(subject.scope, Scope.SERVER))
        self._show()
        self.move_to(subject)

    def _learn(self, changed: Set[str] | None) -> None:
        # A host's rows are made anew only when it changed: with thousands of kernels that is what a tick costs.
        names = [view.name for view in self._store]
        if changed is not None:
            known = {name: rows for name, rows in self._by_host.items() if name in self._store and name not in changed}
        else:
            known = {}
        self._by_host = {name: known[name] if name in known else _rows_of(self._store.host(name)) for name in names}

    def _visible(self) -> Sequence[KernelRow]:
        words = self.filter.casefold().split()
        hosts = [self._scope.host] if self._scope.host is not None else list(self._by_host)
        rows = [row for host in hosts for row in self._by_host.get(host, ()) if self._within(row)]
        if words:
            rows = [row for row in rows if matches(row.text, words)]
        self._sums = kernels.summary(rows)
        return sorted(rows, key=self._sort_key())

    def _within(self, row: KernelRow) -> bool:
        return self._scope.server is None or row.key.server == self._scope.server

    def _sort_key(self) -> Callable[[KernelRow], str | float]:
        now = self._look.now
        keys: Mapping[str, Callable[[KernelRow], str | float]] = {
            "name": lambda row: row.sort_name,
            "cpu": lambda row: -(row.kernel.cpu_percent or 0.0),
            "ram": lambda row: -(row.kernel.rss or 0),
            "gpu": lambda row: -(row.kernel.gpu_memory or 0),
            "idle longest": lambda row: -_idle(row, now),
        }
        return keys[self.order]

    def _table(self, width: int) -> Table:
        return kernels.table(width)

    def _empty(self, rows: Sequence[Row]) -> str:
        return "" if rows else empty.kernels(self._views(), self._scope)

    def _lines_below(self, width: int) -> Sequence[Line]:
        row = self._rows.current
        if not isinstance(row, KernelRow):
            return ()
        sums = " · ".join(filter(None, (self._place(), self._sums, self._unseen())))
        order = f"by {self.order}"
        marks = f"{len(self._rows.marked)} marked · " if self._rows.marked else ""
        there = next((text for text in (marks + order, marks) if cells(sums) + cells(text) + 2 <= width), "")
        told = [plain(cut(line, width)) for line in kernels.story(row, self._look)]
        return plain(cut(kernels.about(row), width)), *told, beside(plain(sums), plain(there), width)

    def _place(self) -> str:
        if self._scope.server is not None:
            return self._scope.server
        view = self._store.host(self._scope.host or "")
        return host_name(view) if view else ""

    def _unseen(self) -> str:
        away = [host_name(view) for view in self._views() if view.state is not HostState.UP]
        return f"not seen now: {', '.join(away)}" if away else ""


def _idle(row: KernelRow, now: datetime) -> float:
    return (kernels.idle_seconds(row.kernel, now) or 0.0) if row.kernel.state is KernelState.IDLE else 0.0


def _rows_of(view: HostView | None) -> tuple[KernelRow, ...]:
    if view is None:
        return ()
    stale = view.state is not HostState.UP
    return tuple(
        kernels.row_of(Subject(view.name, server.id, kernel.id), kernel, stale)
        for server in view.servers
        for kernel in server.kernels
    )
