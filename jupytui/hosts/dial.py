"""From a name to a logged-in SSH connection: resolve, go hop by hop, check each hop's key, log in.

Everything that needs asyncssh hangs off this module, which is imported in a thread when the first host is dialled:
see `ssh_import`.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable

import asyncssh

from jupytui.hosts import failures, known_hosts, reach
from jupytui.hosts.algorithms import chosen
from jupytui.hosts.auth import Login
from jupytui.hosts.base import HostState, HostTrouble, Prompter, UnknownKey
from jupytui.hosts.clock import Clock
from jupytui.hosts.head_start import HeadStart
from jupytui.hosts.known_hosts import Known, KnownKey
from jupytui.hosts.limits import Gates
from jupytui.hosts.ssh_config import Resolved
from jupytui.hosts.trunks import Trunk

CONNECT_DEADLINE = 10.0  # seconds for TCP and the key exchange
KEEPALIVE_INTERVAL, KEEPALIVE_COUNT = 4, 2  # a dead link is found after 12 s: interval * (count + 1)
REDIALS = 5  # a busy sshd drops connections before it says a word (MaxStartups); that is no refusal
MAX_JUMPS = 8


class Dropped(Exception):
    """The server closed the connection before it said its version."""


class Line:
    """A logged-in connection, and what it runs through."""

    def __init__(self, connection: asyncssh.SSHClientConnection, login: Login, proxy: reach.Proxy | None) -> None:
        self.connection = connection
        self.login = login
        self.trunk: Trunk | None = None
        self._proxy = proxy

    async def close(self) -> None:
        """End it; gives the server two seconds to agree."""
        self.connection.close()
        try:
            async with asyncio.timeout(2):
                await self.connection.wait_closed()
        except TimeoutError:
            self.connection.abort()
        if self._proxy:
            await self._proxy.close()
        if self.trunk:
            await self.trunk.release()


class Dialler:
    """Dials for one host."""

    def __init__(self, prompter: Prompter, gates: Gates, config: str | None) -> None:
        self._prompter, self._gates, self._config = prompter, gates, config

    async def resolve(self, destination: str) -> Resolved:
        """Return what ssh_config says about `destination`. Raises HostTrouble."""
        return await self._gates.resolver.resolve(destination, self._config)

    async def dial(
        self, hop: Resolved, name: str, via: tuple[str, ...] = (), depth: int = 0, start: HeadStart | None = None
    ) -> Line:
        """Return a connection to `hop`, which the user calls `name`, through `via` or as configured.

        Raises HostTrouble. No credential is sent to any hop whose key is not vouched for.
        """
        jumps = via or tuple(jump for jump in hop.jumps if jump != hop.alias)
        if not jumps:
            return await self._hop(hop, name, None, start)
        if depth == MAX_JUMPS:
            raise HostTrouble(HostState.UNREACHABLE, f"The jump hosts on the way to {name} lead in a circle.")
        trunk = await self._gates.trunks.hold((self._config, jumps), lambda: self._jump(jumps, depth + 1))
        try:
            line = await self._hop(hop, name, trunk.line.connection)
        except BaseException:
            await trunk.release()
            raise
        line.trunk = trunk
        return line

    async def _jump(self, jumps: tuple[str, ...], depth: int) -> Line:
        hop = await self.resolve(jumps[-1])
        return await self.dial(hop, hop.alias, jumps[:-1], depth)

    async def _hop(
        self, hop: Resolved, name: str, tunnel: asyncssh.SSHClientConnection | None, start: HeadStart | None = None
    ) -> Line:
        return await Hop(hop, name, tunnel, start, prompter=self._prompter, gates=self._gates).dial()


class Hop:
    """One connection to be made: to `hop`, which the user calls `name`, through `tunnel`."""

    def __init__(
        self,
        hop: Resolved,
        name: str,
        tunnel: asyncssh.SSHClientConnection | None,
        start: HeadStart | None,
        *,
        prompter: Prompter,
        gates: Gates,
    ) -> None:
        self._hop, self._name, self._tunnel, self._start = hop, name, tunnel, start
        self._prompter, self._gates = prompter, gates
        self._login: Login | None = None

    async def dial(self) -> Line:
        """Return the connection. Raises HostTrouble."""
        hop = self._hop
        known = known_hosts.lookup(*self._identity(), (*hop.user_known_hosts, *hop.global_known_hosts))
        made = await self._attempt(known)
        if isinstance(made, Line):
            return made
        pinned = await self._introduce(made)
        made = await self._attempt(pinned)
        if isinstance(made, Line):
            return made
        raise failures.changed(made, pinned, hop, self._name)

    def _identity(self) -> tuple[str, int]:
        """Return the name and port under which known_hosts knows it; an alias stands without a port."""
        alias = self._hop.host_key_alias
        return (alias, 22) if alias else (self._hop.hostname, self._hop.port)

    async def _introduce(self, offered: asyncssh.SSHKey) -> Known:
        """Let the person vouch for a new host's key, write it down, and return exactly that key as known."""
        forbidden = self._hop.strict == "yes"
        if forbidden or not await self._trusted(offered):
            raise failures.unknown(offered, self._name, forbidden=forbidden)
        file = self._hop.user_known_hosts[0] if self._hop.user_known_hosts else ""
        if file:
            self._write_down(file, offered)
        return Known((KnownKey(offered, file),))

    async def _trusted(self, offered: asyncssh.SSHKey) -> bool:
        if self._hop.strict in {"accept-new", "no"}:
            return True
        key = known_hosts.describe(offered)
        return await self._prompter.trust(UnknownKey(self._name, self._hop.address, key))

    def _write_down(self, file: str, offered: asyncssh.SSHKey) -> None:
        try:
            known_hosts.append(file, *self._identity(), offered, hashed=self._hop.hash_known_hosts)
        except OSError as error:
            raise HostTrouble(
                HostState.KEY_UNKNOWN, f"The key of {self._name} cannot be written to {file}.", detail=str(error)
            ) from None

    async def _attempt(self, known: Known) -> Line | asyncssh.SSHKey:
        """Return the connection, or the host's key when the host is new. Raises HostTrouble."""
        seconds = self._hop.connect_timeout or CONNECT_DEADLINE
        async with self._gates.login(self._hop.target), self._gates.exchange() as leave:
            clock = Clock(seconds)
            try:
                async with clock:
                    return await self._persist(known, clock, leave)
            except TimeoutError:
                raise failures.silent(self._hop, self._name, clock.seconds, self._login) from None

    async def _persist(self, known: Known, clock: Clock, leave: Callable[[], None]) -> Line | asyncssh.SSHKey:
        for redial in range(REDIALS):
            try:
                return await self._log_in(known, clock, leave)
            except Dropped:
                await asyncio.sleep(random.uniform(0.5, 1) * 0.1 * 2**redial)
        try:
            return await self._log_in(known, clock, leave)
        except Dropped as error:
            raise failures.dropped(self._hop, self._name, str(error)) from None

    async def _log_in(self, known: Known, clock: Clock, leave: Callable[[], None]) -> Line | asyncssh.SSHKey:
        login = self._login = Login(self._hop, self._name, self._prompter, self._gates.keys, clock=clock, leave=leave)
        proxy: reach.Proxy | None = None
        sock: socket.socket | None = None
        connection: asyncssh.SSHClientConnection | None = None
        try:
            proxy, sock = await self._socket()
            connection = await self._connect(known, login, sock)
        except failures.EXPECTED as error:
            return self._explain(error, known, login, proxy)
        finally:
            if sock and connection is None:
                sock.close()  # asyncssh takes it over late, and leaves it open when it is cancelled before
            if proxy and connection is None:
                await proxy.close()
        return Line(connection, login, proxy)

    async def _socket(self) -> tuple[reach.Proxy | None, socket.socket | None]:
        if self._tunnel:
            return None, None
        if self._hop.proxy_command:
            return await reach.Proxy.start(self._hop.proxy_command)
        begun = await self._start.take() if self._start else None
        return None, begun or await reach.connect(self._hop)

    async def _connect(self, known: Known, login: Login, sock: socket.socket | None) -> asyncssh.SSHClientConnection:
        vouched = [key.key for key in (*known.keys, *known.portless)]
        return await asyncssh.connect(
            self._hop.hostname,
            self._hop.port,
            sock=sock,
            tunnel=self._tunnel or (),
            config=None,
            client_factory=lambda: login,
            username=self._hop.user,
            known_hosts=(vouched, [k.key for k in known.authorities], [k.key for k in known.revoked]),
            host_key_alias=self._hop.host_key_alias,
            client_keys=None,
            gss_host=None,
            x509_trusted_certs=None,
            preferred_auth=self._hop.methods,
            compression_algs=None,
            login_timeout=0,
            keepalive_interval=KEEPALIVE_INTERVAL,
            keepalive_count_max=KEEPALIVE_COUNT,
            encoding=None,
            **chosen(self._hop, known),
        )

    def _explain(self, error: Exception, known: Known, login: Login, proxy: reach.Proxy | None) -> asyncssh.SSHKey:
        """Return the key of a host that is new; raise HostTrouble (or Dropped) for anything else."""
        said = [proxy.said] if proxy else []
        detail = failures.detail_of(error, self._hop, login, said)
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            if login.offered and known.unknown:
                return login.offered
            raise failures.changed(login.offered, known, self._hop, self._name, str(error))
        if isinstance(error, asyncssh.ConnectionLost | ConnectionError) and login.mute and not proxy:
            raise Dropped(detail)
        raise failures.trouble(error, self._hop, self._name, login, detail)
