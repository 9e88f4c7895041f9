"""A terminal that keeps what it is sent, so that a test can count bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

RECORDED: list[str] = []


class RecordingDriver(HeadlessDriver):
    """Writes to a list; the app takes it for a real terminal."""

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        RECORDED.append(data)


class Terminal:
    """What an app wrote since last asked."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self.pilot = Pilot(app)

    async def written(self) -> str:
        """Wait until nothing is left to paint; return what was written since the last call."""
        await self.settle()
        text = "".join(RECORDED)
        RECORDED.clear()
        return text

    async def settle(self) -> None:
        """Wait until every message is handled and every dirty line painted."""
        for _ in range(3):
            await self.pilot.pause()
            screen = self._app.screen
            while screen._dirty_widgets or screen._layout_required or screen._compositor._dirty_regions:
                await asyncio.sleep(0)
                await self.pilot.pause()


@asynccontextmanager
async def on_terminal(app: App[Any], size: tuple[int, int]) -> AsyncIterator[Terminal]:
    """Run `app` on a terminal of that size; yields once it is painted."""
    RECORDED.clear()
    ready = asyncio.Event()
    app.driver_class = RecordingDriver
    run = asyncio.create_task(_run(app, size, ready))
    try:
        async with asyncio.timeout(10):
            await ready.wait()
        terminal = Terminal(app)
        await terminal.written()
        yield terminal
    finally:
        app.exit()
        await run


async def _run(app: App[Any], size: tuple[int, int], ready: asyncio.Event) -> None:
    async def tell(_pilot: object) -> None:
        ready.set()

    await app.run_async(size=size, auto_pilot=tell)
