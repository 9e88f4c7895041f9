"""The program on a fleet that stands still: nothing is dialled, everything else is real."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from jupytui.actions.base import Action
from jupytui.config.model import Config, HostEntry, Settings
from jupytui.config.options import Options
from jupytui.config.paths import Paths
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.ui.desk import Desk
from jupytui.ui.live import Live
from jupytui.ui.program import Program
from tests.ui import fleets

SIZES = [(45, 24), (80, 24), (120, 40)]


def options(home: Path, views: Iterable[HostView] = (), **more: Any) -> Options:
    """Return options for a home directory of its own, with the hosts of `views` listed."""
    hosts = tuple(HostEntry(view.name, None if view.name == "local" else view.name) for view in views)
    config = Config(home / "hosts.toml", None, hosts or (HostEntry("local"),), Settings())
    return Options(config, Paths(config.path, home / "cache", home / "state", home / "logs"), **more)


@asynccontextmanager
async def running(
    home: Path,
    size: tuple[int, int] = (80, 24),
    views: Iterable[HostView] | None = None,
    actions: tuple[Action, ...] | None = None,
    **more: Any,
) -> AsyncIterator[tuple[Program, Pilot[int]]]:
    """Run the program until the context is left; `views` is what is known of the fleet."""
    views = list(fleets.fleet() if views is None else views)
    program = Program(options(home, views, **more), actions=actions)
    for view in views:
        program.store.apply(view)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Live, "start", _nothing)
        async with program.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            await settled(pilot)
            yield program, pilot
    await program.close()


async def _nothing(_live: Live) -> None:
    pass


async def settled(pilot: Pilot[int]) -> None:
    """Wait until what was collected in this tick is drawn."""
    main = pilot.app.screen_stack[0]
    await pilot.pause()
    while getattr(main, "_ticking", False):
        await pilot.pause(0.01)
    await pilot.pause()


def desk(program: Program) -> Desk:
    """Return the desk, which is there after the first paint."""
    assert program.desk is not None
    return program.desk


def text(program: Program) -> str:
    """Return what is on the screen, line by line."""
    width, height = program.size
    strips = program.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip()[:width] for strip in strips[:height])


def toasts(program: Program) -> list[str]:
    """Return the sentences said."""
    return [notification.message for notification in program._notifications]


def turn_to(program: Program, host: str) -> None:
    """Put the cursor of the pane on the row of `host`."""
    program.main.pane.move_to(Subject(host))  # type: ignore[attr-defined]
