"""A tunnel that is up, or on the way: its link, what carries its connections, and whether the right server answers."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from jupytui.hosts.base import Host, HostTrouble
from jupytui.hosts.local import LocalHost
from jupytui.tunnels import health, listen
from jupytui.tunnels.forward import Forward
from jupytui.tunnels.health import WELL, Health
from jupytui.tunnels.link import Link
from jupytui.tunnels.models import Address, Status, Trouble, Tunnel, TunnelKind, TunnelState
from jupytui.tunnels.pipe import Traffic
from jupytui.tunnels.remote import Remote

CHECK = 10.0  # seconds between two looks at the server behind
ABSENT = 1.0  # while nothing answers, as after a reboot
ANSWER = 10.0  # seconds for a connection to be taken
COUNT = 0.5  # seconds between two reports of counters alone


class Running:
    """`changed` hears when `status()` has changed. It listens (`listening`, kinds local and socks) until `close`."""

    def __init__(
        self, tunnel: Tunnel, link: Link, listening: socket.socket | None, changed: Callable[[], None]
    ) -> None:
        self.tunnel, self.link, self.listening = tunnel, link, listening
        self._changed = changed
        self._traffic = Traffic()
        self._health = WELL
        self._since = time.time()
        self._state: TunnelState | None = None
        self._reported: tuple[int, ...] = ()
        self._look_now = asyncio.Event()
        self._reconnects = link.reconnects
        self._carrier = self._remote() if tunnel.kind is TunnelKind.REMOTE else self._forward()
        self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._count())]

    def _forward(self) -> Forward:
        assert self.listening
        carrier = Forward(self.link, self._traffic, self.tunnel.to, self._found)
        carrier.start(self.listening)
        return carrier

    def _remote(self) -> Remote:
        tunnel = self.tunnel
        assert tunnel.to
        local = tunnel.local or Address("localhost", 0)
        carrier = Remote(self.link, self._traffic, local, tunnel.to, found=self._found, changed=self.refresh)
        carrier.start()
        return carrier

    def status(self) -> Status:
        """Return how it stands."""
        link, traffic = self.link, self._traffic
        into, out = traffic.into, traffic.out
        if self.tunnel.kind is TunnelKind.REMOTE:  # there, our end is the server's and not the client's
            into, out = out, into
        return Status(
            self.tunnel,
            self._now(),
            self._since,
            self._listens_at(),
            reconnects=link.reconnects - self._reconnects,
            open_connections=traffic.open,
            connections=traffic.ever,
            bytes_out=out,
            bytes_in=into,
            error=self._error(),
            next_try=self._next_try(),
        )

    def retry(self) -> None:
        """Try again now what does not do: the link, listening on the host, the server behind.

        Raises what making the host anew raises.
        """
        self.link.retry()
        if isinstance(self._carrier, Remote):
            self._carrier.retry()
        if self._health.state is not TunnelState.UP:
            self._well_or_not(Health(TunnelState.CONNECTING))
            self._look_now.set()

    def refresh(self) -> None:
        """Report a change, of the link's or ours."""
        state = self._now()
        if state is not self._state:
            self._state, self._since = state, time.time()
        self._changed()

    async def close(self) -> None:
        """Take it down."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await self._carrier.close()
        if self.listening:
            listen.close(self.listening)

    def _now(self) -> TunnelState:
        if self.link.state is not TunnelState.UP:
            return self.link.state
        if isinstance(self._carrier, Remote) and not self._carrier.listens_at:
            return TunnelState.WAITING if self._carrier.trouble else TunnelState.CONNECTING
        return self._health.state

    def _error(self) -> Trouble | None:
        carried = self._carrier.trouble if isinstance(self._carrier, Remote) else None
        return self.link.error or carried or self._health.trouble

    def _next_try(self) -> float | None:
        if isinstance(self._carrier, Remote) and self.link.state is TunnelState.UP:
            return self._carrier.next_try
        return self.link.next_try

    def _listens_at(self) -> Address | None:
        if isinstance(self._carrier, Remote):
            return self._carrier.listens_at
        return listen.where(self.listening) if self.listening and self.listening.fileno() >= 0 else None

    def _found(self, something: bool) -> None:
        """Take note that something took a connection at the far end, or nothing did."""
        if something is (self._health.state is TunnelState.NO_SERVER) and self.tunnel.to:
            if self.tunnel.behind:
                self._look_now.set()
            else:
                self._well_or_not(WELL if something else _nothing_at(self.tunnel.to))

    async def _watch(self) -> None:
        """Look at what is behind while the link is up: at a known server again and again, else when it is asked for."""
        tunnel = self.tunnel
        if not tunnel.to:
            return
        here = LocalHost()
        while True:
            if not tunnel.behind and self._health.state is not TunnelState.CONNECTING:
                await self._look_now.wait()
                self._look_now.clear()
            await self.link.ready()
            near: Host = here if tunnel.kind is TunnelKind.REMOTE else self.link.host
            with suppress(HostTrouble):  # the link is lost, which says nothing of the server
                found = await self._look(near, tunnel.to)
                if self.link.host.connected:
                    self._well_or_not(found)
            if tunnel.behind:
                await self._pause()

    async def _look(self, near: Host, to: Address) -> Health:
        """Return what is at `to`, as seen from `near`. Raises HostTrouble."""
        if self.tunnel.behind:
            return await health.check(near, self.tunnel.behind, to, self._machine())
        try:
            async with asyncio.timeout(ANSWER):
                stream = await (near.open_unix(to.path) if to.path else near.open_tcp(to.host, to.port))
                await stream.close()
        except OSError:
            return _nothing_at(to)
        return WELL

    def _machine(self) -> Host | None:
        """Return the machine the server's process is on, if we can look there."""
        tunnel = self.tunnel
        if tunnel.kind is TunnelKind.REMOTE or not tunnel.to:
            return None
        on_host = tunnel.to.path or tunnel.to.host in {"localhost", "127.0.0.1", "::1"}
        return self.link.host if on_host else None

    async def _pause(self) -> None:
        """Wait until it is time to look again, at once when the link is lost: what comes after may be another."""
        self._look_now.clear()
        waits = [asyncio.create_task(self.link.host.wait_lost()), asyncio.create_task(self._look_now.wait())]
        try:
            pause = min(CHECK, ABSENT) if self._health.state is TunnelState.NO_SERVER else CHECK
            await asyncio.wait(waits, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _well_or_not(self, found: Health) -> None:
        if found != self._health:
            self._health = found
            self.refresh()

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(COUNT)
            traffic = self._traffic
            counted = (traffic.open, traffic.ever, traffic.out, traffic.into)
            if counted != self._reported:
                self._reported = counted
                self._changed()


def _nothing_at(to: Address) -> Health:
    return Health(TunnelState.NO_SERVER, Trouble(f"Nothing takes connections at {to}."))
