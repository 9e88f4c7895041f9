"""When to look at a host: at once, then every `refresh` seconds, later and later while it fails."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from dataclasses import dataclass
from typing import Protocol

from jupytui.errors import DeadlineError, JupytuiError
from jupytui.fleet.models import HostView, Trouble
from jupytui.fleet.store import Store
from jupytui.hosts.base import Host, HostState, HostTrouble
from jupytui.hosts.knock import came_back

_log = logging.getLogger(__name__)

SLOWEST = 60.0  # seconds between attempts at a host that keeps failing
KNOCKS = (1.0, 3.0)  # seconds between knocks at a host that is away, at first and after minutes


@dataclass(slots=True)
class Pace:
    """How often to look, shared by all watchers; `factor` grows while nobody is looking at the screen."""

    refresh: float = 3.0
    factor: float = 1.0

    @property
    def seconds(self) -> float:
        """Seconds from one look to the next."""
        return self.refresh * self.factor


class Looker(Protocol):
    """What a look is made with: `fleet.probe.Probe`, or a script in tests."""

    async def look(self, *, once: bool = False) -> HostView:
        """Look once; `once`: no other look follows soon. Raises HostTrouble, DeadlineError."""
        ...

    def forget(self) -> None:
        """The connection is a new one: nothing said on the old one counts any more."""
        ...

    def renew(self) -> None:
        """Somebody asks for a look: what is asked seldom is asked at the next one."""
        ...


class Watcher:
    """Keeps the view of one host true. It owns that host's retry policy; nothing else retries.

    A host that hangs delays only itself: looks of one host never overlap, those of different hosts do.
    """

    def __init__(self, host: Host, looker: Looker, store: Store, pace: Pace) -> None:
        self.host = host
        self._looker = looker
        self._store = store
        self._pace = pace
        self.given_up = False  # only the user can help: what is refused once more may ban this machine
        self._wake = asyncio.Event()
        self._failures = 0
        self._failing_since = 0.0
        self._knocking: asyncio.Task[None] | None = None
        self._looked: list[asyncio.Future[None]] = []

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            while True:
                self._wake.clear()
                waiting, self._looked = self._looked, []
                try:
                    delay = await self.look()
                finally:
                    _release(waiting)
                self.given_up = delay is None
                self._knock_while(self._failures > 0 and delay is not None)
                await self._sleep(delay)
        finally:
            self._knock_while(False)
            _release(self._looked)

    async def look(self, *, once: bool = False) -> float | None:
        """Look once and store what came of it; seconds until the next look, None when only the user can help.

        `once`: no other look follows soon.
        """
        try:
            view = await self._visit(once)
        except HostTrouble as trouble:
            return await self._fail(trouble)
        except DeadlineError as late:
            return await self._fail(HostTrouble(HostState.DOWN, f"{self.host.name} stopped answering.", late.message))
        except JupytuiError as error:
            return await self._fail(HostTrouble(HostState.DOWN, error.message, error.hint, detail=error.detail))
        except Exception:
            # A mistake of ours must not end the watch, nor hide: it is on the row and in the log.
            _log.exception("the look at a host failed in a way that was not foreseen")
            return await self._fail(
                HostTrouble(HostState.DOWN, f"jupytui failed to look at {self.host.name}.", "See its log file.")
            )
        self._failures = 0
        self._store.apply(view)
        return self._pace.seconds

    def wake(self) -> asyncio.Future[None]:
        """Look now; the future is done when that look is over."""
        future = asyncio.get_running_loop().create_future()
        self._looked.append(future)
        self._looker.renew()
        self._failures = 0
        self._wake.set()
        return future

    async def _visit(self, once: bool) -> HostView:
        if not self.host.connected:
            self._looker.forget()
            await self.host.connect()
        return await self._looker.look(once=once)

    async def _fail(self, trouble: HostTrouble) -> float | None:
        was_up = (known := self._store.host(self.host.name)) is not None and known.state is HostState.UP
        error = Trouble(trouble.message, trouble.hint, trouble.detail)
        self._store.patch(self.host.name, state=trouble.state, error=error, rtt_ms=None, address=self.host.address)
        await self.host.close()
        if not self._failures:
            self._failing_since = time.monotonic()
        self._failures += 1
        if not trouble.retry:
            return None
        return 0.0 if was_up else self._backoff()

    def _backoff(self) -> float:
        # Full jitter above a floor: hosts that went down together (a laptop's sleep) are not redialled together.
        ceiling = min(SLOWEST, self._pace.seconds * 2 ** min(self._failures - 1, 6))
        return random.uniform(self._pace.refresh / 2, ceiling)

    async def _sleep(self, delay: float | None) -> None:
        try:
            async with asyncio.timeout(delay):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _knock_while(self, away: bool) -> None:
        # Also while a look is under way, which may hang until the host has long been back.
        if away and (self._knocking is None or self._knocking.done()):
            self._knocking = asyncio.create_task(self._knock(), name=f"knock at {self.host.name}")
        elif not away and self._knocking:
            self._knocking.cancel()

    async def _knock(self) -> None:
        """End the wait when the host is back: a reboot, a laptop's sleep. A knock costs far less than an attempt."""
        if await came_back(self.host, self._between_knocks):
            self._failures = 0
            self._wake.set()

    def _between_knocks(self) -> float:
        often, seldom = KNOCKS
        away = time.monotonic() - self._failing_since
        return self._pace.factor * min(seldom, max(often, away / 60))


def _release(waiting: list[asyncio.Future[None]]) -> None:
    for future in waiting:
        if not future.done():
            future.set_result(None)
