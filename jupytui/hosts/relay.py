"""Channels of an SSH connection that drive an `asyncio.Protocol`: the way of a tunnel's bytes, without a queue.

Stream loops cost twice the processor time of callbacks (measured: 0.9 against 0.45 s a GB).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any
from weakref import WeakKeyDictionary

import asyncssh

from jupytui.hosts.base import Accept, Listener
from jupytui.hosts.channel import Opening, opened
from jupytui.hosts.express import board, hasten, widen
from jupytui.text import clean_line

# Bytes under way: at 50 ms round trip 2 MiB carry 20 MB/s, 32 MiB 240 (measured). But sshd has what it may send and
# cannot in one buffer, which it copies as it grows: on a busy machine that has no round trip to bridge, 32 MiB cost it
# three times the processor and us two thirds of the speed (measured). So the window is as wide as the way is long.
WINDOW, WIDEST = 2**21, 2**25
FASTEST = 2.4e9  # bytes a second, twice what one processor decrypts
PACKET = 2**17  # sshd sends packets as long as we allow: a quarter of the work of its usual 32 KiB (measured)
HIGH_WATER = 2**20


class Relay(asyncssh.SSHTCPSession[bytes], asyncssh.SSHUNIXSession[bytes]):
    """A channel as the transport of `protocol`, whose `connection_lost` hears of an error if the connection went."""

    by_express = True  # what comes in may be given to `data_received` without asyncssh

    def __init__(self, protocol: asyncio.Protocol, width: int = 0) -> None:
        self._channel: Any = None
        self._width = width
        self.protocol = protocol
        self.pause_writing = protocol.pause_writing  # type: ignore[method-assign]
        self.resume_writing = protocol.resume_writing  # type: ignore[method-assign]

    def connection_made(self, chan: Any) -> None:
        """Called by asyncssh."""
        self._channel = chan
        chan.set_write_buffer_limits(HIGH_WATER)
        hasten(chan)
        self.protocol.connection_made(chan)

    def session_started(self) -> None:
        """Called by asyncssh."""
        self.widen(self._width)

    def widen(self, width: int) -> None:
        """Allow so many bytes under way, if that is more than now."""
        if width > WINDOW:
            widen(self._channel, width)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Called by asyncssh, and by `express`."""
        self.protocol.data_received(data)

    def eof_received(self) -> bool:
        """Called by asyncssh."""
        return bool(self.protocol.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncssh."""
        self.protocol.connection_lost(exc)

    def discard(self) -> None:
        """Close a channel that nobody waits for; one that never opened is nothing."""
        if self._channel:
            self._channel.abort()


async def attach_tcp(
    connection: asyncssh.SSHClientConnection, protocol: asyncio.Protocol, host: str, port: int
) -> None:
    """Connect `protocol`, on the far side, to a TCP port. Raises ConnectionRefusedError or OSError."""
    relay = Relay(protocol)
    opening = connection.create_connection(lambda: relay, host, port, window=WINDOW, max_pktsize=PACKET)
    await _attached(connection, opening, relay)


async def attach_unix(connection: asyncssh.SSHClientConnection, protocol: asyncio.Protocol, path: str) -> None:
    """Connect `protocol`, on the far side, to a unix socket. Raises OSError."""
    relay = Relay(protocol)
    opening = connection.create_unix_connection(lambda: relay, path, window=WINDOW, max_pktsize=PACKET)
    await _attached(connection, opening, relay)


async def listen_tcp(connection: asyncssh.SSHClientConnection, accept: Accept, host: str, port: int) -> Listener:
    """Listen on the far side. Raises OSError."""

    async def arrived(origin: str, origin_port: int) -> Relay:
        return await _accepted(connection, accept)

    opening = connection.create_server(arrived, host, port, encoding=None, window=WINDOW, max_pktsize=PACKET)
    return await _listening(connection, opening)


async def listen_unix(connection: asyncssh.SSHClientConnection, accept: Accept, path: str) -> Listener:
    """Listen at a path on the far side. Raises OSError."""

    async def arrived() -> Relay:
        return await _accepted(connection, accept)

    opening = connection.create_unix_server(arrived, path, encoding=None, window=WINDOW, max_pktsize=PACKET)
    return await _listening(connection, opening)


_answer_times: WeakKeyDictionary[asyncssh.SSHClientConnection, float] = WeakKeyDictionary()


async def _answered(connection: asyncssh.SSHClientConnection, question: Awaitable[Any]) -> Any:
    """Return the answer to `question`, and remember how long the quickest took: a busy machine only takes longer."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    answer = await question
    taken = loop.time() - begun
    _answer_times[connection] = min(taken, _answer_times.get(connection, taken))
    return answer


def _width(connection: asyncssh.SSHClientConnection) -> int:
    return min(WIDEST, int(FASTEST * _answer_times.get(connection, 0.0)))


async def _attached(connection: asyncssh.SSHClientConnection, opening: Opening, relay: Relay) -> None:
    board(connection)
    await _answered(connection, opened(opening, relay))
    relay.widen(_width(connection))


async def _accepted(connection: asyncssh.SSHClientConnection, accept: Accept) -> Relay:
    try:
        return Relay(await accept(), _width(connection))
    except OSError as error:
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, clean_line(str(error))) from None


async def _listening(connection: asyncssh.SSHClientConnection, opening: Awaitable[Any]) -> Listener:
    board(connection)
    try:
        listener: Listener = await _answered(connection, opening)
    except asyncssh.Error as error:
        raise OSError(clean_line(str(error))) from None
    return listener
