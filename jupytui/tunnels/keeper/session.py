"""The keeper's side of one front end."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from jupytui.errors import JupytuiError, UsageError
from jupytui.tunnels.keeper import protocol
from jupytui.tunnels.keeper.log import log, log_mistake
from jupytui.tunnels.keeper.outbox import Outbox
from jupytui.tunnels.keeper.protocol import Message
from jupytui.tunnels.models import Status

if TYPE_CHECKING:
    from jupytui.tunnels.keeper.server import Keeper

AT_ONCE = 32  # requests of one front end under way
PATIENCE = 10.0  # seconds for its first word


class Session:
    """Reads requests and answers them, each in its own time; writes as fast as the front end reads, and never waits."""

    def __init__(self, keeper: Keeper, connection: socket.socket) -> None:
        self._keeper = keeper
        self.connection = connection
        self._outbox = Outbox()
        self._watches = False
        self._places = asyncio.Semaphore(AT_ONCE)

    def tell(self, message: Message) -> None:
        """Send `message` when the front end reads; one that owes too much is dropped."""
        self._outbox.put(message)
        self._drop_if_full()

    def change(self, name: str, status: Status | None) -> None:
        """Tell of a change, if the front end wants to know."""
        if self._watches:
            self._outbox.change(name, status)
            self._drop_if_full()

    def _drop_if_full(self) -> None:
        if self._outbox.full:
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    async def run(self) -> None:
        """Serve until the front end has gone."""
        writing = asyncio.create_task(self._write())
        reading = asyncio.create_task(self._read())
        try:
            await asyncio.wait({writing, reading}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._keeper.questions.left(self)
            for task in (writing, reading):
                task.cancel()
            for result in await asyncio.gather(writing, reading, return_exceptions=True):
                if isinstance(result, Exception) and not isinstance(result, OSError):
                    log_mistake(result)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await loop.sock_sendall(self.connection, await self._outbox.take())

    async def _read(self) -> None:
        lines = read_lines(self.connection, protocol.LONGEST_REQUEST)
        try:
            async with asyncio.timeout(PATIENCE):
                first = await anext(lines, b"")
            if not first or not self._greet(first):
                return
            async for line in lines:
                await self._take(line)
        except (TimeoutError, UsageError) as error:
            await self._refuse(error)

    async def _refuse(self, error: Exception) -> None:
        """Say why before leaving; it may not be read."""
        if isinstance(error, JupytuiError):
            with suppress(OSError):
                self.connection.send(protocol.encode(protocol.failed(0, error)))

    def _greet(self, line: bytes) -> bool:
        hello = protocol.read_request(line)
        if not isinstance(hello, protocol.Hello):
            raise UsageError("A front end begins with hello.")
        self.tell(self._keeper.welcome)
        if hello.asks:
            self._keeper.can_ask(self)
        if hello.agent and Path(hello.agent).is_socket():
            # The agent of the session that started the keeper may be gone by now; this one is there.
            os.environ["SSH_AUTH_SOCK"] = hello.agent
        return True

    async def _take(self, line: bytes) -> None:
        try:
            request = protocol.read_request(line)
        except UsageError as error:
            self.tell(protocol.failed(0, error))
            return
        if isinstance(request, protocol.Answer):
            self._keeper.questions.answered(self, request)
        elif isinstance(request, protocol.Taken):
            self._keeper.taken(self.connection)
        elif not isinstance(request, protocol.Hello):
            await self._places.acquire()
            self._keeper.work(self._fulfil(request)).add_done_callback(lambda _: self._places.release())

    async def _fulfil(self, request: protocol.Request) -> None:
        identity = getattr(request, "id", 0)
        try:
            await self._do(request, identity)
        except JupytuiError as error:
            self.tell(protocol.failed(identity, error))
        except Exception as error:
            log_mistake(error)
            wrong = JupytuiError("This is a mistake in jupytui itself.", "The keeper's log says where.")
            self.tell(protocol.failed(identity, wrong))

    async def _do(self, request: protocol.Request, identity: int) -> None:
        roster = self._keeper.roster
        match request:
            case protocol.List() | protocol.Watch():
                self._tell_all(identity, watch=isinstance(request, protocol.Watch))
                return
            case protocol.Handover():
                await self._keeper.hand_over(self.connection)
                return
            case protocol.Add():
                log.info("add %s on %s", request.tunnel.name, request.tunnel.host)
                self.tell(protocol.Done(identity, await roster.add(request.tunnel)))
                return
            case protocol.Stop():
                log.info("stop")
                await self._keeper.stop()
            case protocol.Up() | protocol.Down() | protocol.Retry() | protocol.Remove():
                log.info("%s %s", type(request).__name__.lower(), request.name)
                await self._verb(request)(request.name)
        self.tell(protocol.Done(identity))

    def _verb(
        self, request: protocol.Up | protocol.Down | protocol.Retry | protocol.Remove
    ) -> Callable[[str], Awaitable[None]]:
        roster = self._keeper.roster
        match request:
            case protocol.Up():
                return roster.up
            case protocol.Down():
                return roster.down
            case protocol.Retry():
                return roster.retry
            case protocol.Remove():
                return roster.remove

    def _tell_all(self, identity: int, *, watch: bool) -> None:
        self._watches = self._watches or watch
        self._outbox.forget_changes()
        self.tell(protocol.Statuses(identity, self._keeper.roster.statuses()))


async def read_lines(connection: socket.socket, limit: int) -> AsyncIterator[bytes]:
    """Yield lines without their end. Raises UsageError for one longer than `limit` bytes, OSError."""
    loop, rest = asyncio.get_running_loop(), b""
    while data := await loop.sock_recv(connection, 65536):
        *lines, rest = (rest + data).split(b"\n")
        if len(rest) > limit or any(len(line) > limit for line in lines):
            raise UsageError("That line is too long for a request.")
        for line in lines:
            yield line
