"""Connected while asyncssh is still being imported, so that the first servers get ready meanwhile."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jupytui.hosts import reach
from jupytui.hosts.ssh_config import Resolved

# A default sshd holds ten connections that have not logged in (MaxStartups); these are all of one program.
AT_ONCE = 8


class HeadStart:
    """A connection under way to one host, for whoever takes it first."""

    def __init__(self, hop: Resolved) -> None:
        self._connecting: asyncio.Task[socket.socket] | None = asyncio.create_task(reach.connect(hop))

    async def take(self) -> socket.socket | None:
        """Return the connected socket, None when it was taken before. Raises OSError, as `reach.connect` does."""
        connecting = self._connecting
        if not connecting:
            return None
        await asyncio.wait([connecting])  # whoever is cancelled here has not taken it
        self._connecting = None
        return connecting.result()

    async def give_up(self) -> None:
        """Close what nobody took."""
        if connecting := self._connecting:
            reach.discard(connecting)
            await asyncio.wait([connecting])


class HeadStarts:
    """Those of all hosts."""

    def __init__(self) -> None:
        self._free = AT_ONCE

    @asynccontextmanager
    async def one(self, hop: Resolved) -> AsyncIterator[HeadStart | None]:
        """Connect to `hop` for as long as the context is held; None where others are about, or it is reached else."""
        if not self._free or hop.jumps or hop.proxy_command:
            yield None
            return
        self._free -= 1
        start = HeadStart(hop)
        try:
            yield start
        finally:
            self._free += 1
            await start.give_up()
