"""A faster way for a tunnel's bytes: from the socket to a channel's `Relay` with one copy, the decryption, and back.

asyncssh copies what it receives eight times and sets its cipher up anew for each packet; at 500 MB/s a processor is
full. `Express` takes its place as the socket's protocol, reads into one buffer and decrypts from there. Only whole
packets of data for a relay's channel go its way. Everything else, and every doubt, is handed to asyncssh as it came,
before anything was changed: a packet with a wrong tag, a new cipher, another kind of channel. What a relay's channel
sends is encrypted packet by packet and written at once, without asyncssh's empty packet before each. Both sides keep
the counters where asyncssh has them. Where asyncssh is not built as expected, nothing is done (`board` returns False),
and a tunnel is slower by half.
"""

from __future__ import annotations

import asyncio
import os
import struct
import time
from dataclasses import dataclass, field
from typing import Any

import asyncssh
from asyncssh.channel import SSHChannel
from asyncssh.constants import MSG_CHANNEL_WINDOW_ADJUST
from asyncssh.encryption import GCMEncryption
from asyncssh.packet import UInt32
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SIZE = 2**20
READ = 2**18  # the most that is read at once: what stays within a processor's cache is decrypted faster
LONGEST = SIZE - READ - 64  # of a packet, without what stands around it
CHANNEL_DATA = 94  # RFC 4254
TAG = 16
BLOCK = 16
_COUNTS = 2**64 - 1  # of packets, in a nonce (RFC 5647)
# What was decrypted and not delivered yet: nothing, between two calls of asyncio. So one is enough for all connections.
_plain = memoryview(bytearray(SIZE))

_HEAD = struct.Struct(">BBII")  # of a packet of data: padding, kind, channel, bytes (RFC 4253, 4254)
_AROUND = 4 + _HEAD.size + 2 * BLOCK + TAG  # bytes that a packet has around its data, at the most
_SENDING = frozenset({"open", "eof_pending", "close_pending"})  # as `SSHChannel` calls it while there is data to send
BEAT = 1.0  # seconds between two signs of life for keepalive's clock

_NEEDED = (
    *("_transport", "_inpbuf", "_recv_handler", "_recv_pkthdr", "_recv_encryption", "_recv_seq", "_channels"),
    *("_decompressor", "_max_recv_pktlen", "_compressor", "_send_encryption", "_send_seq", "_kex_complete"),
    *("_rekey_bytes_sent", "_rekey_bytes", "_rekey_seconds", "_rekey_time", "_auth_complete"),
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
    transport.set_protocol(Express(inner))
    return True


def hasten(channel: Any) -> None:
    """Have what `channel` sends go the faster way, if its connection is on it."""
    transport = getattr(channel.get_connection(), "_transport", None)
    express = transport.get_protocol() if isinstance(transport, asyncio.Transport) else None
    if not isinstance(express, Express):
        return

    def write(data: bytes | memoryview, datatype: int | None = None) -> None:
        sent = 0 if channel._send_buf or datatype is not None else express.send(channel, data)
        if sent < len(data):
            SSHChannel.write(channel, data[sent:], datatype)

    def flush() -> None:
        while channel._send_buf and channel._send_buf[0][1] is None:
            waiting = channel._send_buf[0][0]
            sent = express.send(channel, bytes(waiting[: channel._send_window]))
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
    """Data for one relay's channel; `room` is what its window allows beyond that."""

    channel: Any
    room: int
    parts: list[memoryview] = field(default_factory=list)


class Express(asyncio.BufferedProtocol):
    """The socket's protocol instead of the connection, which hears of all but what this takes."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._buffer = memoryview(bytearray(SIZE))
        self._start = self._end = 0
        self._encryption: Any = None
        self._cipher: Any = None
        self._aes: AESGCM | None = None
        self._sending: tuple[Any, AESGCM | None] = (None, None)
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
        """Called by asyncio: so much was read."""
        self._end += nbytes
        if self._connection._transport and self._now() - self._beat > BEAT:
            self._beat = self._now()
            self._connection._reset_keepalive_timer()
        while self._start < self._end and self._connection._transport and self._next():
            pass

    def _next(self) -> bool:
        """Deal with the packets of data that come next, or with the one that is none; False when more must come."""
        connection, start, there = self._connection, self._start, self._end - self._start
        if connection._inpbuf or connection._recv_handler != connection._recv_pkthdr:
            return self._hand_over(there)  # asyncssh is in the middle of one, or waits for something
        if there < 4:
            return False
        length = int.from_bytes(self._buffer[start : start + 4], "big")
        if length > min(connection._max_recv_pktlen, LONGEST) or not self._same_cipher():
            return self._hand_over(there)
        if there < 4 + length + TAG:
            return False
        return self._take() or self._hand_over(4 + length + TAG)

    def _same_cipher(self) -> bool:
        encryption = self._connection._recv_encryption
        if encryption is not self._encryption:
            if not isinstance(encryption, GCMEncryption) or self._connection._decompressor:
                return False
            self._encryption, self._cipher = encryption, encryption._cipher
            self._aes = AESGCM(self._cipher._key)
        return True

    def _take(self) -> bool:
        """Give relays what the next packets hold for them; False, and nothing is changed, when the first holds nothing.

        All that was read for one channel is delivered at once, so that the work of a packet is done once for many.
        """
        assert self._aes
        buffer, start, longest = self._buffer, self._start, min(self._connection._max_recv_pktlen, LONGEST)
        decrypt, fixed, count = (
            self._aes.decrypt_into,
            self._cipher._iv[:4],
            int.from_bytes(self._cipher._iv[4:], "big"),
        )
        batches: dict[int, _Batch] = {}
        filled = packets = 0
        while self._end - start >= 4:
            body = start + 4
            size = int.from_bytes(buffer[start:body], "big")
            stop = body + size + TAG
            if stop > self._end or size > longest:
                break
            nonce = fixed + ((count + packets) & _COUNTS).to_bytes(8, "big")
            try:
                decrypt(nonce, buffer[body:stop], buffer[start:body], _plain[filled : filled + size])
            except InvalidTag:
                break
            padding, kind, number, length = _HEAD.unpack_from(_plain, filled)
            if kind != CHANNEL_DATA or _HEAD.size + length + padding != size:
                break
            batch = batches.get(number) or self._begin(number)
            if batch is None or length > batch.room:
                break
            batch.room -= length
            batch.parts.append(_plain[filled + _HEAD.size : filled + _HEAD.size + length])
            batches[number] = batch
            start, filled, packets = stop, filled + size, packets + 1
        if not packets:
            return False
        self._start = start
        self._cipher._iv = fixed + ((count + packets) & _COUNTS).to_bytes(8, "big")
        self._connection._recv_seq = (self._connection._recv_seq + packets) & 0xFFFFFFFF
        for batch in batches.values():
            batch.channel._accept_data(b"".join(batch.parts))
        return True

    def _begin(self, number: int) -> _Batch | None:
        channel = self._connection._channels.get(number)
        if channel is None or not getattr(channel._session, "by_express", False) or channel._recv_state != "open":
            return None
        return _Batch(channel, channel._recv_window)

    def send(self, channel: Any, data: bytes | memoryview) -> int:
        """Send what the channel's window allows of `data`, and return how much that was.

        That is nothing while keys are, or must be, exchanged, and when the channel is not open.
        """
        sent: int = min(len(data), channel._send_window)
        if not sent or channel._send_state not in _SENDING or not self._may_send():
            return 0
        self._connection._transport.write(self._sealed(channel, memoryview(data)[:sent]))
        channel._send_window -= sent
        return sent

    def _may_send(self) -> bool:
        connection = self._connection
        if not (connection._transport and connection._kex_complete and connection._auth_complete):
            return False
        if connection._rekey_bytes_sent >= connection._rekey_bytes or connection._compressor:
            return False
        if connection._rekey_seconds and time.monotonic() >= connection._rekey_time:
            return False
        encryption = connection._send_encryption
        if encryption is not self._sending[0]:
            aes = AESGCM(encryption._cipher._key) if isinstance(encryption, GCMEncryption) else None
            self._sending = (encryption, aes)
        return self._sending[1] is not None

    def _sealed(self, channel: Any, data: memoryview) -> memoryview:
        """Return `data` in packets for the far side's channel (RFC 4253, 4254, 5647)."""
        connection, (encryption, aes) = self._connection, self._sending
        cipher, longest = encryption._cipher, channel._send_pktsize
        assert aes
        out = memoryview(bytearray(len(data) + (len(data) // longest + 1) * _AROUND))
        end = 0
        for start in range(0, len(data), longest):
            piece = data[start : start + longest]
            padding = BLOCK - (10 + len(piece)) % BLOCK
            padding += BLOCK if padding < 4 else 0
            head = _HEAD.pack(padding, CHANNEL_DATA, channel._send_chan, len(piece))
            plain = b"".join((head, piece, os.urandom(padding)))
            size, body, end = out[end : end + 4], end + 4, end + 4 + len(plain) + TAG
            size[:] = len(plain).to_bytes(4, "big")
            aes.encrypt_into(cipher._iv, plain, size, out[body:end])
            cipher._update_iv()
            connection._send_seq = (connection._send_seq + 1) & 0xFFFFFFFF
            connection._rekey_bytes_sent += len(plain)
        return out[:end]

    def _hand_over(self, count: int) -> bool:
        data = bytes(self._buffer[self._start : self._start + count])
        self._start += count
        self._connection.data_received(data)
        return True
