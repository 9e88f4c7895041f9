"""A machine reached by SSH. asyncssh itself is imported when the first one is dialled, not with this module."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jupytui.errors import CommandError, JupytuiError
from jupytui.hosts import reach
from jupytui.hosts.base import Accept, Destination, HostState, HostTrouble, Listener, Process, Prompter, Stream
from jupytui.hosts.command import CommandHost
from jupytui.hosts.limits import SESSIONS_PER_CONNECTION, Gates
from jupytui.text import clean_line

if TYPE_CHECKING:
    from jupytui.hosts.dial import Dialler, Line
    from jupytui.hosts.head_start import HeadStart
    from jupytui.hosts.ssh_config import Resolved

MAX_JUMPS = 8


class SshHost(CommandHost):
    """See `base.Host`. One connection at a time; what needs one raises HostTrouble when there is none."""

    def __init__(self, destination: Destination, prompter: Prompter, gates: Gates) -> None:
        super().__init__(destination.name)
        self._ssh = destination.ssh or destination.name
        self._config = destination.ssh_config
        self._prompter, self._gates = prompter, gates
        self._address = self._ssh
        self._line: Line | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._waiting = 0
        self._opened_session = False
        self._sessions = asyncio.Semaphore(SESSIONS_PER_CONNECTION)

    @property
    def address(self) -> str:
        """`user@10.0.0.5:22` once ssh_config was asked, before that what the user wrote."""
        return self._address

    @property
    def connected(self) -> bool:
        """Whether a connection is up, as far as keepalive knows."""
        return self._line is not None and not self._line.connection.is_closed()

    async def connect(self) -> None:
        """Be connected; joins an attempt under way, which ends when nobody waits for it. Raises HostTrouble."""
        if self.connected:
            return
        if self._dialling is None or self._dialling.done():
            self._dialling = asyncio.create_task(self._dial())
        dialling = self._dialling
        self._waiting += 1
        try:
            await asyncio.shield(dialling)
        finally:
            self._waiting -= 1
            if not self._waiting:
                dialling.cancel()

    async def _dial(self) -> None:
        self._gates.prepare()
        hop = await self._gates.resolver.resolve(self._ssh, self._config)
        self._address = hop.address
        async with self._gates.head_start(hop) as start:
            dialler = (await self._gates.dialler())(self._prompter, self._gates, self._config)
            await self._redial(dialler, hop, start)

    async def _redial(self, dialler: Dialler, hop: Resolved, start: HeadStart | None) -> None:
        former = self._line
        try:
            self._line = await dialler.dial(hop, self.name, start=start)
            self._sessions = asyncio.Semaphore(SESSIONS_PER_CONNECTION)
            self._opened_session = False
        finally:
            # Only now: the way to it may be a jump host's connection, still good, which it holds open.
            if former:
                await former.close()

    def _connected_line(self) -> Line:
        if self._line is None or self._line.connection.is_closed():
            raise self.lost()
        return self._line

    def lost(self) -> HostTrouble:
        """Return what to raise when there is no connection, or it went away in the middle of something."""
        if self._line is None:
            return HostTrouble(HostState.DOWN, f"{self.name} is not connected.")
        reason = self._line.login.lost
        return HostTrouble(
            HostState.DOWN, f"The connection to {self.name} was lost.", detail=clean_line(str(reason or ""))
        )

    async def spawn(self, command: str) -> Process:
        """Start `command` in the login shell, when one of the connection's sessions is free.

        Raises HostTrouble, CommandError when it opens no further session.
        """
        from jupytui.hosts import channel

        connection = self._connected_line().connection
        sessions = self._sessions
        await sessions.acquire()
        process = channel.ChannelProcess(sessions.release)
        try:
            await channel.session(connection, process, command)
        except channel.SessionRefused as error:
            raise self._refusal(clean_line(str(error))) from None
        except OSError:
            raise self.lost() from None
        self._opened_session = True
        return process

    def _refusal(self, words: str) -> JupytuiError:
        """Return what to raise when a session was refused: CommandError, or HostTrouble where none was ever opened."""
        if self._opened_session:
            return CommandError(
                f"{self.name} opens no further session on this connection.",
                "Its MaxSessions may be very low.",
                detail=words,
            )
        return HostTrouble(
            HostState.NO_SHELL,
            f"{self.name} let us in, but opens no session in which a command could run.",
            "A host that is only jumped through (MaxSessions 0) need not be listed: name it in ProxyJump.",
            detail=words,
        )

    async def open_tcp(self, host: str, port: int) -> Stream:
        """Connect, on the far side, to a TCP port. Raises ConnectionRefusedError or OSError."""
        from jupytui.hosts import channel

        return await channel.tcp(self._connected_line().connection, host, port)

    async def open_unix(self, path: str) -> Stream:
        """Connect, on the far side, to a unix socket. Raises OSError."""
        from jupytui.hosts import channel

        return await channel.unix(self._connected_line().connection, path)

    async def attach_tcp(self, protocol: asyncio.Protocol, host: str, port: int) -> None:
        """Connect `protocol`, on the far side, to a TCP port. Raises ConnectionRefusedError or OSError."""
        from jupytui.hosts import relay

        await relay.attach_tcp(self._connected_line().connection, protocol, host, port)

    async def attach_unix(self, protocol: asyncio.Protocol, path: str) -> None:
        """Connect `protocol`, on the far side, to a unix socket. Raises OSError."""
        from jupytui.hosts import relay

        await relay.attach_unix(self._connected_line().connection, protocol, path)

    async def listen_tcp(self, accept: Accept, host: str, port: int) -> Listener:
        """Listen on the far side. Raises OSError."""
        from jupytui.hosts import relay

        return await relay.listen_tcp(self._connected_line().connection, accept, host, port)

    async def listen_unix(self, accept: Accept, path: str) -> Listener:
        """Listen at a path on the far side. Raises OSError."""
        from jupytui.hosts import relay

        return await relay.listen_unix(self._connected_line().connection, accept, path)

    async def wait_lost(self) -> None:
        """Return when the connection is gone."""
        if self._line and not self._line.connection.is_closed():
            await self._line.login.ended.wait()

    def drop(self) -> None:
        """Let go of the connection."""
        if self._line:
            self._line.connection.abort()

    async def knock(self, deadline: float = 1.0) -> bool | None:
        """Whether the first machine on the way takes a TCP connection. Raises HostTrouble."""
        return await reach.knock(await self._first_hop(), deadline)

    async def _first_hop(self) -> Resolved:
        """Return the first jump host on the way, or the host itself."""
        resolver = self._gates.resolver
        hop = await resolver.resolve(self._ssh, self._config)
        for _ in range(MAX_JUMPS):
            if not hop.jumps or hop.jumps[0] == hop.alias:
                break
            hop = await resolver.resolve(hop.jumps[0], self._config)
        return hop

    async def close(self) -> None:
        """End the connection, or the attempt at one."""
        if self._dialling and not self._dialling.done():
            self._dialling.cancel()
            await asyncio.wait([self._dialling])
        await super().close()
        await self._hang_up()

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line:
            await line.close()
