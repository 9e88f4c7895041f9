"""A TCP proxy that stands for a bad network: late, slow, stalled, or suddenly reset."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

CHUNK = 16384
RST_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Proxy:
    """Listens on `address`:`port` and passes everything on to `to_host`:`to_port`, in both directions alike.

    `delay` is seconds one way, `bandwidth` bytes a second one way (0: as fast as it goes). Both may be changed while
    connections are open and hold for the bytes that come then. Use as `async with Proxy("10.79.0.11", 22) as p:`.
    """

    to_host: str
    to_port: int
    delay: float = 0.0
    bandwidth: float = 0.0
    address: str = "127.0.0.1"
    port: int = 0
    accepted: int = 0
    carried: int = 0  # bytes, both directions
    _flowing: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _open: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        self._flowing.set()
        self._server = await asyncio.start_server(self._accept, self.address, self.port, limit=CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server
        self._server.close()
        await self.reset()

    def stall(self) -> None:
        """Take everything and pass nothing on, until `resume`; no end is told."""
        self._flowing.clear()

    def resume(self) -> None:
        """Pass on again what was held back."""
        self._flowing.set()

    async def reset(self) -> None:
        """Break every connection (RST), and return when all are gone; new ones are accepted."""
        broken = dict(self._open)
        for task, writers in broken.items():
            for writer in writers:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST_ON_CLOSE)
                writer.transport.abort()
            task.cancel()
        await asyncio.gather(*broken, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self.accepted += 1
        self._open[task] = (writer,)
        try:
            far_reader, far_writer = await asyncio.open_connection(self.to_host, self.to_port, limit=CHUNK)
            self._open[task] = (writer, far_writer)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_on(reader, far_writer))
                both.create_task(self._pass_on(far_reader, writer))
        except* (OSError, asyncio.CancelledError):
            pass  # one side is gone, or the test broke it: so is the other, below
        finally:
            for end in self._open.pop(task):
                end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read ahead of what is sent: a long way holds many packets at once, each of them late by `delay`."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=4096)
        async with asyncio.TaskGroup() as way:
            way.create_task(self._deliver(under_way, writer))
            data = b"-"
            while data:
                data = await reader.read(CHUNK)
                await under_way.put((loop.time() + self.delay, data))

    async def _deliver(self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(due - loop.time())
            await self._flowing.wait()
            if not data:
                break
            if self.bandwidth:
                await asyncio.sleep(len(data) / self.bandwidth)
            writer.write(data)
            self.carried += len(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()
