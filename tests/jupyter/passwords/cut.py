"""A host whose link is cut at its n-th operation: what was asked for is not done, or done and never heard of."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any, TypeVar

from jupytui.hosts.base import HostState, HostTrouble
from jupytui.hosts.local import LocalHost

T = TypeVar("T")


class How(StrEnum):
    BEFORE = "before"  # what was asked for never arrives
    AFTER = "after"  # it is done, and the answer is lost
    KILL = "kill"  # SIGKILL to this process instead of asking


class CutHost:
    """A `Host` in front of this machine's; every call, and every read and write of a stream, is an operation.

    `cut_at` None only counts. After the cut nothing works any more.
    """

    def __init__(self, host: LocalHost, cut_at: int | None = None, how: How = How.BEFORE) -> None:
        self._host, self._cut_at, self._how = host, cut_at, how
        self.count = 0
        self.was = ""

    @property
    def name(self) -> str:
        return self._host.name

    async def _pass(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        self.count += 1
        if self.was:
            raise self._gone()
        if self.count != self._cut_at:
            return await call()
        self.was = what
        if self._how is How.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._how is How.AFTER and hasattr(lost := await call(), "close"):
            await lost.close()
        raise self._gone()

    def _gone(self) -> HostTrouble:
        return HostTrouble(HostState.DOWN, f"The link was cut at operation {self._cut_at}: {self.was}.")

    async def run(self, script: str, *args: str, **more: Any) -> Any:
        return await self._pass(f"run {script.strip()[:24]!r}", lambda: self._host.run(script, *args, **more))

    async def read(self, path: str, max_bytes: int = 4 * 2**20) -> bytes:
        return await self._pass("read", lambda: self._host.read(path, max_bytes))

    async def open_tcp(self, host: str, port: int) -> Any:
        stream = await self._pass("open_tcp", lambda: self._host.open_tcp(host, port))
        return _CutStream(self, stream)

    @asynccontextmanager
    async def stream(self, script: str, *args: str) -> AsyncIterator[Any]:
        async with self._host.stream(script, *args) as process:
            yield _CutStream(self, process)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)


class _CutStream:
    def __init__(self, host: CutHost, inner: Any) -> None:
        self._host, self._inner = host, inner

    async def read(self, *args: Any) -> Any:
        return await self._host._pass("stream read", lambda: self._inner.read(*args))

    async def write(self, data: bytes) -> Any:
        return await self._host._pass("stream write", lambda: self._inner.write(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
