"""One connection of a front end to the keeper."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from jupytui.errors import JupytuiError
from jupytui.hosts.base import Prompter
from jupytui.tunnels.keeper import protocol
from jupytui.tunnels.keeper.peer import check_peer
from jupytui.tunnels.keeper.place import Place, check_socket

PATIENCE = 10.0  # seconds for the keeper's first word


class Lost(Exception):
    """The keeper went away."""


class Link:
    """Requests and their answers, changes, and questions to the person."""

    def __init__(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        welcome: protocol.Welcome,
        prompter: Prompter,
        told: Callable[[protocol.Reply], None],
    ) -> None:
        self._reader, self._writer = streams
        self.welcome = welcome
        self._prompter, self._told = prompter, told
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[protocol.Reply]] = {}
        self._asking: dict[int, asyncio.Task[None]] = {}

    @classmethod
    async def open(
        cls, place: Place, prompter: Prompter, told: Callable[[protocol.Reply], None], *, asks: bool
    ) -> Link | None:
        """Return a link to the running keeper, None when there is none. Raises JupytuiError when it is not ours."""
        streams = await _reach(place)
        if streams is None:
            return None
        reader, writer = streams
        try:
            welcome = await _greet(reader, writer, asks=asks)
        except BaseException:
            writer.close()
            raise
        if welcome is None:
            writer.close()
            return None
        return cls((reader, writer), welcome, prompter, told)

    @property
    def gone(self) -> bool:
        """Whether the keeper went away."""
        return self._reader.at_eof() or self._writer.is_closing()

    def close(self) -> None:
        """End it."""
        self._writer.close()

    async def request(self, make: Callable[[int], protocol.Message]) -> protocol.Reply:
        """Send a request and return what came back. Raises JupytuiError as the keeper says, Lost."""
        number = next(self._numbers)
        line = protocol.encode(make(number))
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._writer.write(line)
            reply: protocol.Reply = await answer
        finally:
            self._waiting.pop(number, None)
        if isinstance(reply, protocol.Failed):
            raise protocol.error_of(reply)
        return reply

    async def run(self, attached: Callable[[Link], None]) -> None:
        """Follow the keeper until it goes away; `attached` is called once we know how everything stands."""
        self._writer.write(protocol.encode(protocol.Watch(0)))
        try:
            while line := await self._line():
                reply = protocol.read_reply(line)
                if reply:
                    self._take(reply)
                if isinstance(reply, protocol.Statuses):
                    attached(self)
        finally:
            await self._end()

    async def _line(self) -> bytes:
        try:
            return await self._reader.readline()
        except (OSError, ValueError):  # ValueError: longer than any keeper of ours sends
            return b""

    async def _end(self) -> None:
        self._writer.close()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Lost())
        asking = tuple(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    def _take(self, reply: protocol.Reply) -> None:
        match reply:
            case protocol.Done() | protocol.Failed() if answer := self._waiting.get(reply.id):
                if not answer.done():
                    answer.set_result(reply)
            case protocol.Asked():
                self._asking[reply.question] = asyncio.create_task(self._ask(reply))
            case protocol.Withdrawn():
                if task := self._asking.pop(reply.question, None):
                    task.cancel()
            case _:
                self._told(reply)

    async def _ask(self, asked: protocol.Asked) -> None:
        answer = protocol.Answer(asked.question)
        if asked.secret:
            answer = protocol.Answer(asked.question, secret=await self._prompter.secret(asked.secret))
        elif asked.key:
            answer = protocol.Answer(asked.question, trust=await self._prompter.trust(asked.key))
        self._writer.write(protocol.encode(answer))


async def _reach(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """Connect to the keeper that runs, None when there is none. Raises JupytuiError, OSError."""
    for path in place.sockets():
        with suppress(FileNotFoundError, ConnectionError):
            return await _connect(path)
    return None


async def _connect(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    check_socket(path)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, str(path))
        check_peer(connection)
        return await asyncio.open_unix_connection(sock=connection, limit=protocol.LONGEST_REPLY)
    except BaseException:
        connection.close()
        raise


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool) -> protocol.Welcome | None:
    """Exchange the first words; None when the keeper is just leaving. Raises JupytuiError."""
    writer.write(protocol.encode(protocol.hello(asks=asks, agent=os.environ.get("SSH_AUTH_SOCK", ""))))
    try:
        async with asyncio.timeout(PATIENCE):
            line = await reader.readline()
    except TimeoutError:
        raise JupytuiError("The tunnels' keeper does not answer.", "Its log may say why.") from None
    except (OSError, ValueError):
        return None
    welcome = protocol.read_reply(line) if line else None
    if isinstance(welcome, protocol.Failed):
        raise protocol.error_of(welcome)
    if not isinstance(welcome, protocol.Welcome):
        return None
    if welcome.protocol > protocol.PROTOCOL:
        raise JupytuiError(f"A newer jupytui ({welcome.version}) keeps the tunnels.", "Start that one, or end it.")
    return welcome
