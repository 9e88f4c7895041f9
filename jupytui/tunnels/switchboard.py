"""All tunnels of one process: the keeper has one, a test may have one of its own."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from jupytui.errors import JupytuiError
from jupytui.hosts.base import Host, Prompter
from jupytui.tunnels import listen, sleep
from jupytui.tunnels.link import Link
from jupytui.tunnels.models import Status, Trouble, Tunnel, TunnelKind, TunnelState
from jupytui.tunnels.public.ngrok import MakeShare, NgrokShare, shares
from jupytui.tunnels.running import Running

OpenHost = Callable[[str, Prompter], Host]


@dataclass(slots=True)
class _Entry:
    """A tunnel that was added: at work, or why not."""

    tunnel: Tunnel
    running: Running | NgrokShare | None = None
    since: float = field(default_factory=time.time)
    error: Trouble | None = None

    def status(self) -> Status:
        if self.running:
            return self.running.status()
        state = TunnelState.FAILED if self.error else TunnelState.DOWN
        return Status(self.tunnel, state, self.since, error=self.error)

    def stopped(self, error: Trouble | None = None) -> None:
        self.running, self.since, self.error = None, time.time(), error


class Switchboard:
    """Keeps tunnels up. All its tunnels to one host share one connection; nothing here waits for a slow host.

    `open_host` makes the Host of a name (not connected yet) that asks by the given prompter; `changed` hears of each
    new status, at most a few times a second for counters alone. `make_share` makes the public ones.
    """

    def __init__(
        self,
        open_host: OpenHost,
        prompter: Prompter,
        changed: Callable[[Status], None],
        make_share: MakeShare | None = None,
    ) -> None:
        self._open_host, self._prompter, self._changed = open_host, prompter, changed
        self._make_share = make_share or shares()
        self._entries: dict[str, _Entry] = {}
        self._links: dict[str, Link] = {}
        self._watching: asyncio.Task[None] | None = None

    def statuses(self) -> Sequence[Status]:
        """Return how each tunnel stands, in the order in which they were added."""
        return [entry.status() for entry in self._entries.values()]

    async def add(self, tunnel: Tunnel, listening: socket.socket | None = None) -> Status:
        """Take on `tunnel` and bring it up; `listening` is its socket from an earlier keeper.

        Returns when it listens, not when the host is reached. Raises JupytuiError when the local port is taken
        (naming who holds it, where that can be known) or the name is in use with another description.
        """
        _check(tunnel)
        entry = self._entries.get(tunnel.name)
        if entry and entry.tunnel != tunnel:
            raise JupytuiError(f"There is another tunnel called {tunnel.name}.", "Remove it, or choose another name.")
        if entry is None or entry.running is None:
            entry = _Entry(tunnel)
            self._start(entry, listening)
            self._entries[tunnel.name] = entry
            self._changed(entry.status())
        return entry.status()

    async def up(self, name: str) -> None:
        """Bring a tunnel up that was taken down or has failed; a connection that it shares is tried again, too.

        Raises JupytuiError for a name that is not here, or a port that is taken.
        """
        entry = self._entry(name)
        if entry.running:
            entry.running.retry()
            return
        link = self._links.get(entry.tunnel.host)
        try:
            if link and link.state not in {TunnelState.UP, TunnelState.CONNECTING}:
                link.retry()
            self._start(entry, None)
        except JupytuiError as error:
            entry.stopped(Trouble(error.message, error.hint))
            raise
        finally:
            self._changed(entry.status())

    async def down(self, name: str) -> None:
        """Take it down: its socket and channels close, its description stays."""
        entry = self._entry(name)
        running = entry.running
        entry.stopped()
        if running:
            await self._stop(running)
        if (now := self._entries.get(name)) is not None:  # others may have brought it up meanwhile, or removed it
            self._changed(now.status())

    async def retry(self, name: str) -> None:
        """Try again now."""
        entry = self._entry(name)
        if entry.running:
            entry.running.retry()
        else:
            await self.up(name)

    async def remove(self, name: str) -> None:
        """Take it down and forget it, unless somebody has brought it up again meanwhile."""
        entry = self._entry(name)
        await self.down(name)
        if self._entries.get(name) is entry and not entry.running:
            del self._entries[name]

    def listeners(self) -> dict[str, socket.socket]:
        """Return the listening sockets by tunnel, for handing them to a newer keeper."""
        running = {name: entry.running for name, entry in self._entries.items() if entry.running}
        return {name: tunnel.listening for name, tunnel in running.items() if tunnel.listening}

    async def close(self) -> None:
        """Take everything down."""
        if self._watching:
            self._watching.cancel()
        await asyncio.gather(*map(self.down, list(self._entries)))

    def _entry(self, name: str) -> _Entry:
        if name not in self._entries:
            raise JupytuiError(f"There is no tunnel called {name}.")
        return self._entries[name]

    def _start(self, entry: _Entry, listening: socket.socket | None) -> None:
        """Bring it up. Raises JupytuiError when its address is taken."""
        tunnel = entry.tunnel
        if tunnel.kind in {TunnelKind.REMOTE, TunnelKind.PUBLIC}:
            listening = None
        elif listening is None:
            listening = listen.listen(tunnel.local)
        else:
            listening.setblocking(False)

        def changed() -> None:
            self._changed(entry.status())

        entry.error = None
        if tunnel.kind is TunnelKind.PUBLIC:
            entry.running = self._make_share(tunnel, changed)
            entry.running.start()
        else:
            entry.running = Running(tunnel, self._link(tunnel.host), listening, changed)
        if self._watching is None:
            self._watching = asyncio.create_task(sleep.watch(self.woke))

    def _link(self, host: str) -> Link:
        if host not in self._links:
            link = Link(lambda prompter: self._open_host(host, prompter), self._prompter, lambda: self._moved(host))
            self._links[host] = link
            link.start()
        return self._links[host]

    def _moved(self, host: str) -> None:
        """The link to `host` has changed: so have its tunnels."""
        for entry in self._entries.values():
            if entry.tunnel.host == host and isinstance(entry.running, Running):
                entry.running.refresh()

    async def _stop(self, running: Running | NgrokShare) -> None:
        host = running.tunnel.host
        await running.close()
        on_host = [entry.running for entry in self._entries.values() if entry.tunnel.host == host]
        in_use = any(isinstance(running, Running) for running in on_host)
        if not in_use and (link := self._links.pop(host, None)):
            await link.close()

    def woke(self) -> None:
        """The machine has slept: no connection is to be trusted."""
        for link in self._links.values():
            link.doubt()


def _check(tunnel: Tunnel) -> None:
    """Raise JupytuiError for a tunnel that is not whole."""
    if tunnel.kind is not TunnelKind.SOCKS and tunnel.to is None:
        raise JupytuiError(f"The tunnel {tunnel.name} does not say where to.")
