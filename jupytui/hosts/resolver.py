"""How the hosts of a fleet are resolved: by `ssh -G`, or without it where its answer is beyond doubt."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass, field

from jupytui.hosts import ssh_config
from jupytui.hosts.base import HostTrouble
from jupytui.hosts.plain_config import NotPlainError, Plain, Reading
from jupytui.hosts.ssh_config import Resolved


@dataclass(frozen=True, slots=True)
class _Known:
    reading: Reading
    plain: Plain | None


@dataclass(slots=True)
class Resolver:
    """Remembers each configuration that is plain until one of its files changes."""

    _known: dict[str | None, _Known] = field(default_factory=dict)
    _learning: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def resolve(self, destination: str, config: str | None = None) -> Resolved:
        """Return how to reach `destination`. Raises HostTrouble, as `ssh_config.resolve` does."""
        if plain := (await self._about(destination, config)).plain:
            try:
                return ssh_config.resolved(plain.options(destination), destination)
            except NotPlainError:
                pass
        return await ssh_config.resolve(destination, config)

    async def _about(self, destination: str, config: str | None) -> _Known:
        async with self._learning:
            known = self._known.get(config)
            if known is None or not known.reading.fresh:
                known = self._known[config] = await asyncio.to_thread(_learn, destination, config)
            return known


def _learn(destination: str, config: str | None) -> _Known:
    reading = Reading()
    try:
        ssh = shutil.which("ssh") or ""
        reading.read(config, ssh)
        plain = Plain(reading.blocks, ssh_config.said_by(ssh, "localhost", "/dev/null"))
        return _Known(reading, plain if _agreed(plain, ssh, destination, config) else None)
    except (NotPlainError, HostTrouble, OSError):
        return _Known(reading, None)


def _agreed(plain: Plain, ssh: str, destination: str, config: str | None) -> bool:
    """Whether ssh itself says the same of one destination: this ssh may be one that nobody has seen yet."""
    options = plain.options(destination)
    return ssh_config.resolved(options, destination) == ssh_config.resolved(
        ssh_config.said_by(ssh, destination, config), destination
    )
