"""Knocking at a host that is away: it is to be dialled at once when it is back, not when a backoff has run out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from jupytui.errors import JupytuiError
from jupytui.hosts.base import Host

ANSWER = 0.5  # seconds for an answer to a knock


async def came_back(host: Host, pause: Callable[[], float]) -> bool:
    """Return True when the host takes a connection after it did not; knocks every `pause()` seconds until then.

    False at once for a host that takes connections all the time, as one does that lets nobody in, or whose jump host
    is what answers, and where nobody can tell.
    """
    answered: bool | None = None
    silent = False
    while not answered:
        await asyncio.sleep(pause())
        with suppress(JupytuiError):
            answered = await host.knock(ANSWER)
        if answered is None:
            return False
        silent = silent or not answered
    return silent
