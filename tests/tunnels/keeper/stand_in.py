"""A stand-in for the Switchboard: it carries to addresses of this machine, and asks a passphrase where told to."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from jupytui.errors import JupytuiError
from jupytui.hosts.base import Host, Prompter, SecretKind, SecretPrompt
from jupytui.tunnels.listen import listen, where
from jupytui.tunnels.models import Address, Status, Trouble, Tunnel, TunnelState
from jupytui.tunnels.switchboard import Switchboard

LOCKED = "locked"  # tunnels to the host of this name ask for a passphrase
PASSPHRASE = "open sesame"


class StandInBoard(Switchboard):
    def __init__(
        self, open_host: Callable[[str, Prompter], Host], prompter: Prompter, changed: Callable[[Status], None]
    ) -> None:
        self._open_host, self._prompter, self._tell = open_host, prompter, changed
        self._statuses: dict[str, Status] = {}
        self._servers: dict[str, asyncio.Server] = {}
        self._sockets: dict[str, socket.socket] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    def statuses(self) -> Sequence[Status]:
        return tuple(self._statuses.values())

    async def add(self, tunnel: Tunnel, listening: socket.socket | None = None) -> Status:
        self._open_host(tunnel.host, self._prompter)
        self._statuses[tunnel.name] = Status(tunnel, TunnelState.DOWN, time.time())
        try:
            await self._listen(tunnel, listening)
        except OSError as error:
            del self._statuses[tunnel.name]
            raise JupytuiError(f"Port {tunnel.local} is taken.", detail=str(error)) from None
        return self._statuses[tunnel.name]

    async def _listen(self, tunnel: Tunnel, listening: socket.socket | None) -> None:
        local, to = tunnel.local or Address("127.0.0.1"), tunnel.to
        assert to

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            far_reader, far_writer = await asyncio.open_connection(to.host, to.port)
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer), return_exceptions=True)
            writer.close()
            far_writer.close()

        listening = listening or (listen(local) if local.path else socket.create_server((local.host, local.port)))
        self._sockets[tunnel.name] = listening
        start = asyncio.start_unix_server if local.path else asyncio.start_server
        self._servers[tunnel.name] = await start(carry, sock=listening)
        self._put(tunnel.name, local=where(listening), state=TunnelState.UP)
        if tunnel.host == LOCKED:
            self._put(tunnel.name, state=TunnelState.ASKING)
            self._asking[tunnel.name] = asyncio.create_task(self._ask(tunnel))

    async def _ask(self, tunnel: Tunnel) -> None:
        answer = await self._prompter.secret(SecretPrompt(tunnel.host, SecretKind.PASSPHRASE, "Passphrase of a key"))
        if answer is None:
            return
        right = answer.reveal() == PASSPHRASE
        wrong = None if right else Trouble("That was refused.")
        self._put(tunnel.name, state=TunnelState.UP if right else TunnelState.FAILED, error=wrong)

    async def up(self, name: str) -> None:
        if self._statuses[name].state is TunnelState.DOWN:
            await self._listen(self._statuses[name].tunnel, None)

    async def down(self, name: str) -> None:
        self._servers.pop(name).close()
        if task := self._asking.pop(name, None):
            task.cancel()
        self._put(name, state=TunnelState.DOWN, local=None)

    async def retry(self, name: str) -> None:
        if self._statuses[name].state is TunnelState.ASKING:
            self._asking[name].cancel()
            self._asking[name] = asyncio.create_task(self._ask(self._statuses[name].tunnel))
        self._put(name, reconnects=self._statuses[name].reconnects + 1)

    async def remove(self, name: str) -> None:
        if self._statuses[name].state is not TunnelState.DOWN:
            await self.down(name)
        del self._statuses[name]

    def listeners(self) -> dict[str, socket.socket]:
        return {name: self._sockets[name] for name in self._servers}

    async def close(self) -> None:
        for name in tuple(self._servers):
            await self.down(name)

    def _put(self, name: str, **changes: object) -> None:
        self._statuses[name] = status = replace(self._statuses[name], **changes)  # type: ignore[arg-type]
        self._tell(status)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
