"""A server of this machine made visible on a host: the far side listens, for as long as the connection is up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from jupytui.errors import JupytuiError
from jupytui.hosts.base import Host, HostTrouble, Listener
from jupytui.hosts.local import LocalHost
from jupytui.tunnels.backoff import Backoff
from jupytui.tunnels.forward import Found, attach
from jupytui.tunnels.link import Link
from jupytui.tunnels.models import LOOPBACK, Address, Trouble
from jupytui.tunnels.pipe import Near, Traffic, pipe

REMOVE = '[ -S "$1" ] && [ -O "$1" ] && rm -f -- "$1"'


class Remote:
    """Listens at `local` of the host, anew after each loss of the link; connections go to `to`, reached from here."""

    def __init__(
        self, link: Link, traffic: Traffic, local: Address, to: Address, *, found: Found, changed: Callable[[], None]
    ) -> None:
        self._link, self._traffic, self._local, self._to = link, traffic, local, to
        self._found, self._changed = found, changed
        self._here = LocalHost()
        self._pipes: set[Near] = set()
        self._task: asyncio.Task[None] | None = None
        self._listener: Listener | None = None
        self._backoff = Backoff()
        self._again = asyncio.Event()  # a try is wanted now
        self.listens_at: Address | None = None
        self.trouble: Trouble | None = None
        self.next_try: float | None = None

    def start(self) -> None:
        """Begin to listen as soon as the host is connected."""
        self._task = asyncio.create_task(self._run())

    def retry(self) -> None:
        """Try to listen now, if it waits for the next try."""
        self._backoff.reset()
        self._again.set()

    async def close(self) -> None:
        """Listen no more, and end all connections."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._listener:
            self._listener.close()
        for near in list(self._pipes):
            near.reset()
        await self._remove()

    async def _run(self) -> None:
        while True:
            await self._link.ready()
            host = self._link.host
            self._again.clear()
            try:
                await self._listen(host)
            except (OSError, JupytuiError) as error:
                await self._rest(self._explain(error))
            else:
                self._backoff.reset()
                await host.wait_lost()
            self._listener = None
            self._stands(None, None)

    async def _rest(self, trouble: Trouble) -> None:
        """Wait until the next try is due or wanted."""
        delay = self._backoff.next()
        self._stands(None, trouble, time.time() + delay)
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._again.wait()

    def _stands(self, at: Address | None, trouble: Trouble | None, next_try: float | None = None) -> None:
        self.listens_at, self.trouble, self.next_try = at, trouble, next_try
        self._changed()

    async def _listen(self, host: Host) -> None:
        local = self._local
        if local.path:
            await self._make_way(host, local.path)
            self._listener = await host.listen_unix(self._accept, local.path)
            self._stands(local, None)
        else:
            name = LOOPBACK if local.host in {"", "localhost"} else local.host
            self._listener = await host.listen_tcp(self._accept, name, local.port)
            self._stands(Address(name, self._listener.get_port()), None)

    async def _make_way(self, host: Host, path: str) -> None:
        """Remove a socket of ours that nobody listens at; sshd leaves them behind."""
        try:
            await (await host.open_unix(path)).close()
        except OSError:
            await host.run(REMOVE, path)

    async def _remove(self) -> None:
        if self._local.path and self._listener and self._link.host.connected:
            with suppress(JupytuiError, TimeoutError):
                await self._link.host.run(REMOVE, self._local.path, deadline=3.0)

    def _explain(self, error: Exception) -> Trouble:
        if isinstance(error, HostTrouble):
            return Trouble(error.message, error.hint)
        return Trouble(
            f"{self._link.host.name} does not let us listen on {self._local}.",
            "That port may be taken there, or its sshd forbids it (AllowTcpForwarding, GatewayPorts).",
        )

    async def _accept(self) -> asyncio.Protocol:
        near, far = pipe(self._traffic)
        near.done = self._pipes.discard
        self._pipes.add(near)
        try:
            await attach(self._here, near, self._to)
        except BaseException as error:
            self._pipes.discard(near)
            if isinstance(error, OSError):
                self._found(False)
            raise
        self._found(True)
        return far
