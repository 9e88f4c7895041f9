"""Reads a log from a host in batches, and after any cut goes on exactly where it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from jupytui.errors import CommandError
from jupytui.hosts.base import Host, HostState, HostTrouble, Process
from jupytui.logs.events import Batch, Tail
from jupytui.logs.file import FileTail
from jupytui.logs.journal import JournalTail
from jupytui.logs.source import Journal, Source, Unreadable

CHUNK = 2**18
SILENCE = 2.0  # seconds after which a stream that has said nothing yet is asked why


class LogReader:
    """One log of one host. It keeps its position; the host keeps the connection, and nobody retries in here.

    `history`: how many lines of the past come first (0: none, None: all there is). `backlog`: with more than so many
    bytes waiting in a file, lines are skipped on the host, counted, and said so; None never skips: then it lags.
    """

    def __init__(
        self, host: Host, source: Source, *, history: int | None = 1000, backlog: int | None = 64 * 2**20
    ) -> None:
        self._host = host
        self._tail = _tail(source, history, backlog)

    async def follow(self, *, live: bool = True) -> AsyncGenerator[Batch, None]:
        """Yield what is new, in batches of raw bytes and markers, for ever; with `live` False up to the end as it is.

        Raises HostTrouble when the link is lost and CommandError when the log cannot be read. Called again on the same
        reader, it goes on at the next byte: nothing twice, nothing left out. Close it with `contextlib.aclosing` when
        leaving early, so that what runs on the host ends at once.
        """
        while True:
            async with aclosing(self._once(live)) as batches:
                async for batch in batches:
                    yield batch
            if not self._tail.again:
                return

    async def _once(self, live: bool) -> AsyncGenerator[Batch, None]:
        script, args = self._tail.begin(live)
        async with self._host.stream(script, *args) as process:
            data = await self._first(process)
            if data is None:
                if words := self._tail.silent(process.stderr):
                    yield words
                data = await self._read(process)
            while data:
                if events := self._tail.feed(data):
                    yield events
                if self._tail.again:
                    return
                await asyncio.sleep(0)  # a flood never leaves read() waiting, so the others get their turn here
                data = await self._read(process)
            await self._ended(process)

    async def _first(self, process: Process) -> bytes | None:
        """Return the first bytes, None when there are none for a while."""
        try:
            async with asyncio.timeout(SILENCE):
                return await self._read(process)
        except TimeoutError:
            return None

    async def _read(self, process: Process) -> bytes:
        try:
            return await process.read(CHUNK)
        except TimeoutError:
            raise
        except OSError:
            raise self._lost() from None

    async def _ended(self, process: Process) -> None:
        status = await process.wait()
        if status is None:
            raise self._lost()
        self._tail.ended(self._host.name, status, process.stderr)

    def _lost(self) -> HostTrouble:
        name = self._host.name
        return HostTrouble(HostState.DOWN, f"The connection to {name} was lost.", "The log goes on where it stopped.")


def _tail(source: Source, history: int | None, backlog: int | None) -> Tail:
    match source:
        case Unreadable(message, hint):
            raise CommandError(message, hint)
        case Journal():
            return JournalTail(source, history)
        case _:
            return FileTail(source.path, history, backlog=backlog)
