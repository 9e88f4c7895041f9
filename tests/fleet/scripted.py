"""A host and a looker that play a script and fail on anything that was not expected."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from jupytui.fleet.models import HostView
from jupytui.hosts.base import HostState

Step = HostView | Exception | Callable[[], Awaitable[HostView]]


def up(name: str = "h", **fields: Any) -> HostView:
    """Return a host that is up."""
    return HostView(name, state=HostState.UP, **fields)


class ScriptedHost:
    """Connects as told; anything but connect and close is unexpected."""

    def __init__(self, name: str = "h", connects: list[Exception | None] | None = None) -> None:
        self.name = name
        self.address = f"{name}.example"
        self.connected = False
        self.calls: list[str] = []
        self.closed = asyncio.Event()
        self.knocks: deque[bool] = deque()
        self._connects = deque(connects or [])

    async def connect(self) -> None:
        self.calls.append("connect")
        outcome = self._connects.popleft() if self._connects else None
        if outcome:
            raise outcome
        self.connected = True

    async def knock(self, deadline: float = 1.0) -> bool | None:
        return self.knocks.popleft() if self.knocks else None

    async def close(self) -> None:
        self.calls.append("close")
        self.connected = False
        self.closed.set()

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was not expected of {self.name}")


class ScriptedLooker:
    """Plays one step a look; `looked` is set after each, and a look past the script waits for ever."""

    def __init__(self, *steps: Step) -> None:
        self.steps = deque(steps)
        self.looks = 0
        self.forgotten = 0
        self.renewed = 0
        self._waiters: list[tuple[int, asyncio.Event]] = []

    async def look(self, *, once: bool = False) -> HostView:
        self.looks += 1
        for number, event in self._waiters:
            if self.looks >= number:
                event.set()
        if not self.steps:
            await asyncio.Event().wait()
        step = self.steps.popleft()
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, HostView) else await step()

    def forget(self) -> None:
        self.forgotten += 1

    def renew(self) -> None:
        self.renewed += 1

    async def reached(self, number: int) -> None:
        """Wait until look `number` has begun."""
        event = asyncio.Event()
        self._waiters.append((number, event))
        if self.looks >= number:
            event.set()
        await asyncio.wait_for(event.wait(), 5)
