"""All tunnels of one process: the keeper has one, a test may have one of its own."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from jupytui.hosts.base import Host, Prompter
from jupytui.tunnels.models import Status, Tunnel

OpenHost = Callable[[str, Prompter], Host]


class Switchboard:
    """Keeps tunnels up. All its tunnels to one host share one connection; nothing here waits for a slow host.

    `open_host` makes the Host of a name (not connected yet) that asks by the given prompter; `changed` hears of each
    new status, at most a few times a second for counters alone.
    """

    def __init__(self, open_host: OpenHost, prompter: Prompter, changed: Callable[[Status], None]) -> None:
        raise NotImplementedError

    def statuses(self) -> Sequence[Status]:
        """Return how each tunnel stands, in the order in which they were added."""
        raise NotImplementedError

    async def add(self, tunnel: Tunnel, listening: socket.socket | None = None) -> Status:
        """Take on `tunnel` and bring it up; `listening` is its socket from an earlier keeper.

        Returns when it listens, not when the host is reached. Raises JupytuiError when the local port is taken
        (naming who holds it, where that can be known) or the name is in use with another description.
        """
        raise NotImplementedError

    async def up(self, name: str) -> None:
        """Bring a tunnel up that was taken down or has failed. Raises JupytuiError for a name that is not here."""
        raise NotImplementedError

    async def down(self, name: str) -> None:
        """Take it down: its socket and channels close, its description stays."""
        raise NotImplementedError

    async def retry(self, name: str) -> None:
        """Try again now."""
        raise NotImplementedError

    async def remove(self, name: str) -> None:
        """Take it down and forget it."""
        raise NotImplementedError

    def listeners(self) -> dict[str, socket.socket]:
        """Return the listening sockets by tunnel, for handing them to a newer keeper."""
        raise NotImplementedError

    async def close(self) -> None:
        """Take everything down."""
        raise NotImplementedError
