"""A log over every cut of the link: the host's watcher brings it back, and the log goes on where it stopped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from enum import StrEnum

from jupytui import figures
from jupytui.errors import JupytuiError
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.subject import Gone
from jupytui.hosts.base import HostState, HostTrouble
from jupytui.logs.block import Kind
from jupytui.logs.events import Batch, Event, Marker
from jupytui.logs.reader import LogReader
from jupytui.logs.ring import Ring
from jupytui.logs.source import Journal, Source

_log = logging.getLogger(__name__)

SETTLED = 1.0  # seconds after which a log that has said nothing is called silent
PAUSE = 1.0  # seconds before a link that looked whole and was not is tried again


def ring_for(source: Source) -> Ring:
    """Return an empty ring that takes what a reader of `source` yields."""
    return Ring(Kind.JOURNAL if isinstance(source, Journal) else Kind.TEXT)


async def follow(fleet: Fleet, host: str, reader: LogReader) -> AsyncGenerator[Batch | HostTrouble, None]:
    """Yield what `reader` does; when the link is lost, the trouble, and a batch once it is whole again.

    That batch may be empty: the remark on the cut stands between two lines, never in the middle of one. Raises
    CommandError when the log cannot be read and Gone when the host was removed.
    """
    seam = _Seam()
    while True:
        progress = False
        try:
            async with aclosing(reader.follow()) as batches:
                async for batch in batches:
                    progress = True
                    yield seam.placed(batch)
        except HostTrouble as trouble:
            lost = datetime.now(UTC)
            yield trouble
        else:
            return
        if not progress:
            await asyncio.sleep(PAUSE)
        await _whole_again(fleet, host)
        yield seam.mended((datetime.now(UTC) - lost).total_seconds())


async def _whole_again(fleet: Fleet, name: str) -> None:
    """Wait for the host's watcher, which alone retries; it is told once, where it does not know yet."""
    changed = asyncio.Event()
    unsubscribe = fleet.store.subscribe(lambda host: changed.set() if host == name else None)
    try:
        if _state(fleet, name) is HostState.UP and not fleet.host(name).connected:
            await fleet.refresh([name])
        while _state(fleet, name) is not HostState.UP or not fleet.host(name).connected:
            await changed.wait()
            changed.clear()
    finally:
        unsubscribe()


def _state(fleet: Fleet, name: str) -> HostState:
    view = fleet.store.host(name)
    if view is None:
        raise Gone(f"{name} is not in the fleet any more.")
    return view.state


class _Seam:
    """Puts the remark on a cut after the line that was cut in two."""

    def __init__(self) -> None:
        self._parted = False
        self._remark: Marker | None = None

    def mended(self, seconds: float) -> Batch:
        """Return the remark, if it may stand here; else the next line's end brings it."""
        took = figures.duration(seconds)
        remark = Marker(f"the connection was lost for {took}: the log goes on where it stopped")
        self._remark = remark if self._parted else None
        return () if self._parted else (remark,)

    def placed(self, batch: Batch) -> Batch:
        """Return `batch` with the remark in it, if one is due."""
        if self._remark:
            batch = self._with_remark(batch, self._remark)
        last = batch[-1] if batch else b""
        self._parted = isinstance(last, bytes) and (self._parted if not last else not last.endswith(b"\n"))
        return batch

    def _with_remark(self, batch: Batch, remark: Marker) -> Batch:
        for at, event in enumerate(batch):
            if isinstance(event, Marker):
                self._remark = None
                return [*batch[:at], remark, *batch[at:]]
            if end := event.find(b"\n") + 1:
                self._remark = None
                rest: list[Event] = [event[end:]] if end < len(event) else []
                return [*batch[:at], event[:end], remark, *rest, *batch[at + 1 :]]
        return batch


class FeedState(StrEnum):
    """How a feed stands."""

    STOPPED = "stopped"
    OPENING = "opening"
    FOLLOWING = "following"
    LOST = "lost"  # the link is cut; it goes on by itself
    ENDED = "ended"  # all there is was read: an earlier boot
    FAILED = "failed"  # it cannot be read; `error` says why


class Feed:
    """A log on its way into `ring`, between `start` and `stop`; begun again, it goes on where it stopped.

    `changed` is called, from the event loop, whenever ring or state differ.
    """

    def __init__(self, fleet: Fleet, host: str, source: Source, changed: Callable[[], None]) -> None:
        """Raise Gone without that host, and CommandError for a log that nobody can read."""
        self.source = source
        self.ring = ring_for(source)
        self.state = FeedState.STOPPED
        self.error: JupytuiError | None = None
        self._fleet, self._host, self._changed = fleet, host, changed
        self._reader = LogReader(fleet.host(host), source)
        self._tasks: list[asyncio.Task[None]] = []  # the last one reads, or waits until those before have let go

    def start(self) -> None:
        """Read on; nothing new while it is being read."""
        self._tasks = [task for task in self._tasks if not task.done()]
        if not self._tasks or self.state is FeedState.STOPPED:
            self._become(FeedState.OPENING)
            before = tuple(self._tasks)
            self._tasks.append(asyncio.create_task(self._run(before), name=f"log of {self._host}"))

    def stop(self) -> None:
        """Read no more for now; what runs on the host is ended."""
        if self._tasks and not self._tasks[-1].done():
            self._tasks[-1].cancel()
            self._become(FeedState.STOPPED)

    async def close(self) -> None:
        """Stop, and wait until that is done."""
        self.stop()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, before: Sequence[asyncio.Task[None]]) -> None:
        if before:
            await asyncio.wait(before)
        quiet = asyncio.get_running_loop().call_later(SETTLED, self._settle)
        try:
            async with aclosing(follow(self._fleet, self._host, self._reader)) as batches:
                async for batch in batches:
                    self._take(batch)
            self._become(FeedState.ENDED)
        except JupytuiError as error:
            self._become(FeedState.FAILED, error)
        except Exception:
            _log.exception("a log was followed in a way that was not foreseen")
            self._become(
                FeedState.FAILED, JupytuiError("jupytui made a mistake reading this log.", "See its log file.")
            )
        finally:
            quiet.cancel()

    def _take(self, batch: Batch | HostTrouble) -> None:
        if isinstance(batch, HostTrouble):
            self._become(FeedState.LOST, batch)
        else:
            self.ring.feed(batch)
            self._become(FeedState.FOLLOWING)

    def _settle(self) -> None:
        if self.state is FeedState.OPENING:
            self._become(FeedState.FOLLOWING)

    def _become(self, state: FeedState, error: JupytuiError | None = None) -> None:
        self.state, self.error = state, error
        self._changed()
