"""Which server belongs to which unit of a host: known from earlier looks, so that it keeps its name and its row.

A server that starts listens nowhere yet, one that has stopped has no process; what they are was seen before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

import msgspec

from jupytui.errors import JupytuiError
from jupytui.hosts.base import Host
from jupytui.jupyter.models import Health, Server, Unit

CHECKED = 60.0  # seconds after which systemd is asked again whether it still knows a unit that runs nothing
DEADLINE = 10.0

_SCRIPT = r"""
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
systemctl "--$1" --no-ask-password show -p LoadState -- "$2"
"""


class Units:
    """The units of one host, each with the server it ran last. They outlive a lost connection."""

    def __init__(self, host: Host, seen: Iterable[Server] = ()) -> None:
        self._host = host
        self._known: dict[Unit, Server] = {}
        self._checked: dict[Unit, float] = {}
        self._task: asyncio.Task[None] | None = None
        self._learn(seen)

    def named(self, servers: Iterable[Server]) -> tuple[Server, ...]:
        """Return `servers` (of one look), one that does not listen yet by the address that its unit had before."""
        servers = tuple(servers)
        self._learn(servers)
        taken = {server.id for server in servers}
        return tuple(self._named(server, taken) for server in servers)

    def with_stopped(self, servers: tuple[Server, ...]) -> tuple[Server, ...]:
        """Return `servers` and, of each unit that runs none of them, the one it ran last, as stopped."""
        here = {server.unit for server in servers} | {server.id for server in servers}
        idle = [unit for unit, server in self._known.items() if unit not in here and server.id not in here]
        self._checked = {unit: at for unit, at in self._checked.items() if unit in idle}
        self._check([unit for unit in idle if time.monotonic() - self._checked.get(unit, float("-inf")) >= CHECKED])
        return servers + tuple(as_stopped(self._known[unit]) for unit in idle)

    def renew(self) -> None:
        """Ask systemd again at the next look."""
        self._checked.clear()

    async def close(self) -> None:
        """Ask no more."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _learn(self, servers: Iterable[Server]) -> None:
        for server in servers:
            if server.unit and (server.port or server.sock):
                self._known[server.unit] = server

    def _named(self, server: Server, taken: set[str]) -> Server:
        if server.health is Health.STALE:
            return msgspec.structs.replace(server, unit=self._unit_of(server.pid))
        was = self._known.get(server.unit) if server.unit else None
        if was is None or server.port or server.sock or was.id in taken:
            return server
        lasting = ("id", "version", "port", "sock", "base_url", "root_dir", "url")
        return msgspec.structs.replace(server, **{name: getattr(was, name) for name in lasting})

    def _unit_of(self, pid: int) -> Unit | None:
        return next((unit for unit, server in self._known.items() if server.pid == pid), None)

    def _check(self, due: list[Unit]) -> None:
        if due and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._ask(due), name=f"units of {self._host.name}")

    async def _ask(self, units: list[Unit]) -> None:
        for unit in units:
            try:
                done = await self._host.run(_SCRIPT, unit.scope, unit.name, deadline=DEADLINE, max_output=4096)
            except JupytuiError:
                return
            self._checked[unit] = time.monotonic()
            if b"LoadState=not-found" in done.stdout:
                self._known.pop(unit, None)


def as_stopped(server: Server) -> Server:
    """Return a server that has been seen as one that does not run."""
    return msgspec.structs.replace(
        server, health=Health.STALE, kernels=(), cpu_percent=None, rss=None, bind=None, started_at=None, died=None
    )
