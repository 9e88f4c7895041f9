"""What a relay's channel sends, encrypted and written at once: the sending half of `express`.

The counters stay where asyncssh has them, which sends all else through the same connection.
"""

from __future__ import annotations

import os
import time
from typing import Any

from asyncssh.constants import MSG_CHANNEL_DATA, MSG_CHANNEL_WINDOW_ADJUST
from asyncssh.encryption import GCMEncryption
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jupytui.hosts.packet import AROUND, BLOCK, HEAD, TAG, UINT32
from jupytui.hosts.sockets import write

SIZE = 2**20
LONGEST = 2**19  # of a packet's data
# A packet that is not encrypted yet, and what is not written yet: nothing, between two calls of asyncio. So one of each
# is enough for all connections.
_draft, _sealed = memoryview(bytearray(SIZE)), memoryview(bytearray(SIZE))
_NOTHING = memoryview(b"")
_SENDING = frozenset({"open", "eof_pending", "close_pending"})  # as `SSHChannel` calls it while there is data to send

NEEDED = (
    *("_transport", "_compressor", "_send_encryption", "_send_seq", "_kex_complete", "_auth_complete"),
    *("_rekey_bytes_sent", "_rekey_bytes", "_rekey_seconds", "_rekey_time"),
)


class Outlet:
    """That of one connection of asyncssh's, which has all that is `NEEDED`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._encryption: Any = None
        self._aes: Any = None

    def send(self, channel: Any, data: bytes | bytearray | memoryview) -> int:
        """Send what the channel's window allows of `data`, a MiB at the most, and return how much that was.

        That is nothing while keys are, or must be, exchanged, and when the channel is not open.
        """
        longest = min(channel._send_pktsize, LONGEST)
        sent: int = min(len(data), channel._send_window, SIZE // (longest + AROUND) * longest)
        if not sent or channel._send_state not in _SENDING or not self._may_send():
            return 0
        view, end = memoryview(data), 0
        for start in range(0, sent, longest):
            piece = view[start : min(start + longest, sent)]
            end = self._seal(MSG_CHANNEL_DATA, channel, len(piece), piece, end)
        write(self._connection._transport, _sealed[:end])
        channel._send_window -= sent
        return sent

    def allow(self, channel: Any, amount: int) -> bool:
        """Let the far side send so many bytes more; False, and nothing is sent, while keys are exchanged."""
        if not self._may_send():
            return False
        end = self._seal(MSG_CHANNEL_WINDOW_ADJUST, channel, amount, _NOTHING)
        write(self._connection._transport, _sealed[:end])
        return True

    def _may_send(self) -> bool:
        connection = self._connection
        if not (connection._transport and connection._kex_complete and connection._auth_complete):
            return False
        if connection._rekey_bytes_sent >= connection._rekey_bytes or connection._compressor:
            return False
        if connection._rekey_seconds and time.monotonic() >= connection._rekey_time:
            return False
        encryption = connection._send_encryption
        if encryption is not self._encryption:
            self._encryption = encryption
            self._aes = AESGCM(encryption._cipher._key) if isinstance(encryption, GCMEncryption) else None
        return self._aes is not None

    def _seal(self, kind: int, channel: Any, amount: int, data: memoryview, end: int = 0) -> int:
        """Append a packet for the far side's channel to the `end` bytes in `_sealed`; return where it ends."""
        connection, cipher = self._connection, self._encryption._cipher
        filled = HEAD.size + len(data)
        padding = BLOCK - filled % BLOCK
        padding += BLOCK if padding < 4 else 0
        size, body = filled + padding, end + UINT32.size
        HEAD.pack_into(_draft, 0, padding, kind, channel._send_chan, amount)
        _draft[HEAD.size : filled] = data
        _draft[filled:size] = os.urandom(padding)
        UINT32.pack_into(_sealed, end, size)
        self._aes.encrypt_into(cipher._iv, _draft[:size], _sealed[end:body], _sealed[body : body + size + TAG])
        cipher._update_iv()
        connection._send_seq = (connection._send_seq + 1) & 0xFFFFFFFF
        connection._rekey_bytes_sent += size
        return body + size + TAG
