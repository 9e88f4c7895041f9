"""The fleet as a whole: its hosts, what is known of them, and the tasks that keep that true."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Self

from jupytui.fleet.models import HostView
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Gone, Subject
from jupytui.hosts.base import Destination, Host, HostState, Prompter
from jupytui.secret import Secret

if TYPE_CHECKING:
    from jupytui.fleet.probe import Probe
    from jupytui.fleet.watch import Watcher
    from jupytui.hosts.limits import Gates
    from jupytui.jupyter.access import Access
    from jupytui.jupyter.client import JupyterApi


class Fleet:
    """Owns every host's connection and watcher; ends them all when closed.

    `prompter` gives, for a host's name, whoever asks the user on its behalf. Nothing is dialled before `start` or
    `look_once`.
    """

    def __init__(self, store: Store, prompter: Callable[[str], Prompter], refresh: float = 3.0) -> None:
        from jupytui.fleet.watch import Pace

        self.store = store
        self.pace = Pace(refresh)
        self._prompter = prompter
        self._gates: Gates | None = None
        self._watchers: dict[str, Watcher] = {}
        self._probes: dict[str, Probe] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def add(self, destination: Destination) -> None:
        """Take a host into the fleet; it is not dialled yet. A view that is known stays until a look."""
        from jupytui.fleet.probe import Probe
        from jupytui.fleet.watch import Watcher
        from jupytui.hosts.limits import Gates
        from jupytui.hosts.open import open_host

        self._gates = self._gates or Gates()
        host = open_host(destination, self._prompter(destination.name), self._gates)
        tags = tuple(destination.tags)
        known = self.store.host(destination.name)
        self._probes[destination.name] = probe = Probe(host, tags, known.servers if known else ())
        self._watchers[destination.name] = Watcher(host, probe, self.store, self.pace)
        if known is None:
            self.store.apply(HostView(destination.name, host.address, tags=tags))

    def start(self, names: Iterable[str] | None = None) -> None:
        """Watch these hosts (all, if None) from now on."""
        for name in names if names is not None else tuple(self._watchers):
            if name not in self._tasks:
                self._tasks[name] = asyncio.create_task(self._watchers[name].run(), name=f"watch {name}")

    async def look_once(self, names: Iterable[str] | None = None) -> list[HostView]:
        """Look once at these hosts (all, if None), all at the same time, and return their views in that order."""
        names = list(names if names is not None else self._watchers)
        await asyncio.gather(*(self._watchers[name].look(once=True) for name in names))
        return [view for name in names if (view := self.store.host(name))]

    async def refresh(self, names: Iterable[str] | None = None) -> None:
        """Look at these hosts now (all, if None); returns when these looks are over."""
        names = [name for name in (names if names is not None else self._tasks) if name in self._tasks]
        for name in names:
            view = self.store.host(name)
            if view and view.state is not HostState.UP:
                self.store.patch(name, state=HostState.CONNECTING, error=None)
        await asyncio.gather(*(self._watchers[name].wake() for name in names))

    async def catch_up(self) -> None:
        """Look now at every host but those that wait for the user; returns when these looks are over."""
        await self.refresh(name for name in tuple(self._tasks) if not self._watchers[name].given_up)

    def host(self, name: str) -> Host:
        """Return a host of the fleet. Raises Gone."""
        if watcher := self._watchers.get(name):
            return watcher.host
        raise Gone(f"{name} is not in the fleet any more.")

    def prompter(self, name: str) -> Prompter:
        """Return whoever asks the user on behalf of the host of that name."""
        return self._prompter(name)

    def api(self, subject: Subject) -> JupyterApi:
        """Return the HTTP API of the server meant. Raises Gone, and JupytuiError when we hold no credentials."""
        if probe := self._probes.get(subject.host or ""):
            return probe.api(subject.server or "")
        raise Gone(f"{subject.host} is not in the fleet any more.")

    def access(self, subject: Subject) -> Access:
        """Return how the server meant is reached from its own machine. Raises Gone, UsageError when it is not."""
        if probe := self._probes.get(subject.host or ""):
            return probe.access(subject.server or "")
        raise Gone(f"{subject.host} is not in the fleet any more.")

    def token(self, subject: Subject) -> Secret | None:
        """Return the token of the server meant, None where it has none or we do not know it. Raises Gone."""
        if probe := self._probes.get(subject.host or ""):
            return probe.token(subject.server or "")
        raise Gone(f"{subject.host} is not in the fleet any more.")

    def expect_end(self, subject: Subject) -> None:
        """What is meant, a server or a kernel, is about to end because the user wants it: that is no death."""
        if (probe := self._probes.get(subject.host or "")) and subject.server:
            probe.deaths.expect(subject.server, subject.kernel)

    def dismiss(self, subject: Subject) -> None:
        """The user has seen why the server or kernel meant died."""
        if (probe := self._probes.get(subject.host or "")) and subject.server:
            probe.deaths.dismiss(subject.server, subject.kernel)

    async def remove(self, name: str) -> None:
        """Let go of a host: stop watching, end its connection, forget it."""
        if task := self._tasks.pop(name, None):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if watcher := self._watchers.pop(name, None):
            await self._let_go(name, watcher)
        self.store.remove(name)

    async def _let_go(self, name: str, watcher: Watcher) -> None:
        await self._probes.pop(name).close()
        await watcher.host.close()

    async def close(self) -> None:
        """Stop watching and end every connection; what is known stays in the store."""
        tasks = [*self._tasks.values()]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        watchers = [*self._watchers.items()]
        self._watchers.clear()
        await asyncio.gather(*(self._let_go(name, watcher) for name, watcher in watchers), return_exceptions=True)
