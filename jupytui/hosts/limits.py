"""How much may be asked of an SSH server at once, and what the hosts of one fleet share.

A default sshd drops connections above ten unauthenticated ones (MaxStartups 10:30:100) and refuses the eleventh
session of a connection (MaxSessions 10); measured: 60 dialled at once, 23 lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING

from jupytui.hosts.head_start import HeadStart, HeadStarts
from jupytui.hosts.resolver import Resolver
from jupytui.hosts.ssh_config import Resolved
from jupytui.hosts.ssh_import import import_ssh
from jupytui.hosts.trunks import Trunks

if TYPE_CHECKING:
    from jupytui.hosts import dial
    from jupytui.hosts.keys import KeyRing

SESSIONS_PER_CONNECTION = 7

# Measured with 100 logins on two cores that the servers share with us: 32 exchanges at once delay the event loop by
# 140 ms (p99), 16 by 80, 8 by 45, 4 by 28, and the whole takes as long each time. An exchange that takes longer than
# PATIENCE is waiting for the network and no longer for a processor, so a slow or dead host delays nobody.
EXCHANGES_AT_ONCE = 4
PATIENCE = 0.15


class Gates:
    """One for all hosts: `at_once` key exchanges, `per_target` logins at one server."""

    def __init__(self, at_once: int = EXCHANGES_AT_ONCE, per_target: int = 4) -> None:
        self._per_target = per_target
        self._targets: dict[str, _Target] = {}
        self._exchanges = asyncio.Semaphore(at_once)
        self._importing: asyncio.Task[ModuleType] | None = None
        self._head_starts = HeadStarts()
        self.trunks = Trunks()
        self.resolver = Resolver()

    @asynccontextmanager
    async def login(self, target: str) -> AsyncIterator[None]:
        """Hold one of the places for a login at `target` ("address:port")."""
        gate = self._targets.setdefault(target, _Target(self._per_target))
        gate.users += 1
        try:
            async with gate.places:
                yield
        finally:
            gate.users -= 1
            if not gate.users:
                del self._targets[target]

    @asynccontextmanager
    async def exchange(self) -> AsyncIterator[Callable[[], None]]:
        """Hold a place for a key exchange; what it yields gives the place up early, before a person is asked."""
        await self._exchanges.acquire()
        with ExitStack() as place:
            place.callback(self._exchanges.release)
            patience = asyncio.get_running_loop().call_later(PATIENCE, place.close)
            place.callback(patience.cancel)
            yield place.close

    def prepare(self) -> None:
        """Begin to import asyncssh, in a thread: it takes a tenth of a second and more."""
        if self._importing is None:
            self._importing = asyncio.create_task(asyncio.to_thread(import_ssh, "jupytui.hosts.dial"))

    async def dialler(self) -> type[dial.Dialler]:
        """Return `dial.Dialler`, once asyncssh is imported."""
        self.prepare()
        assert self._importing
        module = await asyncio.shield(self._importing)
        found: type[dial.Dialler] = module.Dialler
        return found

    @asynccontextmanager
    async def head_start(self, hop: Resolved) -> AsyncIterator[HeadStart | None]:
        """Connect to `hop` already, while asyncssh is being imported; None when it is, or enough others are."""
        if self._importing and self._importing.done():
            yield None
            return
        async with self._head_starts.one(hop) as start:
            yield start

    @cached_property
    def keys(self) -> KeyRing:
        """The user's private keys, each parsed once for all hosts."""
        from jupytui.hosts.keys import KeyRing  # imports asyncssh, so not before the first host is dialled

        return KeyRing()


class _Target:
    def __init__(self, places: int) -> None:
        self.places = asyncio.Semaphore(places)
        self.users = 0
