"""What a front end is still to be told. One that does not read costs a bounded amount of memory, and nobody's time."""

from __future__ import annotations

import asyncio
from collections import deque

from jupytui.tunnels.keeper.protocol import Changed, Message, Removed, encode
from jupytui.tunnels.models import Status

MOST_REPLIES = 512
MOST_CHANGES = 4096
AT_ONCE = 64  # messages handed to the socket together


class Outbox:
    """Messages in order; of the changes of one tunnel only the last. `full` once more waits than anybody may owe."""

    def __init__(self) -> None:
        self._replies: deque[Message] = deque()
        self._changes: dict[str, Status | None] = {}
        self._something = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether its reader must be given up."""
        return len(self._replies) > MOST_REPLIES or len(self._changes) > MOST_CHANGES

    def put(self, message: Message) -> None:
        """Say this, before any change that waits."""
        self._replies.append(message)
        self._something.set()

    def change(self, name: str, status: Status | None) -> None:
        """Say how a tunnel stands now (None: it is gone), instead of what was to be said of it."""
        self._changes.pop(name, None)
        self._changes[name] = status
        self._something.set()

    def forget_changes(self) -> None:
        """A message with all statuses is being put: what is older must not come after it."""
        self._changes.clear()

    async def take(self) -> bytes:
        """Wait for the next lines and return them."""
        await self._something.wait()
        lines = [encode(self._next()) for _ in range(min(AT_ONCE, len(self._replies) + len(self._changes)))]
        if not self._replies and not self._changes:
            self._something.clear()
        return b"".join(lines)

    def _next(self) -> Message:
        if self._replies:
            return self._replies.popleft()
        name = next(iter(self._changes))
        status = self._changes.pop(name)
        return Changed(status) if status else Removed(name)
