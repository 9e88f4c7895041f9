"""The Fleet pane: hosts, under each its servers, and below them what is known of the one selected."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import ClassVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType

from jupytui.fleet.models import HostView, System
from jupytui.fleet.subject import Scope, Subject
from jupytui.jupyter.models import Server
from jupytui.ui.format import detail, empty, fleet, servers, states
from jupytui.ui.format.fleet import FleetRow, HostRow, ServerRow
from jupytui.ui.format.line import Line
from jupytui.ui.format.table import Table
from jupytui.ui.panes.listing import ListPane, matches
from jupytui.ui.widgets.rows import Row

NARROW = 72  # cells below which the rows go first: of what is told below them, only trouble takes their room
_LEAST = 3  # lines kept for the details, so that moving about does not move the screen
_MOST = 7
_ROOMY = 12  # lines of details below a narrow list that leaves so much room


class FleetPane(ListPane):
    """Pane 1."""

    DIGIT = "1"
    TITLE = "Fleet"
    HINTS = ("server.open", "server.logs", "server.tunnel", "server.copy", "host.copy", "host.add", "host.import")
    SORTS: ClassVar[Mapping[str, str]] = {
        "added": "",
        "name": "HOST / SERVER",
        "state": "STATE",
        "cpu": "CPU",
        "memory": "MEM",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "fold", "Fold", show=False),
        Binding("right", "unfold", "Unfold", show=False),
        Binding("l", "unfold_host", "Unfold", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._folded: set[str] = set()

    def on_resize(self) -> None:
        """Tell as much of the thing selected as there is room for now."""
        self._show_around()

    def action_fold(self) -> None:
        """Go from a server to its host, or fold the host; on a folded one this key is the app's."""
        subject = self.subject
        if subject.scope is Scope.SERVER:
            self.move_to(subject.at(Scope.HOST))
        elif not self._fold(subject, True):
            raise SkipAction

    def action_unfold(self) -> None:
        """Unfold a host; on an open one or a server this is the way in."""
        if self._fold(self.subject, False):
            return
        if self.subject.scope is not Scope.FLEET:
            self.post_message(self.Opened(self.subject))

    def action_unfold_host(self) -> None:
        """Unfold a host; on a server this key is the app's."""
        if self.subject.scope is Scope.SERVER:
            raise SkipAction
        self.action_unfold()

    def _open(self, subject: Subject) -> None:
        # Where somebody is asked for, or nothing can be folded, enter is the app's.
        view = self._store.host(subject.host or "")
        if subject.scope is not Scope.HOST or view is None or fleet.trouble(view) or not view.servers:
            super()._open(subject)
        else:
            self._fold(subject, view.name not in self._folded)

    def _fold(self, subject: Subject, folded: bool) -> bool:
        view = self._store.host(subject.host or "")
        if subject.scope is not Scope.HOST or view is None or not view.servers:
            return False
        if (view.name in self._folded) is folded:
            return False
        self._folded ^= {view.name}
        self._show()
        return True

    def _above(self, key: Hashable) -> Subject | None:
        # Never another server: the next key would be meant for the one that is not there.
        return key.at(Scope.HOST) if isinstance(key, Subject) else None

    def _visible(self) -> Sequence[FleetRow]:
        words = self.filter.casefold().split()
        views = list(self._store)
        if by := _BY_HOST.get(self.order):
            views.sort(key=by)
        return [row for view in views for row in self._rows_of(view, words)]

    def _rows_of(self, view: HostView, words: Sequence[str]) -> Iterator[FleetRow]:
        about = self._text_of(view)
        found = [server for server in view.servers if matches(f"{about} {self._text_of_server(view, server)}", words)]
        if not found and not matches(about, words):
            return
        folded = view.name in self._folded and not words
        yield HostRow(Subject(view.name), view, folded if view.servers else None)
        if not folded:
            if self.order in _BY_SERVER:
                found.sort(key=lambda server: _BY_SERVER[self.order](server, view.system))
            yield from (ServerRow(Subject(view.name, server.id), view, server) for server in found)

    def _text_of(self, view: HostView) -> str:
        words = [view.name, servers.host_name(view), view.address, *view.tags, view.waiting or ""]
        return " ".join([*words, states.of_host(view.state).text]).casefold()

    def _text_of_server(self, view: HostView, server: Server) -> str:
        parts = [server.id, servers.server_name(server), servers.directory(server, view, self._look)]
        parts += [servers.where(server), f"{server.auth}", states.of_server(server.health).text]
        return " ".join(parts).casefold()

    def _table(self, width: int) -> Table:
        return fleet.table(width)

    def _titled(self, width: int) -> bool:
        return width >= NARROW

    def _empty(self, _rows: Sequence[Row]) -> str:
        desk = getattr(self.app, "desk", None)
        return empty.fleet(list(self._store), desk.ssh_hosts if desk else 0)

    def _lines_below(self, width: int) -> Sequence[Line]:
        row = self._row()
        found = detail.lines(row, self._look, width, self._tunnel(row)) if row else []
        if self.size.width >= NARROW:
            return _filled(found[:_MOST], _LEAST)
        urgent = detail.troubled(row.view, self._look, width)[:_MOST] if isinstance(row, HostRow) else []
        room = min(_ROOMY, self.size.height - len(self._listed) - 1)
        return _filled(found[:room], room) if room >= max(_LEAST, len(urgent)) else urgent

    def _tunnel(self, row: FleetRow) -> str:
        desk = getattr(self.app, "desk", None)
        if desk is None or isinstance(row, HostRow):
            return ""
        from jupytui.tunnels.known import to_server
        from jupytui.ui.format.tunnels import of_server

        found = to_server(desk.tunnels(), row.view.name, row.server)
        return of_server(found, self._look) if found else ""

    def _row(self) -> FleetRow | None:
        subject = self.subject
        view = self._store.host(subject.host or "")
        if view is None or subject.server is None:
            return HostRow(subject, view) if view else None
        server = self._store.server(view.name, subject.server)
        return ServerRow(subject, view, server) if server else None


def _filled(lines: Sequence[Line], count: int) -> list[Line]:
    return [*lines, *[()] * (count - len(lines))]


def _memory_of(system: System | None) -> int:
    return (system.memory_used if system else None) or 0


_BY_HOST: Mapping[str, Callable[[HostView], tuple[object, ...]]] = {
    "name": lambda view: (servers.host_name(view).casefold(),),
    "state": lambda view: (states.urgency(states.of_host(view.state)), not view.waiting),
    "cpu": lambda view: (-((view.system.cpu_percent if view.system else None) or 0),),
    "memory": lambda view: (-_memory_of(view.system),),
}
_BY_SERVER: Mapping[str, Callable[[Server, System | None], tuple[object, ...]]] = {
    "name": lambda server, _system: (servers.server_name(server),),
    "state": lambda server, _system: (states.urgency(states.of_server(server.health)),),
    "cpu": lambda server, system: (-(servers.cpu(server, system) or 0),),
    "memory": lambda server, _system: (-(servers.memory(server) or 0),),
}
