"""How a front end and its actions get at the keeper: attached when it is first needed, let go at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Self

from jupytui.config.paths import Paths
from jupytui.errors import JupytuiError
from jupytui.hosts.base import Prompter

if TYPE_CHECKING:
    from jupytui.config.model import Config
    from jupytui.tunnels.keeper.client import KeeperClient, Listener
    from jupytui.tunnels.models import Status
    from jupytui.tunnels.remembered import RememberedPorts

SETTLING = 30.0  # seconds for a tunnel to say how it stands


class Tunnels:
    """Held for as long as a front end lives; `awaited` are the hosts that somebody waits for a tunnel to just now.

    Without paths there is no keeper to be had, and no tunnel.
    """

    def __init__(self, paths: Paths | None = None, prompter: Prompter | None = None) -> None:
        self._paths, self._prompter = paths, prompter
        self._client: KeeperClient | None = None
        self._listeners: list[Listener] = []
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self.awaited: set[str] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def keeper(self) -> KeeperClient:
        """Return the client, attached if a keeper runs; none is started before a request. Raises JupytuiError."""
        from jupytui.tunnels.keeper.client import connect

        async with self._opening:
            if self._client is None:
                if self._paths is None:
                    raise JupytuiError("There are no tunnels here.")
                self._client = await self._stack.enter_async_context(connect(self._paths, self._prompter))
                self._client.subscribe(self._changed)
                for status in self._client.statuses():
                    self._changed(status.tunnel.name, status)
        return self._client

    async def bring_listed(self, config: Config) -> Sequence[str]:
        """Bring up what hosts.toml wants to be up and no keeper knows yet; returns why for each that cannot be.

        One that is known is left as it is: it may have been taken down on purpose. Raises JupytuiError where there is
        no keeper to be had.
        """
        from jupytui.config.model import TunnelKind
        from jupytui.tunnels.keeper.listed import tunnel_of

        keeper, troubles = await self.keeper(), list[str]()
        wanted = [entry for entry in config.tunnels if entry.up and entry.kind is not TunnelKind.PUBLIC]
        for entry in wanted:
            if self.status(entry.name) is None:
                try:
                    await keeper.add(tunnel_of(entry))
                except JupytuiError as error:
                    troubles.append(f"{entry.name}: {error}")
        return troubles

    @property
    def ports(self) -> RememberedPorts:
        """Which port of this machine leads to which server. Raises JupytuiError where there is no keeper to be had."""
        from jupytui.tunnels.keeper.place import find_place
        from jupytui.tunnels.remembered import RememberedPorts

        if self._paths is None:
            raise JupytuiError("There are no tunnels here.")
        return RememberedPorts.at(find_place(self._paths))

    def statuses(self) -> Sequence[Status]:
        """Return how each tunnel stands, as far as we were told; nothing before `keeper` was called."""
        return self._client.statuses() if self._client else ()

    def status(self, name: str) -> Status | None:
        """Return how one of them stands."""
        return next((status for status in self.statuses() if status.tunnel.name == name), None)

    @property
    def trouble(self) -> JupytuiError | None:
        """Why the keeper cannot be had, None as long as nothing is wrong."""
        return self._client.trouble if self._client else None

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` at each change, as `KeeperClient.subscribe` does; returns how to stop. Tells all at first."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _changed(self, name: str, status: Status | None) -> None:
        for listener in tuple(self._listeners):
            listener(name, status)

    async def settled(self, status: Status) -> Status:
        """Return how a tunnel stands once it carries or has failed to; at the latest after 30 s, but for questions.

        What its host asks meanwhile, the person has brought about. Raises JupytuiError when it is removed meanwhile.
        """
        keeper = await self.keeper()
        with self._awaiting(status.tunnel.host):
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(SETTLING):
                        return await keeper.settled(status.tunnel.name)
                status = self.status(status.tunnel.name) or status
                if status.state != "waiting for you":
                    return status

    @contextmanager
    def _awaiting(self, host: str) -> Iterator[None]:
        self.awaited.add(host)
        try:
            yield
        finally:
            self.awaited.discard(host)

    async def close(self) -> None:
        """Let go of the keeper; its tunnels stay."""
        await self._stack.aclose()
        self._client = None
