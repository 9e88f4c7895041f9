"""A host that answers by script; nothing is dialled."""

from __future__ import annotations

import asyncio

from jupytui.hosts.base import Accept, HostTrouble, Listener, Prompter, SecretKind, SecretPrompt
from jupytui.hosts.local import LocalHost


class Scripted(LocalHost):
    """Fails with `trouble`, or is connected; asks before that if it is told to; hangs where `hangs`.

    Its connection ends, at `close`, once `may_end` is set; a port there can be had while `lets_listen`.
    """

    def __init__(self, name: str, prompter: Prompter) -> None:
        super().__init__(name)
        self.trouble: HostTrouble | None = None
        self.asks = self.hangs = self.closed = False
        self.lets_listen = True
        self.tries = self.listens = 0
        self.closing, self.may_end = asyncio.Event(), asyncio.Event()
        self.may_end.set()
        self._prompter, self._is_up = prompter, False

    @property
    def connected(self) -> bool:
        return self._is_up

    async def connect(self) -> None:
        self.tries += 1
        if self.asks:
            await self._prompter.secret(SecretPrompt(self.name, SecretKind.PASSWORD, "Password"))
        if self.hangs:
            await asyncio.Event().wait()
        if self.trouble:
            raise self.trouble
        self._is_up = True

    async def knock(self, deadline: float = 1.0) -> bool | None:
        return None

    async def listen_tcp(self, accept: Accept, host: str, port: int) -> Listener:
        self.listens += 1
        if not self.lets_listen:
            raise OSError("taken")
        return Port(port)

    async def close(self) -> None:
        self.closed = True
        self.closing.set()
        await self.may_end.wait()
        await super().close()


class Port:
    """A port of the host, as asyncssh's listeners are."""

    def __init__(self, port: int) -> None:
        self._port = port

    def close(self) -> None:
        pass

    def get_port(self) -> int:
        return self._port
