"""What asyncio does with a socket, without a turn of its loop and a copy: for what moves hundreds of MB a second."""

from __future__ import annotations

import asyncio
import os


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
