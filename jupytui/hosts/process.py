"""A command whose output begins at a marker, because the far login shell's startup files may print before it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from jupytui.hosts import script
from jupytui.hosts.base import Process

END_GRACE = 4.0  # seconds for a process group to end: TERM, two seconds, KILL, and the way there and back
_KEPT = 4096  # bytes of what came before a marker: the words of a host that runs no commands


class Reader:
    """Reads a process up to markers. `seen` is the last of what came before the marker that was not found."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._ahead = b""
        self.seen = b""

    async def read(self, max_bytes: int = 65536) -> bytes:
        """Return the next bytes, b"" at the end."""
        if not self._ahead:
            return await self._process.read(max_bytes)
        data, self._ahead = self._ahead[:max_bytes], self._ahead[max_bytes:]
        return data

    async def skip(self, marker: bytes) -> bool:
        """Drop everything up to and with `marker`; False when the stream ended without it."""
        kept = b""
        while data := await self.read():
            kept += data
            _, found, after = kept.partition(marker)
            if found:
                self._ahead = after + self._ahead
                return True
            kept = kept[-max(_KEPT, len(marker)) :]
        self.seen = kept
        return False

    async def until(self, marker: bytes, limit: int) -> bytes | None:
        """Return what comes before `marker`; None when the stream ended without it. Raises OverflowError."""
        answer = bytearray()
        while data := await self.read():
            start = max(0, len(answer) - len(marker))
            answer += data
            if (found := answer.find(marker, start)) >= 0:
                self._ahead = bytes(answer[found + len(marker) :]) + self._ahead
                return bytes(answer[:found])
            if len(answer) > limit:
                raise OverflowError(limit)
        return None


class ScriptProcess:
    """A script under `script.COMMAND`: `base.Process` without what startup files said, its stdin in frames."""

    def __init__(self, process: Process, nonce: str) -> None:
        self.raw = process
        self._reader = Reader(process)
        self._marker = script.marker(nonce)

    async def begin(self) -> bool:
        """Wait until the script runs; False when the login shell ended without running it (see `said`)."""
        return await self._reader.skip(self._marker)

    @property
    def said(self) -> bytes:
        """What came instead of the script's output."""
        return self._reader.seen + self.raw.stderr

    @property
    def stderr(self) -> bytes:
        """The last 64 KiB of stderr so far."""
        before, found, after = self.raw.stderr.partition(self._marker)
        return after if found else before

    async def read(self, max_bytes: int = 65536) -> bytes:
        """Return the next bytes of stdout, b"" at the end."""
        return await self._reader.read(max_bytes)

    async def write(self, data: bytes) -> None:
        """Send `data` to its stdin. Raises OSError when it is gone."""
        if data:
            await self.raw.write(script.frame(data))

    async def write_eof(self) -> None:
        """End its stdin; it goes on."""
        await self.raw.write(script.frame(b""))

    async def wait(self) -> int | None:
        """Wait for its end; None when the connection was lost."""
        return await self.raw.wait()

    async def close(self) -> None:
        """End its whole process group: the end of the channel's stdin tells it to, and it answers by ending."""
        with suppress(OSError):  # TimeoutError is one
            async with asyncio.timeout(END_GRACE):
                await self.raw.write_eof()
                while await self.raw.read():
                    pass
                await self.raw.wait()
        await self.raw.close()
