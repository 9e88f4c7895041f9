"""The clock of a login, which stands still while a person is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType


class Clock:
    """An `asyncio.timeout` that can be stopped: typing a one-time password for 90 s must succeed (measured need)."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._stopped = 0
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> Clock:
        await self._timeout.__aenter__()
        self.allow(self.seconds)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._timeout.__aexit__(kind, error, trace)

    def allow(self, seconds: float) -> None:
        """Start a new phase of `seconds`."""
        self.seconds = seconds
        if not self._stopped and not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time() + seconds)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stand still inside; afterwards the phase begins anew."""
        self._stopped += 1
        self._timeout.reschedule(None)
        try:
            yield
        finally:
            self._stopped -= 1
            if self._running:
                self.allow(self.seconds)

    @property
    def _running(self) -> bool:
        return not self._timeout.expired() and self._timeout.when() is None
