"""This machine."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from weakref import WeakSet

from jupytui.hosts.base import Accept, Listener, Process, Stream
from jupytui.hosts.buffer import Inbox, Tail, Valve
from jupytui.hosts.command import CommandHost


class LocalHost(CommandHost):
    """Commands, files and connections on the machine we run on; always connected."""

    def __init__(self, name: str = "local") -> None:
        super().__init__(name)
        self._processes: WeakSet[LocalProcess] = WeakSet()

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
        loop = asyncio.get_running_loop()
        _, process = await loop.subprocess_exec(LocalProcess, "/bin/sh", "-c", command, start_new_session=True)
        self._processes.add(process)
        return process

    async def open_tcp(self, host: str, port: int) -> Stream:
        """Connect to a TCP port. Raises ConnectionRefusedError or OSError."""
        return LocalStream(*await asyncio.open_connection(host, port))

    async def open_unix(self, path: str) -> Stream:
        """Connect to a unix socket. Raises OSError."""
        return LocalStream(*await asyncio.open_unix_connection(path))

    async def attach_tcp(self, protocol: asyncio.Protocol, host: str, port: int) -> None:
        """Connect `protocol` to a TCP port. Raises ConnectionRefusedError or OSError."""
        await asyncio.get_running_loop().create_connection(lambda: protocol, host, port)

    async def attach_unix(self, protocol: asyncio.Protocol, path: str) -> None:
        """Connect `protocol` to a unix socket. Raises OSError."""
        await asyncio.get_running_loop().create_unix_connection(lambda: protocol, path)

    async def listen_tcp(self, accept: Accept, host: str, port: int) -> Listener:
        """Raise OSError: here, a tunnel's own socket listens."""
        raise OSError("a tunnel from this machine to itself listens by itself")

    async def listen_unix(self, accept: Accept, path: str) -> Listener:
        """Raise OSError, as above."""
        raise OSError("a tunnel from this machine to itself listens by itself")

    async def wait_lost(self) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()

    def drop(self) -> None:
        """Do nothing."""

    async def knock(self, deadline: float = 1.0) -> bool | None:
        """True."""
        return True

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


class LocalProcess(asyncio.SubprocessProtocol):
    """A child in its own process group, driven by callbacks as an SSH channel is."""

    def __init__(self) -> None:
        self._inbox = Inbox()
        self._errors = Tail()
        self._valve = Valve()
        self._transport: asyncio.SubprocessTransport | None = None
        self._exited = asyncio.Event()  # the process itself
        self._gone = asyncio.Event()  # and its pipes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport
        self._inbox = Inbox(self._pause_reading, self._resume_reading)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Called by asyncio."""
        (self._inbox if fd == 1 else self._errors).feed(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Called by asyncio."""
        if fd == 0:
            self._valve.fail(BrokenPipeError("its stdin is closed"))
        elif fd == 1:
            self._inbox.end()

    def pause_writing(self) -> None:
        """Called by asyncio."""
        self._valve.pause()

    def resume_writing(self) -> None:
        """Called by asyncio."""
        self._valve.resume()

    def process_exited(self) -> None:
        """Called by asyncio."""
        self._exited.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio, when the process and all its pipes are done with."""
        self._inbox.end()
        self._gone.set()

    @property
    def _stdout(self) -> asyncio.ReadTransport:
        assert self._transport
        stdout = self._transport.get_pipe_transport(1)
        assert isinstance(stdout, asyncio.ReadTransport)
        return stdout

    # What was read before a pipe closed is delivered after it, and a closed pipe cannot be paused.
    def _pause_reading(self) -> None:
        if not self._stdout.is_closing():
            self._stdout.pause_reading()

    def _resume_reading(self) -> None:
        if not self._stdout.is_closing():
            self._stdout.resume_reading()

    @property
    def _stdin(self) -> asyncio.WriteTransport:
        assert self._transport
        stdin = self._transport.get_pipe_transport(0)
        assert isinstance(stdin, asyncio.WriteTransport)
        return stdin

    @property
    def stderr(self) -> bytes:
        """The last 64 KiB of stderr so far."""
        return bytes(self._errors)

    async def read(self, max_bytes: int = 65536) -> bytes:
        """Return the next bytes of stdout, b"" at the end."""
        return await self._inbox.read(max_bytes)

    async def write(self, data: bytes) -> None:
        """Send `data` to its stdin. Raises OSError when it is gone."""
        self._valve.check()
        self._stdin.write(data)
        await self._valve.wait()

    async def write_eof(self) -> None:
        """Close its stdin."""
        self._stdin.close()

    async def wait(self) -> int | None:
        """Wait for its end and for the last of its output; the exit status, negative for a signal."""
        await self._gone.wait()
        assert self._transport
        return self._transport.get_returncode()

    async def close(self) -> None:
        """End what is left of its group, and close its pipes whoever else holds them."""
        assert self._transport
        if self._stdin.get_write_buffer_size():
            self._stdin.abort()  # it would wait until somebody has read the rest
        if not self._exited.is_set():
            with suppress(ProcessLookupError):
                os.killpg(self._transport.get_pid(), signal.SIGKILL)
            await self._exited.wait()
        self._transport.close()
        await self._gone.wait()
