"""A socket of ours that listens for the tunnel's whole life, and a channel for each connection it takes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from jupytui.errors import JupytuiError
from jupytui.hosts.base import Host, HostTrouble
from jupytui.tunnels import socks
from jupytui.tunnels.link import Link
from jupytui.tunnels.models import Address
from jupytui.tunnels.pipe import End, Near, Traffic, pipe

PATIENCE = 10.0  # seconds a new connection waits for the link
AT_ONCE = 400  # connections of a tunnel being opened; more wait in the kernel. 1024 descriptors are a common limit
FULL = 0.1  # seconds until accepting is tried again when the process has no descriptor left

Found = Callable[[bool], None]


class Forward:
    """Takes connections from `listening` and opens a channel for each on whatever connection is current.

    `found` hears whether something took a connection at the far end. Without `to`, the clients speak SOCKS.
    """

    def __init__(self, link: Link, traffic: Traffic, to: Address | None, found: Found) -> None:
        self._link, self._traffic, self._to, self._found = link, traffic, to, found
        self._tasks: set[asyncio.Task[None]] = set()
        self._pipes: set[Near] = set()
        self._room = asyncio.Semaphore(AT_ONCE)

    def start(self, listening: socket.socket) -> None:
        """Begin to take connections."""
        self._begin(self._accept(listening))

    async def close(self) -> None:
        """End all connections; the socket is left to whoever made it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for near in list(self._pipes):
            near.reset()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._room.acquire()
            try:
                client, _ = await loop.sock_accept(listening)
            except OSError:  # EMFILE, or the client has gone already
                self._room.release()
                await asyncio.sleep(FULL)
            except BaseException:
                self._room.release()
                raise
            else:
                self._begin(self._serve(client))

    async def _serve(self, client: socket.socket) -> None:
        near, far = pipe(self._traffic)
        try:
            if self._to:
                await self._reach(client, far, self._to)
            else:
                await self._ask(client, far)
            near.done = self._pipes.discard
            self._pipes.add(near)
            await asyncio.get_running_loop().connect_accepted_socket(lambda: near, client)
        except (OSError, EOFError, JupytuiError):
            self._give_up(client, near, far)
        except BaseException:
            self._give_up(client, near, far)
            raise
        finally:
            self._room.release()

    def _give_up(self, client: socket.socket, near: Near, far: End) -> None:
        self._pipes.discard(near)
        near.reset()
        far.reset()
        client.close()

    async def _ask(self, client: socket.socket, far: End) -> None:
        """Open what a client of SOCKS wants. Raises OSError, EOFError, JupytuiError."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(socks.DEADLINE):
                request = await socks.read_request(client)
        except socks.SocksError as error:
            await loop.sock_sendall(client, error.reply)
            raise EOFError from None
        try:
            await self._reach(client, far, request.to)
        except (OSError, JupytuiError) as error:
            with suppress(OSError):
                await loop.sock_sendall(client, request.refused(error))
            raise
        await loop.sock_sendall(client, request.accepted)

    async def _reach(self, client: socket.socket, far: End, to: Address) -> None:
        """Connect `far` to `to`; a link that is down is waited for. Raises OSError, JupytuiError."""
        until = asyncio.get_running_loop().time() + PATIENCE
        while True:
            async with asyncio.timeout_at(until):
                await self._link.ready()
            _still_there(client)
            try:
                await attach(self._link.host, far, to)
            except HostTrouble:
                continue  # it was lost meanwhile
            except OSError:
                if not self._link.host.connected:
                    continue
                self._found(False)
                raise
            self._found(True)
            return


async def attach(host: Host, end: End, to: Address) -> None:
    """Connect `end` to `to` as seen from `host`. Raises OSError, HostTrouble."""
    if to.path:
        await host.attach_unix(end, to.path)
    else:
        await host.attach_tcp(end, to.host, to.port)


def _still_there(client: socket.socket) -> None:
    """Raise OSError if the client was reset meanwhile: thousands of such need not trouble the server."""
    with suppress(BlockingIOError):
        client.recv(1, socket.MSG_PEEK)
