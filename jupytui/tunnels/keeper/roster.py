"""All tunnels the keeper knows: those on its switchboard, and those that rest; and what is remembered of them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from jupytui.config.model import TunnelKind
from jupytui.errors import JupytuiError, UsageError
from jupytui.tunnels.keeper.listed import describes
from jupytui.tunnels.keeper.protocol import Remembered
from jupytui.tunnels.listen import listen
from jupytui.tunnels.models import Address, Status, Trouble, Tunnel, TunnelState
from jupytui.tunnels.switchboard import Switchboard


class Roster:
    """A switchboard that also knows tunnels which are not up, across keepers.

    `changed` hears of a tunnel that rests or is gone (None); of the others the switchboard tells by itself. `save`
    gets what is to be remembered whenever that has changed.
    """

    def __init__(
        self,
        board: Switchboard,
        changed: Callable[[str, Status | None], None],
        save: Callable[[Sequence[Remembered]], None],
    ) -> None:
        self.board = board
        self._changed, self._save = changed, save
        self._resting: dict[str, Status] = {}

    def statuses(self) -> tuple[Status, ...]:
        """Return how all tunnels stand."""
        return (*self.board.statuses(), *self._resting.values())

    @property
    def wanted(self) -> bool:
        """Whether any tunnel is not meant to be down."""
        return any(_is_wanted(status) for status in self.statuses())

    def remembered(self) -> tuple[Remembered, ...]:
        """Return what the next keeper needs to know."""
        return tuple(
            Remembered(status.tunnel, _is_wanted(status), str(status.local) if status.local else "")
            for status in self.statuses()
        )

    async def restore(self, tunnels: Iterable[Remembered], listening: Mapping[str, socket.socket]) -> None:
        """Take on what an earlier keeper had, at the same addresses; what cannot come up rests, and says why."""
        for one in tunnels:
            self._rest(one.tunnel, TunnelState.DOWN)
        for one in tunnels:
            if one.up:
                await self._raise(one.tunnel, listening.get(one.tunnel.name) or _bind(one))
        self._remember()

    async def _raise(self, tunnel: Tunnel, listening: socket.socket | None) -> None:
        try:
            await self._put_up(tunnel, listening)
        except JupytuiError as error:
            self._rest(tunnel, TunnelState.FAILED, Trouble(error.message, error.hint))

    async def add(self, tunnel: Tunnel) -> Status:
        """Take on `tunnel` and bring it up; one of the same description is brought up if it is down.

        One at rest that has another description is replaced: hosts.toml may have been edited since it was made.
        Raises what the switchboard raises, and UsageError when one that is not at rest has that name.
        """
        known = self._status(tunnel.name)
        if known and known.tunnel == tunnel:
            await self.up(tunnel.name)
            return self._status(tunnel.name) or known
        if known and known.state not in _AT_REST:
            raise UsageError(f"There is another tunnel {tunnel.name!r} already.", "Choose another name, or remove it.")
        status = await (self._replace(known, tunnel) if known else self._put_up(tunnel, None))
        self._remember()
        return status

    async def _replace(self, known: Status, tunnel: Tunnel) -> Status:
        await self.remove(tunnel.name)
        try:
            return await self._put_up(tunnel, None)
        except JupytuiError:
            if self._status(tunnel.name) is None:
                self._rest(known.tunnel, known.state, known.error)
            raise

    async def bring_listed(self, tunnel: Tunnel) -> None:
        """Have up what hosts.toml wants to be up, as it says there by now; what cannot come up rests, and says why."""
        known = self._status(tunnel.name)
        if known and describes(tunnel, known.tunnel):
            tunnel = known.tunnel
        elif known:
            await self.remove(tunnel.name)
        if self._status(tunnel.name) is None or tunnel.name in self._resting:
            await self._raise(tunnel, None)
        else:
            with suppress(JupytuiError):  # its status says why
                await self.up(tunnel.name)
        self._remember()

    async def _put_up(self, tunnel: Tunnel, listening: socket.socket | None) -> Status:
        status = await self.board.add(tunnel, listening)
        self._resting.pop(tunnel.name, None)
        return status

    async def up(self, name: str) -> None:
        """Bring a tunnel up that is down or has failed; one that is up stays as it is."""
        status = self._known(name)
        if name in self._resting:
            await self._put_up(status.tunnel, None)
        elif status.state not in {TunnelState.UP, TunnelState.CONNECTING}:
            await self.board.up(name)
        self._remember()

    async def down(self, name: str) -> None:
        """Take it down."""
        if name in self._resting:
            self._rest(self._known(name).tunnel, TunnelState.DOWN)
        else:
            self._known(name)
            await self.board.down(name)
        self._remember()

    async def retry(self, name: str) -> None:
        """Try again now."""
        if name in self._resting:
            await self.up(name)
        else:
            self._known(name)
            await self.board.retry(name)

    async def remove(self, name: str) -> None:
        """Take it down and forget it, unless somebody has brought it up again meanwhile."""
        self._known(name)
        if self._resting.pop(name, None) is None:
            await self.board.remove(name)
        if self._status(name) is None:
            self._changed(name, None)
        self._remember()

    async def stop(self) -> None:
        """Take everything down."""
        for status in self.statuses():
            if _is_wanted(status):
                await self.down(status.tunnel.name)

    def _rest(self, tunnel: Tunnel, state: TunnelState, error: Trouble | None = None) -> None:
        self._resting[tunnel.name] = status = Status(tunnel, state, time.time(), error=error)
        self._changed(tunnel.name, status)

    def _remember(self) -> None:
        self._save(self.remembered())

    def _status(self, name: str) -> Status | None:
        return next((status for status in self.statuses() if status.tunnel.name == name), None)

    def _known(self, name: str) -> Status:
        if status := self._status(name):
            return status
        raise UsageError(f"There is no tunnel {name!r}.", "jupytui tunnel ls lists them.")


_AT_REST = frozenset({TunnelState.DOWN, TunnelState.FAILED})


def _is_wanted(status: Status) -> bool:
    return status.state is not TunnelState.DOWN


def _bind(one: Remembered) -> socket.socket | None:
    """Return a socket where the tunnel listened before, if the system had chosen that port; None if it is taken."""
    local = one.tunnel.local
    if one.tunnel.kind not in {TunnelKind.LOCAL, TunnelKind.SOCKS} or (local and (local.port or local.path)):
        return None
    with suppress(JupytuiError, ValueError):
        return listen(Address.parse(one.local))
    return None
