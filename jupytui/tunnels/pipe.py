"""Two connections made one: what comes in on either end goes out on the other, by callbacks, nothing queued here.

A full buffer on one end pauses the other. An end that is shut for writing shuts the other's writing (half-close); a
reset on one end, or the loss of the link, is a reset on the other, so that a cut download never looks complete.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from jupytui.hosts.sockets import write

HIGH_WATER = 2**20  # bytes of a connection that wait for a slow reader
RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Traffic:
    """Connections open now and ever, and the bytes their clients have sent (out) and got (in)."""

    open: int = 0
    ever: int = 0
    out: int = 0
    into: int = 0


class End(asyncio.Protocol):
    """One of the two. It reads nothing before the other end is there."""

    peer: Self | End

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._transport: asyncio.Transport | None = None
        self._socket: asyncio.Transport | None = None  # the transport, if it is no channel
        self._early = bytearray()  # a transport that is asked to pause in connection_made reads once (Python 3.11)
        self._ended = False
        self.gone = False
        self.broken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio, or by a channel, which has the same methods as a transport."""
        self._transport = transport  # type: ignore[assignment]
        self._socket = transport if isinstance(transport, asyncio.Transport) else None
        if self.peer._transport is None:
            self.pause_reading()
        elif self.peer.broken:
            self.reset()
        else:
            self._catch_up()

    def _catch_up(self) -> None:
        """Do what the peer wanted before this end was there."""
        if self._early:
            self.write(bytes(self._early))
            self._early = bytearray()
        if self.peer._ended:
            self.end()
        if self.peer.gone:
            self.close()
        self.peer.resume_reading()

    def data_received(self, data: bytes | memoryview) -> None:
        """Called by the transport."""
        self.peer.write(data)

    def eof_received(self) -> bool:
        """Called by the transport; its own direction stays open until the peer ends, too."""
        self._ended = True
        self.peer.end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the transport."""
        self.gone, self.broken = True, exc is not None
        if exc:
            self.peer.reset()
        else:
            self.peer.close()

    def pause_writing(self) -> None:
        """Called by the transport: its buffer is full."""
        self.peer.pause_reading()

    def resume_writing(self) -> None:
        """Called by the transport."""
        self.peer.resume_reading()

    def write(self, data: bytes | memoryview) -> None:
        """Send `data`, which may be a view that does not last; not on an end that is gone: the peer will hear of it."""
        if self._transport is None:
            self._early += data
            self.peer.pause_reading()
        elif self.gone:
            pass
        elif self._socket:
            write(self._socket, data)
        else:
            with contextlib.suppress(BrokenPipeError):
                self._transport.write(data)

    def end(self) -> None:
        """Send nothing more; when both have ended, everything is said."""
        if self._transport is None or self.gone:
            return
        if self._ended:
            self.close()
            self.peer.close()
        elif not self._transport.is_closing():
            with contextlib.suppress(OSError):  # ENOTCONN: it is being reset at this moment
                self._transport.write_eof()

    def pause_reading(self) -> None:
        """Read no more for a while."""
        if self._transport and not self.gone:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        if self._transport and not self.gone:
            self._transport.resume_reading()

    def close(self) -> None:
        """Close when what was written is sent."""
        if self._transport and not self.gone:
            self._transport.close()

    def reset(self) -> None:
        """Close at once."""
        if self._transport and not self.gone:
            self._transport.abort()


def _nothing(_: Near) -> None:
    pass


_read = memoryview(bytearray(2**18))  # one for all, as nothing of it lasts; a new one for each read costs a tenth


class Near(End, asyncio.BufferedProtocol):
    """The end on this machine; it counts. `done` is called with it when both have nothing to say any more."""

    done: Callable[[Near], object] = staticmethod(_nothing)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(HIGH_WATER)
        self._traffic.open += 1
        self._traffic.ever += 1
        super().connection_made(transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Called by asyncio: where to read to."""
        return _read

    def buffer_updated(self, nbytes: int) -> None:
        """Called by asyncio: so much was read."""
        self._traffic.out += nbytes
        self.peer.write(_read[:nbytes])

    def write(self, data: bytes | memoryview) -> None:
        """Send `data`."""
        self._traffic.into += len(data)
        super().write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._traffic.open -= 1
        self.done(self)
        super().connection_lost(exc)

    def reset(self) -> None:
        """Close at once; the client sees a reset and no end."""
        if self._transport and not self.gone:
            with contextlib.suppress(OSError):
                self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        super().reset()


def pipe(traffic: Traffic) -> tuple[Near, End]:
    """Return the two ends of a new connection: the client's, and that of the server it goes to."""
    near, far = Near(traffic), End(traffic)
    near.peer, far.peer = far, near
    return near, far
