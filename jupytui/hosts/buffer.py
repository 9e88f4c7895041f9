"""The two ends of a byte channel that is driven by callbacks: what has come in, and whether more may go out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

HIGH_WATER = 2**20
LOW_WATER = 2**18


def _nothing() -> None:
    pass


class Inbox:
    """Bytes that have come in and were not read yet; asks its source to pause above 1 MiB."""

    def __init__(self, pause: Callable[[], None] = _nothing, resume: Callable[[], None] = _nothing) -> None:
        self._pause, self._resume = pause, resume
        self._data = bytearray()
        self._ended = False
        self._error: OSError | None = None
        self._paused = False
        self._news = asyncio.Event()

    def feed(self, data: bytes) -> None:
        """Take in what has come."""
        self._data += data
        self._news.set()
        if not self._paused and len(self._data) > HIGH_WATER:
            self._paused = True
            self._pause()

    def end(self, error: OSError | None = None) -> None:
        """Nothing more will come; with `error`, because the connection is gone."""
        if not self._ended:
            self._ended, self._error = True, error
            self._news.set()

    async def read(self, max_bytes: int = 65536) -> bytes:
        """Return the next bytes, b"" at the end. Raises the OSError it ended with."""
        while not self._data and not self._ended:
            self._news.clear()
            await self._news.wait()
        if not self._data and self._error:
            raise self._error
        return self._take(max_bytes)

    def _take(self, max_bytes: int) -> bytes:
        data = bytes(self._data[:max_bytes])
        del self._data[:max_bytes]
        if self._paused and len(self._data) < LOW_WATER:
            self._paused = False
            self._resume()
        return data


class Valve:
    """Whether more may be written: closed while the other side is slow, broken when the connection is gone."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._error: OSError | None = None

    def pause(self) -> None:
        """The buffer is full."""
        self._open.clear()

    def resume(self) -> None:
        """There is room again."""
        self._open.set()

    def fail(self, error: OSError) -> None:
        """Nothing can be written any more."""
        self._error = self._error or error
        self._open.set()

    def check(self) -> None:
        """Raise the OSError that ended it, if any."""
        if self._error:
            raise self._error

    async def wait(self) -> None:
        """Wait until there is room. Raises OSError."""
        await self._open.wait()
        self.check()


class Tail:
    """The last `limit` bytes of what was fed."""

    def __init__(self, limit: int = 65536) -> None:
        self._limit = limit
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        """Take in what has come."""
        self._data += data
        if len(self._data) > 2 * self._limit:
            del self._data[: -self._limit]

    def __bytes__(self) -> bytes:
        return bytes(self._data[-self._limit :])
