"""Connections to jump hosts, shared by the hosts behind them: twenty hosts behind a bastion ask for one password."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupytui.hosts.dial import Line


class Trunk:
    """One connection (or one being dialled) and how many hosts hold it."""

    def __init__(self, dialling: asyncio.Task[Line], forget: Callable[[Trunk], None]) -> None:
        self.dialling = dialling
        self.users = 0
        self._forget = forget

    @property
    def dead(self) -> bool:
        """Whether it can carry nothing new."""
        task = self.dialling
        return task.done() and (task.cancelled() or bool(task.exception()) or task.result().connection.is_closed())

    @property
    def line(self) -> Line:
        """The connection."""
        return self.dialling.result()

    async def release(self, *, asks: bool = False) -> None:
        """Let go; the last one to do so ends it, and who `asks` the user meanwhile ends the dialling.

        Its questions stand with a host that nobody waits for any more: whoever else holds this dials anew, and asks.
        """
        self.users -= 1
        if self.users and not (asks and not self.dialling.done()):
            return
        self._forget(self)
        if not self.dialling.done():
            self.dialling.cancel()
        elif not self.dialling.cancelled() and not self.dialling.exception():
            await self.line.close()


class Trunks:
    """The trunks in use, by what they lead to."""

    def __init__(self) -> None:
        self._trunks: dict[Hashable, Trunk] = {}

    async def hold(self, key: Hashable, dial: Callable[[], Coroutine[Any, Any, Line]]) -> Trunk:
        """Return the trunk for `key`, joining one under way or dialling. Raises what `dial` raises."""
        while True:
            trunk = self._trunks.get(key)
            if dials := trunk is None or trunk.dead:
                trunk = self._trunks[key] = self._dialled(key, dial)
            trunk.users += 1
            try:
                await asyncio.shield(trunk.dialling)
            except BaseException:
                await trunk.release(asks=dials)
                if trunk.dialling.cancelled() and not _is_cancelled():
                    continue
                raise
            return trunk

    def _dialled(self, key: Hashable, dial: Callable[[], Coroutine[Any, Any, Line]]) -> Trunk:
        return Trunk(asyncio.create_task(dial()), lambda ended: self._forget(key, ended))

    def _forget(self, key: Hashable, ended: Trunk) -> None:
        if self._trunks.get(key) is ended:
            del self._trunks[key]


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
