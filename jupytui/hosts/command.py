"""What any machine can do once it can start one command and open connections: run, stream, read, write, shell."""

from __future__ import annotations

import asyncio
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from jupytui.errors import CommandError, DeadlineError
from jupytui.hosts import files, script
from jupytui.hosts.base import Finished, HostState, HostTrouble, Process, Shell, Stream
from jupytui.hosts.process import END_GRACE, ScriptProcess
from jupytui.hosts.resident import ResidentShell
from jupytui.text import clean


class CommandHost(ABC):
    """A machine on which commands can be started; see `base.Host` for what each method promises."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._shell: ResidentShell | None = None
        self._shell_lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """The name the user gave it."""
        return self._name

    @property
    @abstractmethod
    def connected(self) -> bool:
        """Whether a connection is up."""

    @abstractmethod
    async def connect(self) -> None:
        """Be connected."""

    @abstractmethod
    async def spawn(self, command: str) -> Process:
        """Start `command` in the login shell. Raises HostTrouble."""

    @abstractmethod
    async def open_tcp(self, host: str, port: int) -> Stream:
        """Connect, on the far side, to a TCP port. Raises ConnectionRefusedError or OSError."""

    @abstractmethod
    async def open_unix(self, path: str) -> Stream:
        """Connect, on the far side, to a unix socket. Raises OSError."""

    async def run(
        self, script: str, *args: str, stdin: bytes = b"", deadline: float = 30.0, max_output: int = 16 * 2**20
    ) -> Finished:
        """Run sh source `script` with `args` as $1, $2 …; see `base.Host.run`."""
        try:
            async with asyncio.timeout(deadline):
                return await self._run(script, args, stdin, max_output)
        except TimeoutError:
            raise DeadlineError(
                f"A command on {self.name} took longer than {deadline:g} s and was ended.", detail=clean(script)
            ) from None

    async def _run(self, source: str, args: tuple[str, ...], stdin: bytes, max_output: int) -> Finished:
        nonce = secrets.token_hex(16)
        async with self._spawned(nonce, script.once(source, args, stdin, nonce)) as process:
            stdout = await self._collect(process, max_output, source)
            status = await process.wait()
            if status is None:
                raise self.lost()
            return Finished(status, stdout, process.stderr)

    async def _collect(self, process: Process, max_output: int, source: str) -> bytes:
        chunks, size = [], 0
        while data := await process.read():
            chunks.append(data)
            size += len(data)
            if size > max_output:
                raise CommandError(
                    f"A command on {self.name} printed more than {max_output} bytes and was ended.",
                    detail=clean(source),
                )
        return b"".join(chunks)

    @asynccontextmanager
    async def stream(self, source: str, *args: str) -> AsyncIterator[Process]:
        """Run `source` for as long as the context is held; leaving it ends the whole process group."""
        nonce = secrets.token_hex(16)
        async with self._spawned(nonce, script.streamed(source, args, nonce)) as process:
            yield process

    @asynccontextmanager
    async def _spawned(self, nonce: str, first: bytes) -> AsyncIterator[ScriptProcess]:
        process = ScriptProcess(await self.spawn(script.COMMAND), nonce)
        feeding = asyncio.create_task(_feed(process.raw, first))
        try:
            if not await process.begin():
                raise await self.no_shell(process.raw, process.said)
            yield process
        finally:
            feeding.cancel()
            # However often the caller is cancelled: what was started is ended.
            await asyncio.shield(self._keep(process.close()))

    async def no_shell(self, process: Process, said: bytes) -> HostTrouble:
        """Return what to raise when the login shell ended without running anything, having `said` something."""
        if await process.wait() is None:
            return self.lost()
        words = clean(said, 500).strip()
        return HostTrouble(
            HostState.NO_SHELL,
            f"{self.name} let us in, but runs no commands for this user.",
            f"It says: {words}" if words else "Its login shell ends at once (nologin, /bin/false).",
            detail=words,
        )

    async def read(self, path: str, max_bytes: int = 4 * 2**20) -> bytes:
        """Return a file's bytes; see `base.Host.read`."""
        done = await self.run(files.READ, path, str(max_bytes + 1), max_output=max_bytes + 2)
        if done.status:
            raise files.read_error(self.name, path, done.stderr)
        if len(done.stdout) > max_bytes:
            raise CommandError(f"{path} on {self.name} is longer than {max_bytes} bytes.")
        return done.stdout

    async def write(self, path: str, data: bytes, mode: int = 0o600) -> None:
        """Replace a file atomically; see `base.Host.write`."""
        done = await self.run(files.WRITE, *files.write_args(path, len(data), mode), stdin=data, deadline=120)
        if done.status:
            raise files.write_error(self.name, path, done.stderr)

    async def shell(self) -> Shell:
        """Return the resident shell of the current connection; starts it if needed. Raises HostTrouble."""
        async with self._shell_lock:
            if self._shell is None or self._shell.closed:
                await self.connect()
                self._shell = ResidentShell(self, await self.spawn(script.RESIDENT))
            return self._shell

    async def close(self) -> None:
        """End the resident shell and wait for what is still being ended."""
        if self._shell:
            await self._shell.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=END_GRACE)

    async def end_group(self, pgid: int) -> None:
        """End a process group that we started and that does not listen any more; best effort."""
        with suppress(HostTrouble, CommandError, DeadlineError, OSError):
            await self.run(script.END_GROUP, str(pgid), deadline=END_GRACE)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` without waiting for it; `close` does."""
        self._keep(work)

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def lost(self) -> HostTrouble:
        """Return what to raise when the connection went away in the middle of something."""
        return HostTrouble(HostState.DOWN, f"The connection to {self.name} was lost.", "It is being tried again.")


async def _feed(process: Process, data: bytes) -> None:
    with suppress(OSError):  # it ended without reading all of its stdin, as it may
        await process.write(data)
