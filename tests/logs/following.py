"""A reader at work, for tests: collects, and lets them wait for what comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress

from jupytui.logs.events import Marker
from jupytui.logs.reader import LogReader


class Following:
    """What has come: `data` in bytes, `markers` in order."""

    def __init__(self) -> None:
        self.data = b""
        self.markers: list[str] = []
        self._news = asyncio.Event()

    async def read(self, reader: LogReader, *, live: bool = True) -> None:
        async with aclosing(reader.follow(live=live)) as batches:
            async for batch in batches:
                for event in batch:
                    if isinstance(event, Marker):
                        self.markers.append(event.text)
                    else:
                        self.data += event
                self._news.set()

    async def until(self, done: Callable[[], bool], seconds: float = 10) -> None:
        """Wait until `done()` holds after some batch. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not done():
                self._news.clear()
                await self._news.wait()

    async def has(self, end: bytes) -> None:
        """Wait until what has come ends so."""
        await self.until(lambda: self.data.endswith(end))


@asynccontextmanager
async def following(reader: LogReader, into: Following | None = None) -> AsyncIterator[Following]:
    """Follow in the background; leaving it is like closing the pane."""
    seen = into or Following()
    task = asyncio.create_task(seen.read(reader))
    try:
        yield seen
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
