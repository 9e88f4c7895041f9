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
import time
from typing import Any

import asyncssh
from asyncssh.channel import SSHChannel
from asyncssh.encryption import GCMEncryption
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SIZE = 2**20
READ = 2**18  # the most that is read at once: what stays within a processor's cache is decrypted faster
LONGEST = SIZE - READ  # of a packet
CHANNEL_DATA = 94  # RFC 4254
TAG = 16
BLOCK = 16
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

    def flush() -> None:
        express.send(channel)
        SSHChannel._flush_send_buf(channel)  # what the window does not allow yet, and the end

    channel._flush_send_buf = flush


class Express(asyncio.BufferedProtocol):
    """The socket's protocol instead of the connection, which hears of all but what this takes."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._buffer = memoryview(bytearray(SIZE))
        self._start = self._end = 0
        self._encryption: Any = None
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
        """Deal with one packet; False when more must come first."""
        connection, start, there = self._connection, self._start, self._end - self._start
        if connection._inpbuf or connection._recv_handler != connection._recv_pkthdr:
            return self._hand_over(there)  # asyncssh is in the middle of one, or waits for something
        if there < 4:
            return False
        length = int.from_bytes(self._buffer[start : start + 4], "big")
        whole = 4 + length + TAG
        if length > connection._max_recv_pktlen or whole > LONGEST or not self._same_cipher():
            return self._hand_over(there)
        if there < whole:
            return False
        packet = self._decrypted(start, whole)
        if packet is None or not self._delivered(packet):
            return self._hand_over(whole)
        self._start += whole
        return True

    def _same_cipher(self) -> bool:
        encryption = self._connection._recv_encryption
        if encryption is not self._encryption:
            if not isinstance(encryption, GCMEncryption) or self._connection._decompressor:
                return False
            cipher: Any = encryption._cipher
            self._encryption, self._aes = encryption, AESGCM(cipher._key)
        return True

    def _decrypted(self, start: int, whole: int) -> bytes | None:
        assert self._aes
        body = start + 4
        try:
            return self._aes.decrypt(
                self._encryption._cipher._iv, self._buffer[body : start + whole], self._buffer[start:body]
            )
        except InvalidTag:
            return None

    def _delivered(self, packet: bytes) -> bool:
        """Give a packet of data to its relay; False, and nothing is changed, for anything else."""
        if packet[1] != CHANNEL_DATA:
            return False
        connection = self._connection
        channel = connection._channels.get(int.from_bytes(packet[2:6], "big"))
        length = int.from_bytes(packet[6:10], "big")
        if channel is None or not getattr(channel._session, "by_express", False) or channel._recv_state != "open":
            return False
        if length > channel._recv_window or 10 + length + packet[0] != len(packet):
            return False
        self._encryption._cipher._update_iv()
        connection._recv_seq = (connection._recv_seq + 1) & 0xFFFFFFFF
        channel._accept_data(memoryview(packet)[10 : 10 + length])
        return True

    def send(self, channel: Any) -> None:
        """Send what waits in `channel` as far as its window allows; nothing while keys are, or must be, exchanged."""
        connection = self._connection
        packets: list[bytes] = []
        while channel._send_buf and channel._send_window and self._may_send():
            waiting, datatype = channel._send_buf[0]
            if datatype is not None:
                break
            size = min(channel._send_window, channel._send_pktsize, len(waiting))
            packets += self._sealed(channel._send_chan, waiting[:size])
            del waiting[:size]
            if not waiting:
                del channel._send_buf[0]
            channel._send_buf_len -= size
            channel._send_window -= size
        if packets:
            connection._transport.writelines(packets)

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

    def _sealed(self, number: int, data: bytes) -> tuple[bytes, bytes]:
        """Return a packet of data for the far side's channel `number`: its length, and the rest (RFC 4253, 5647)."""
        connection, (encryption, aes) = self._connection, self._sending
        assert aes
        padding = BLOCK - (10 + len(data)) % BLOCK
        padding += BLOCK if padding < 4 else 0
        head = bytes((padding, CHANNEL_DATA)) + number.to_bytes(4, "big") + len(data).to_bytes(4, "big")
        plain = b"".join((head, data, os.urandom(padding)))
        length = len(plain).to_bytes(4, "big")
        sealed = aes.encrypt(encryption._cipher._iv, plain, length)
        encryption._cipher._update_iv()
        connection._send_seq = (connection._send_seq + 1) & 0xFFFFFFFF
        connection._rekey_bytes_sent += len(plain)
        return length, sealed

    def _hand_over(self, count: int) -> bool:
        data = bytes(self._buffer[self._start : self._start + count])
        self._start += count
        self._connection.data_received(data)
        return True
