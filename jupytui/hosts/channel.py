"""Channels of an SSH connection as streams and processes: bytes by callbacks, bounded buffers, nothing left open."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

import asyncssh

from jupytui.hosts.buffer import Inbox, Tail, Valve
from jupytui.text import clean_line

WINDOW = 2**21  # bytes under way per channel
CLOSE_GRACE = 2.0  # seconds for the server to agree that a channel is closed


class Discardable(Protocol):
    """A session whose channel nobody may be waiting for by the time it is open."""

    def discard(self) -> None:
        """Close the channel, or take note that it never opened."""
        ...


D = TypeVar("D", bound=Discardable)
Opening = Coroutine[Any, Any, tuple[Any, Any]]


class ChannelStream(asyncssh.SSHTCPSession[bytes], asyncssh.SSHUNIXSession[bytes]):
    """A channel as a `base.Stream`; `ended` is called once, when the server has let go of it."""

    def __init__(self, ended: Callable[[], None] = lambda: None) -> None:
        self._ended = ended
        self._valve = Valve()
        self._inbox = Inbox()
        self._closed = asyncio.Event()
        self._channel: Any = None  # asyncssh's channel classes share these methods but no protocol
        self.lost = False

    def connection_made(self, chan: Any) -> None:
        """Called by asyncssh."""
        self._channel = chan
        self._inbox = Inbox(chan.pause_reading, chan.resume_reading)

    def session_started(self) -> None:
        """Called by asyncssh."""

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Called by asyncssh."""
        self._inbox.feed(data)

    def eof_received(self) -> bool:
        """Called by asyncssh; our direction stays open."""
        self._inbox.end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncssh when the channel is closed; `exc` when the whole connection is gone."""
        self.lost = self.lost or exc is not None
        error = ConnectionResetError("the connection was lost") if exc else None
        self._inbox.end(error)
        self._valve.fail(error or BrokenPipeError("the channel is closed"))
        self._closed.set()
        self._ended()

    def pause_writing(self) -> None:
        """Called by asyncssh."""
        self._valve.pause()

    def resume_writing(self) -> None:
        """Called by asyncssh."""
        self._valve.resume()

    async def read(self, max_bytes: int = 65536) -> bytes:
        """Return the next bytes, b"" at the end. Raises OSError when the connection was lost."""
        return await self._inbox.read(max_bytes)

    async def write(self, data: bytes) -> None:
        """Send `data`, waiting while the other side is slow. Raises OSError."""
        self._valve.check()
        self._channel.write(data)
        await self._valve.wait()

    async def write_eof(self) -> None:
        """Say that nothing more will be sent."""
        if not self._closed.is_set() and not self._channel.is_closing():
            self._channel.write_eof()

    async def close(self) -> None:
        """Close the channel and wait, not for long, until the server has, too."""
        self._channel.abort()
        self._inbox.end()
        try:
            async with asyncio.timeout(CLOSE_GRACE):
                await self._closed.wait()
        except TimeoutError:
            pass  # the link hangs: keepalive will find out, and close the channel

    def discard(self) -> None:
        """Close a channel that nobody waits for, or take note that it never opened."""
        if self._channel is None:
            self._ended()
        else:
            self._channel.abort()


class ChannelProcess(ChannelStream, asyncssh.SSHClientSession[bytes]):
    """A session channel as a `base.Process`."""

    def __init__(self, ended: Callable[[], None] = lambda: None) -> None:
        super().__init__(ended)
        self._errors = Tail()
        self._status: int | None = None

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Called by asyncssh."""
        if datatype is None:
            self._inbox.feed(data)
        else:
            self._errors.feed(data)

    def exit_status_received(self, status: int) -> None:
        """Called by asyncssh."""
        self._status = status

    def exit_signal_received(self, name: str, core_dumped: bool, msg: str, lang: str) -> None:
        """Called by asyncssh; `name` is without SIG."""
        number = signal.Signals.__members__.get(f"SIG{name}", signal.SIGKILL)
        self._status = -number

    @property
    def stderr(self) -> bytes:
        """The last 64 KiB of stderr so far."""
        return bytes(self._errors)

    async def read(self, max_bytes: int = 65536) -> bytes:
        """Return the next bytes of stdout, b"" at the end and when the connection was lost (`wait` tells which)."""
        try:
            return await super().read(max_bytes)
        except ConnectionResetError:
            return b""

    async def wait(self) -> int | None:
        """Wait until the channel is closed; the status, None when the connection was lost before it came."""
        await self._closed.wait()
        return self._status


class SessionRefused(Exception):
    """The server opens no further session on this connection, or runs no commands in it."""


async def session(connection: asyncssh.SSHClientConnection, process: ChannelProcess, command: str) -> ChannelProcess:
    """Start `command` as `process`. Raises SessionRefused, or ConnectionResetError when the connection is gone."""
    opening = connection.create_session(
        lambda: process,
        command,
        encoding=None,
        request_pty=False,
        window=WINDOW,
    )
    try:
        return await _opened(opening, process)
    except asyncssh.Error as error:
        if connection.is_closed():
            raise ConnectionResetError(str(error)) from None
        raise SessionRefused(str(error)) from None


async def tcp(connection: asyncssh.SSHClientConnection, host: str, port: int) -> ChannelStream:
    """Connect, on the far side, to a TCP port. Raises ConnectionRefusedError or OSError."""
    stream = ChannelStream()
    opening = connection.create_connection(lambda: stream, host, port, window=WINDOW)
    return await opened(opening, stream)


async def unix(connection: asyncssh.SSHClientConnection, path: str) -> ChannelStream:
    """Connect, on the far side, to a unix socket. Raises OSError."""
    stream = ChannelStream()
    opening = connection.create_unix_connection(lambda: stream, path, window=WINDOW)
    return await opened(opening, stream)


async def opened(opening: Opening, stream: D) -> D:
    """Return `stream` once its connection is open. Raises ConnectionRefusedError or OSError."""
    try:
        return await _opened(opening, stream)
    except asyncssh.Error as error:
        kind = ConnectionRefusedError if "refused" in str(error).lower() else OSError
        raise kind(clean_line(str(error))) from None


async def _opened(opening: Opening, stream: D) -> D:
    """Return `stream` once it is open; if we are cancelled meanwhile, it is closed as soon as it is open.

    asyncssh forgets a channel whose opening was cancelled, while the server's end of it stays open.
    """
    task = asyncio.ensure_future(opening)

    def forgotten(done: asyncio.Future[Any]) -> None:
        if not done.cancelled():
            done.exception()  # nobody waits for it any more, and asyncio would say so on stderr
        stream.discard()

    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(forgotten)
        raise
    except asyncssh.Error:
        stream.discard()
        raise
    return stream
