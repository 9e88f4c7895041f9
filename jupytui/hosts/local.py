"""This machine."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

from jupytui.hosts.base import Process, Stream
from jupytui.hosts.buffer import Tail
from jupytui.hosts.command import CommandHost


class LocalHost(CommandHost):
    """Commands, files and connections on the machine we run on; always connected."""

    def __init__(self, name: str = "local") -> None:
        super().__init__(name)
        self._processes: set[LocalProcess] = set()

    @property
    def address(self) -> str:
        """`local`."""
        return "local"

    @property
    def connected(self) -> bool:
        """True."""
        return True

    async def connect(self) -> None:
        """Return at once."""

    async def spawn(self, command: str) -> Process:
        """Start `command` in /bin/sh, in a session of its own as sshd does."""
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
        process = LocalProcess(child)
        self._processes.add(process)
        process.reaper.add_done_callback(lambda _: self._processes.discard(process))
        return process

    async def open_tcp(self, host: str, port: int) -> Stream:
        """Connect to a TCP port. Raises ConnectionRefusedError or OSError."""
        return LocalStream(*await asyncio.open_connection(host, port))

    async def open_unix(self, path: str) -> Stream:
        """Connect to a unix socket. Raises OSError."""
        return LocalStream(*await asyncio.open_unix_connection(path))

    async def close(self) -> None:
        """End everything that was started here."""
        await super().close()
        for process in list(self._processes):
            await process.close()


class LocalStream:
    """A connection on this machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self, max_bytes: int = 65536) -> bytes:
        """Return the next bytes, b"" at the end."""
        return await self._reader.read(max_bytes)

    async def write(self, data: bytes) -> None:
        """Send `data`. Raises OSError."""
        if self._writer.is_closing():
            raise BrokenPipeError("closed")
        self._writer.write(data)
        await self._writer.drain()

    async def write_eof(self) -> None:
        """Say that nothing more will be sent."""
        if self._writer.can_write_eof():
            self._writer.write_eof()

    async def close(self) -> None:
        """End it in both directions."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


class LocalProcess:
    """A child in its own process group; its stderr is drained as it comes."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdin and child.stdout and child.stderr
        self._child = child
        self._stdin, self._stdout = child.stdin, child.stdout
        self._errors = Tail()
        self.reaper = asyncio.create_task(self._reap(child.stderr))

    async def _reap(self, stderr: asyncio.StreamReader) -> None:
        while data := await stderr.read(65536):
            self._errors.feed(data)
        await self._child.wait()

    @property
    def stderr(self) -> bytes:
        """The last 64 KiB of stderr so far."""
        return bytes(self._errors)

    async def read(self, max_bytes: int = 65536) -> bytes:
        """Return the next bytes of stdout, b"" at the end."""
        return await self._stdout.read(max_bytes)

    async def write(self, data: bytes) -> None:
        """Send `data` to its stdin. Raises OSError when it is gone."""
        if self._stdin.is_closing():
            raise BrokenPipeError("its stdin is closed")
        self._stdin.write(data)
        await self._stdin.drain()

    async def write_eof(self) -> None:
        """Close its stdin."""
        self._stdin.close()

    async def wait(self) -> int | None:
        """Wait for its end and for the last of its stderr; the exit status, negative for a signal."""
        await asyncio.shield(self.reaper)
        return await self._child.wait()

    async def close(self) -> None:
        """Close its pipes and end what is left of its group."""
        self._stdin.transport.abort()
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        await self._child.wait()
        self.reaper.cancel()
        await asyncio.wait([self.reaper])
        with suppress(OSError):
            await self._stdin.wait_closed()
        # The child's pipes may still be held by what it left running; asyncio offers no other way to let go of them.
        self._child._transport.close()  # type: ignore[attr-defined]
