"""The one place where the command line meets the fleet."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager

from jupytui.cli import UNREACHED, say
from jupytui.cli.prompts import TerminalPrompter
from jupytui.cli.terminal import open_terminal
from jupytui.config.log import log_to
from jupytui.config.model import Config
from jupytui.config.paths import Paths, find_paths
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.models import HostView
from jupytui.fleet.store import Store
from jupytui.hosts.base import HostState, Prompter, destination
from jupytui.tunnels.keeper.access import Tunnels


@asynccontextmanager
async def open_fleet(
    config: Config, names: Sequence[str] = (), prompter: Prompter | None = None
) -> AsyncIterator[Fleet]:
    """Hold a fleet of the hosts named (all that are not hidden, if none is); nothing is dialled yet.

    Without a prompter questions come up on the terminal. Raises UsageError for a name that is not listed.
    """
    prompter = prompter or TerminalPrompter()
    async with Fleet(Store(), lambda _host: prompter, config.settings.refresh) as fleet:
        for entry in config.watched(names):
            fleet.add(destination(config, entry))
        yield fleet


def open_tunnels(paths: Paths) -> Tunnels:
    """Return the way to the tunnels' keeper, to be held by `async with`; it may ask where there is a terminal."""
    with open_terminal() as terminal:
        return Tunnels(paths, TerminalPrompter() if terminal is not None else None)


def say_unreached(views: Sequence[HostView]) -> int:
    """Say which hosts could not be reached and why; returns the exit status that follows."""
    unreached = [view for view in views if view.state is not HostState.UP]
    for view in unreached:
        why = f"{view.error.message} {view.error.hint}".rstrip() if view.error else f"{view.state}."
        say(why if view.name in why else f"{view.name}: {why}")
    return UNREACHED if unreached else 0


def run_until_done(work: Coroutine[None, None, int]) -> int:
    """Run `work` and return its status; SIGTERM and SIGHUP end it tidily, connections and terminal modes included."""
    return asyncio.run(_stoppable(work))


async def _stoppable(work: Coroutine[None, None, int]) -> int:
    log_to(find_paths().logs)
    task = asyncio.ensure_future(work)
    received: list[int] = []

    def stop(number: int) -> None:
        received.append(number)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if received:
            return 128 + received[0]
        raise
