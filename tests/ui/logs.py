"""The Logs pane on a real file of this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace
from textual.pilot import Pilot

from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Destination
from jupytui.jupyter.models import Log
from jupytui.ui.panes.logs import LogsPane
from jupytui.ui.program import Program
from tests.ui import fleets
from tests.ui.program import desk, running, settled, text

NOTES = Subject("local", "local:8888")
LINE = "[{} 2026-11-20 10:11:{:02} ServerApp] {}\n"
TRACEBACK = "    Traceback (most recent call last):\n    ValueError: no\n"


def lines(count: int, words: str = "line", level: str = "I") -> str:
    return "".join(LINE.format(level, number % 60, f"{words} {number}") for number in range(count))


def view_with(*logs: Log | None) -> HostView:
    servers = [
        replace(fleets.local().servers[0], id=f"local:{8888 + n}", port=8888 + n, log=log) for n, log in enumerate(logs)
    ]
    return replace(fleets.local(), servers=tuple(servers))


class Screen:
    """The program with the log on its screen, and what a test asks of it."""

    def __init__(self, program: Program, pilot: Pilot[int], log: Path) -> None:
        self.program, self.pilot, self.log = program, pilot, log

    @property
    def pane(self) -> LogsPane:
        pane = self.program.main.pane
        assert isinstance(pane, LogsPane)
        return pane

    @property
    def text(self) -> str:
        return text(self.program)

    def write(self, words: str) -> None:
        with self.log.open("a") as file:
            file.write(words)

    async def until(self, *words: str, gone: str = "") -> str:
        """Wait until all `words` are on the screen, and `gone` is not."""
        return await self.when(lambda shown: all(word in shown for word in words) and (not gone or gone not in shown))

    async def when(self, holds: Callable[[str], object]) -> str:
        for _ in range(500):
            if holds(self.text):
                return self.text
            await self.pilot.pause(0.01)
        raise AssertionError(self.text)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await settled(self.pilot)


@asynccontextmanager
async def open_log(home: Path, content: str, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Screen]:
    log = home / "lab.log"
    log.write_text(content)
    async with on_fleet(home, view_with(Log("file", str(log))), size=size) as (program, pilot):
        await pilot.press("down", "l")
        yield Screen(program, pilot, log)


@asynccontextmanager
async def on_fleet(
    home: Path, view: HostView, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Program, Pilot[int]]]:
    async with running(home, size, [view]) as (program, pilot):
        desk(program).live.fleet.add(Destination("local"))
        yield program, pilot
