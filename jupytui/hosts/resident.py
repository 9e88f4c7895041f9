"""The resident shell: one /bin/sh per connection that answers question after question on its stdin.

The far login shell's startup files cost more than anything else we do there (90 ms of CPU with pyenv, measured), so
they run once per connection and not once per look.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from jupytui.errors import CommandError, DeadlineError
from jupytui.hosts.base import HostState, HostTrouble, Process
from jupytui.hosts.process import Reader

if TYPE_CHECKING:
    from jupytui.hosts.command import CommandHost

MAX_ANSWER = 16 * 2**20
START_DEADLINE = 20.0  # seconds: startup files may be slow, but somebody is waiting


class ResidentShell:
    """See `base.Shell`. Whatever comes before our first marker is startup files talking, and is dropped.

    Whether a shell is there at all turns out with the first question, which is sent along with our greeting: on a slow
    link each round trip counts.
    """

    def __init__(self, host: CommandHost, process: Process) -> None:
        self._host = host
        self._process = process
        self._reader = Reader(process)
        self._turn = asyncio.Lock()
        self._pgid = 0
        self.closed = False

    async def ask(self, script: bytes, deadline: float = 10.0) -> bytes:
        """Run `script` in the shell and return what it printed on stdout; see `base.Shell.ask`.

        The first time also: raises HostTrouble, NO_SHELL or DOWN.
        """
        async with self._turn:
            if self.closed:
                raise self._host.lost()
            try:
                return await self._answer(script, deadline)
            except TimeoutError:
                self._abandon()
                raise DeadlineError(f"{self._host.name} did not answer within {deadline:g} s.") from None
            except BaseException:
                self._abandon()
                raise

    async def _answer(self, script: bytes, deadline: float) -> bytes:
        nonce, greeting = secrets.token_hex(16).encode(), secrets.token_hex(16).encode()
        # The shell reads the whole group before it runs any of it, and the script cannot eat our next question.
        question = b"{ " + script + b"\n} </dev/null\nprintf '\\n%s\\n' " + nonce + b"\n"
        if not self._pgid:
            await self._send(b"printf '\\n%s ' " + greeting + b"; printf '%s\\n' \"$$\"\n" + question)
            await self._begin(greeting)
        else:
            await self._send(question)
        async with asyncio.timeout(deadline):
            try:
                answer = await self._reader.until(b"\n" + nonce + b"\n", MAX_ANSWER)
            except OverflowError:
                raise CommandError(f"{self._host.name} answered with more than {MAX_ANSWER >> 20} MiB.") from None
        if answer is None:
            raise self._host.lost()
        return answer

    async def _begin(self, greeting: bytes) -> None:
        """Wait for the shell to run. Raises HostTrouble."""
        try:
            async with asyncio.timeout(START_DEADLINE):
                if not await self._reader.skip(b"\n" + greeting + b" "):
                    raise await self._host.no_shell(self._process, self._reader.seen + self._process.stderr)
                self._pgid = int(await self._reader.until(b"\n", 32) or 0)
        except TimeoutError:
            raise HostTrouble(
                HostState.DOWN, f"{self._host.name} let us in, but no shell answered for {START_DEADLINE:g} s."
            ) from None

    async def _send(self, question: bytes) -> None:
        with suppress(OSError):  # the answer's end tells
            await self._process.write(question)

    def _abandon(self) -> None:
        """Close without waiting. What the shell was running does not read stdin and would go on: end it, too."""
        self.closed = True
        self._host.later(self._end())

    async def _end(self) -> None:
        if self._pgid and self._host.connected:
            await self._host.end_group(self._pgid)
        await self._process.close()

    async def close(self) -> None:
        """End the shell; it ends with its stdin."""
        self.closed = True
        await self._process.close()
