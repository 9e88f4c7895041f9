"""What is known of the fleet: a plain dictionary of frozen views, and who wants to hear that one changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from jupytui.fleet.models import HostView
from jupytui.jupyter.models import Kernel, Server

Listener = Callable[[str], None]


class Store:
    """Hosts by name, in the user's order. No loop, no screen: whoever calls `apply` calls the listeners."""

    def __init__(self, views: Iterable[HostView] = ()) -> None:
        self._hosts = {view.name: view for view in views}
        self._listeners: list[Listener] = []

    def __iter__(self) -> Iterator[HostView]:
        return iter(tuple(self._hosts.values()))

    def __len__(self) -> int:
        return len(self._hosts)

    def __contains__(self, name: str) -> bool:
        return name in self._hosts

    def host(self, name: str) -> HostView | None:
        """Return the host of that name."""
        return self._hosts.get(name)

    def server(self, host: str, server_id: str) -> Server | None:
        """Return a server of a host by its id (`HOST:PORT` or `HOST:/socket`)."""
        view = self._hosts.get(host)
        return next((server for server in view.servers if server.id == server_id), None) if view else None

    def kernel(self, host: str, server_id: str, kernel_id: str) -> Kernel | None:
        """Return a kernel of a server by its id."""
        server = self.server(host, server_id)
        return next((kernel for kernel in server.kernels if kernel.id == kernel_id), None) if server else None

    def apply(self, view: HostView) -> None:
        """Put `view` in the place of what was known of its host; an equal one changes nothing and tells nobody."""
        if self._hosts.get(view.name) != view:
            self._hosts[view.name] = view
            self._tell(view.name)

    def patch(self, name: str, **fields: Any) -> None:
        """Change single fields of a host that is known; unknown names are ignored (it was removed meanwhile)."""
        if view := self._hosts.get(name):
            self.apply(msgspec.structs.replace(view, **fields))

    def remove(self, name: str) -> None:
        """Forget a host."""
        if self._hosts.pop(name, None):
            self._tell(name)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with a host's name whenever that host changed or went; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, name: str) -> None:
        for listener in tuple(self._listeners):
            listener(name)
