"""What asyncio does with a socket, without a turn of its loop and a copy: for what moves hundreds of MB a second."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from contextlib import suppress

# On a way without a length worth mentioning (to a container, to this machine) the sender pays for what waits: it lies
# in MBs of buffers instead of a cache, and sshd, for which everything else waits, needs a fifth more of its processor
# (1.2 instead of 1.0 s a GB, measured). What so little carries in so short a round trip is more than anybody sends.
SHORT = 100  # microseconds of a round trip
LITTLE = 81920  # bytes; the kernel takes twice that, for what stands around them
_MIN_RTT = 148  # where the shortest round trip is in Linux's `struct tcp_info`, in microseconds


def keep_little(transport: asyncio.Transport) -> None:
    """Let no more than `LITTLE` wait in the socket if its way is short; nothing where that is not known."""
    if sys.platform != "linux":
        return
    sock = transport.get_extra_info("socket")
    with suppress(OSError, struct.error):  # no TCP, as with a ProxyCommand; an old kernel
        known = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _MIN_RTT + 4)
        if struct.unpack_from("=I", known, _MIN_RTT)[0] < SHORT:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)


def read(transport: asyncio.Transport, buffer: memoryview) -> int:
    """Read into `buffer` what is there; return how many bytes that is, 0 also at the end. Raises OSError."""
    try:
        return os.readv(transport.get_extra_info("socket").fileno(), [buffer])
    except BlockingIOError:
        return 0


def write(transport: asyncio.Transport, data: bytes | memoryview) -> None:
    """Send `data`, a view that need not last: the transport gets a copy of what the socket does not take at once."""
    sent = 0
    if not transport.get_write_buffer_size() and not transport.is_closing():
        try:
            sent = os.write(transport.get_extra_info("socket").fileno(), data)
        except OSError:  # it is full, or broken, which the transport will find, too, and report
            sent = 0
    if sent < len(data):
        transport.write(bytes(data[sent:]))
