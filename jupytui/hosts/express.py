"""A faster way for a tunnel's bytes: from the socket to a channel's `Relay` with one copy, the decryption, and back.

asyncssh copies what it receives eight times and sets its cipher up anew for each packet; at 500 MB/s a processor is
full. `Express` takes its place as the socket's protocol, reads into one buffer and decrypts from there. Only whole
packets of data for a relay's channel, and those that widen its window, go its way. Everything else, and every doubt, is
handed to asyncssh as it came, before anything was changed: a packet with a wrong tag, a new cipher, another kind of
channel. What a relay's channel sends is encrypted and written at once, without asyncssh's empty packet before each.
Both sides keep the counters where asyncssh has them. Where asyncssh is not built as expected, nothing is done (`board`
returns False), and a tunnel is slower by half.
"""

from __future__ import annotations

import asyncio
import struct
import time
from dataclasses import dataclass, field
from typing import Any

import asyncssh
from asyncssh.channel import SSHChannel
from asyncssh.constants import MSG_CHANNEL_DATA, MSG_CHANNEL_WINDOW_ADJUST
from asyncssh.encryption import GCMEncryption
from asyncssh.packet import UInt32
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jupytui.hosts import outlet
from jupytui.hosts.packet import COUNTS, HEAD, TAG, UINT32, UINT64
from jupytui.hosts.sockets import LITTLE, keep_little, read

SIZE = 2**20
READ = 2**18  # the most that is read at once: what stays within a processor's cache is decrypted faster
LONGEST = SIZE - READ - 64  # of a packet, without what stands around it
# What comes as fast as it can be dealt with comes in small pieces, and each costs a turn of the loop and dozens of
# calls: without a pause for more, a GB costs a fifth more of the processor (0.9 instead of 0.75 s, measured).
MUCH, ENOUGH = 2**14, LITTLE
PAUSE = 3e-5  # seconds; with Linux's timer slack some 80 µs
READS = 16  # at the most, before others have their turn
BEAT = 1.0  # seconds between two signs of life for keepalive's clock

# What was decrypted and not delivered yet: nothing, between two calls of asyncio. So one is enough for all connections.
_plain = memoryview(bytearray(SIZE))
_HEADS_ROOM = struct.Struct(f"{HEAD.size}s")
_KINDS = frozenset({MSG_CHANNEL_WINDOW_ADJUST, MSG_CHANNEL_DATA})
_RECEIVING = frozenset({"open", "eof_pending", "eof"})  # as `SSHChannel` calls it while its window may be widened

_NEEDED = (
    *("_inpbuf", "_recv_handler", "_recv_pkthdr", "_recv_encryption", "_recv_seq", "_channels"),
    *("_decompressor", "_max_recv_pktlen", *outlet.NEEDED),
)


def board(connection: asyncssh.SSHClientConnection) -> bool:
    """Put `connection` on the faster way, once; whether it is on it. Cheap to ask again."""
    inner: Any = connection
    transport = getattr(inner, "_transport", None)
    if not isinstance(transport, asyncio.Transport) or not all(hasattr(inner, name) for name in _NEEDED):
        return False  # through a jump host, its transport is a channel
    if isinstance(transport.get_protocol(), Express):
        return True
    cipher = getattr(inner._recv_encryption, "_cipher", None)
    if not isinstance(inner._recv_encryption, GCMEncryption) or inner._decompressor or not hasattr(cipher, "_iv"):
        return False
    keep_little(transport)
    transport.set_protocol(Express(inner))
    return True


def hasten(channel: Any) -> None:
    """Have what `channel` sends go the faster way, if its connection is on it."""
    transport = getattr(channel.get_connection(), "_transport", None)
    express = transport.get_protocol() if isinstance(transport, asyncio.Transport) else None
    if not isinstance(express, Express):
        return

    def write(data: bytes | memoryview, datatype: int | None = None) -> None:
        sent = 0 if channel._send_buf or datatype is not None else express.outlet.send(channel, data)
        if sent < len(data):
            SSHChannel.write(channel, data[sent:], datatype)

    def flush() -> None:
        while channel._send_buf and channel._send_buf[0][1] is None:
            waiting = channel._send_buf[0][0]
            sent = express.outlet.send(channel, waiting)
            if not sent:
                break
            del waiting[:sent]
            if not waiting:
                del channel._send_buf[0]
            channel._send_buf_len -= sent
        SSHChannel._flush_send_buf(channel)  # what the window does not allow yet, and the end

    channel.write, channel._flush_send_buf = write, flush


def widen(channel: Any, width: int) -> None:
    """Let the far side of `channel` have `width` bytes under way; nothing where asyncssh is not built as expected."""
    before = getattr(channel, "_init_recv_window", width)
    if width > before and channel._recv_state == "open":
        channel.send_packet(MSG_CHANNEL_WINDOW_ADJUST, UInt32(width - before))
        channel._recv_window += width - before
        channel._init_recv_window = width


@dataclass(slots=True)
class _Batch:
    """What came for one relay's channel, and where in `_plain` it lies; `room` is what its window allows beyond."""

    channel: Any
    room: int
    runs: list[list[int]] = field(default_factory=list)  # each from where to where
    window: int = 0  # bytes that may be sent besides


class Express(asyncio.BufferedProtocol):
    """The socket's protocol instead of the connection, which hears of all but what this takes."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._buffer = memoryview(bytearray(SIZE))
        self._start = self._end = 0
        self._encryption: Any = None
        self._cipher: Any = None
        self._aes: AESGCM | None = None
        self.outlet = outlet.Outlet(connection)
        self._beat = 0.0
        self._now = asyncio.get_running_loop().time

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        # asyncssh's connections lie in cycles for minutes: not with a MiB each, which the error's frames hold, too.
        self._buffer = memoryview(b"")
        self._start = self._end = 0
        if exc:
            exc.__traceback__ = None
        self._connection.connection_lost(exc)

    def eof_received(self) -> bool | None:
        """Called by asyncio."""
        result: bool | None = self._connection.eof_received()
        return result

    def get_buffer(self, sizehint: int) -> memoryview:
        """Called by asyncio: where to read to."""
        if self._start == self._end:
            self._start = self._end = 0
        elif SIZE - self._end < READ:
            rest = self._end - self._start
            self._buffer[:rest] = self._buffer[self._start : self._end]
            self._start, self._end = 0, rest
        return self._buffer[self._end : self._end + READ]

    def buffer_updated(self, nbytes: int) -> None:
        """Called by asyncio: so much was read. Reads on while much comes."""
        self._take(nbytes)
        for _ in range(READS):
            transport = self._connection._transport
            if nbytes < MUCH or not transport:
                return
            if nbytes < ENOUGH:
                time.sleep(PAUSE)
            nbytes = read(transport, self.get_buffer(-1))
            self._take(nbytes)

    def _take(self, nbytes: int) -> None:
        self._end += nbytes
        if self._connection._transport and self._now() - self._beat > BEAT:
            self._beat = self._now()
            self._connection._reset_keepalive_timer()
        while self._start < self._end and self._connection._transport:
            if not self._may_take():
                self._hand_over(self._end - self._start)
            elif self._relay():
                break
            else:
                self._hand_over(self._foreign())

    def _may_take(self) -> bool:
        """Whether what comes next is the beginning of a packet that can be read here."""
        connection = self._connection
        if connection._inpbuf or connection._recv_handler != connection._recv_pkthdr:
            return False  # asyncssh is in the middle of one, or waits for something
        encryption = connection._recv_encryption
        if encryption is not self._encryption:
            if not isinstance(encryption, GCMEncryption) or connection._decompressor:
                return False
            self._encryption, self._cipher = encryption, encryption._cipher
            self._aes = AESGCM(self._cipher._key)
        return True

    def _foreign(self) -> int:
        """Return how many bytes the next packet has, which is there and not for a relay; all there are if it is odd."""
        length: int = UINT32.unpack_from(self._buffer, self._start)[0]
        return min(4 + length + TAG, self._end - self._start)

    def _relay(self) -> bool:
        """Give relays what the next packets hold for them; False when the one after them is for somebody else.

        All that was read for one channel is delivered at once, so that the work of a packet is done once for many. One
        loop without a call of ours: there are 30 000 packets in a GB.
        """
        assert self._aes
        connection, cipher, buffer, plain = self._connection, self._cipher, self._buffer, _plain
        start, end, longest = self._start, self._end, min(connection._max_recv_pktlen, LONGEST)
        nonce, count = bytearray(cipher._iv), UINT64.unpack_from(cipher._iv, 4)[0]
        decrypt = self._aes.decrypt_into
        batches: dict[int, _Batch] = {}
        batch, run, last = None, None, -1
        filled, packets, waits = HEAD.size, 0, True
        while end - start >= 4:
            body = start + 4
            size = UINT32.unpack_from(buffer, start)[0]
            stop = body + size + TAG
            if stop > end or size > longest:
                waits = size <= longest
                break
            # Decrypted so that its data continue the last packet's, whose end makes room for the head meanwhile.
            at = filled - HEAD.size
            before = _HEADS_ROOM.unpack_from(plain, at)[0]
            UINT64.pack_into(nonce, 4, (count + packets) & COUNTS)
            try:
                decrypt(nonce, buffer[body:stop], buffer[start:body], plain[at : at + size])
                padding, kind, number, length = HEAD.unpack_from(plain, at)
            except InvalidTag:
                kind = -1
            _HEADS_ROOM.pack_into(plain, at, before)
            if kind in _KINDS and number != last:
                batch, run, last = batches.get(number) or self._begin(number), None, number
            data = length if kind == MSG_CHANNEL_DATA else 0
            if kind not in _KINDS or batch is None or data > batch.room or HEAD.size + data + padding != size:
                waits = False
                break
            batches[number] = batch
            if kind == MSG_CHANNEL_WINDOW_ADJUST:
                batch.window += length
            elif run is None:
                run = [filled, filled := filled + data]
                batch.runs.append(run)
            else:
                run[1] = filled = filled + data
            batch.room -= data
            start, packets = stop, packets + 1
        self._start = start
        cipher._iv = bytes(nonce[:4]) + ((count + packets) & COUNTS).to_bytes(8, "big")
        connection._recv_seq = (connection._recv_seq + packets) & 0xFFFFFFFF
        for batch in batches.values():
            self._deliver(batch)
        return waits

    def _deliver(self, batch: _Batch) -> None:
        """Give it to the channel, which keeps it while it is paused; else nobody does."""
        channel = batch.channel
        if batch.window and channel._recv_state in _RECEIVING:
            channel._send_window += batch.window
            channel._flush_send_buf()
        if not batch.runs:
            return
        parts = [_plain[start:stop] for start, stop in batch.runs]
        data = b"".join(parts) if len(parts) > 1 or channel._recv_paused else parts[0]
        left = channel._recv_window - len(data)
        low = left < channel._init_recv_window / 2 and not channel._recv_paused
        if low and self.outlet.allow(channel, channel._init_recv_window - left):
            channel._recv_window = channel._init_recv_window + len(data)
        channel._accept_data(data)

    def _begin(self, number: int) -> _Batch | None:
        channel = self._connection._channels.get(number)
        if channel is None or not getattr(channel._session, "by_express", False) or channel._recv_state != "open":
            return None
        return _Batch(channel, channel._recv_window)

    def _hand_over(self, count: int) -> None:
        data = bytes(self._buffer[self._start : self._start + count])
        self._start += count
        self._connection.data_received(data)
