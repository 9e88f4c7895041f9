"""The settings of the one server that somebody looks at; no part of the regular look.

Its files are looked at again and again (0.1 s of its host); Jupyter itself is asked (1-2 s) only when they differ.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from jupytui.errors import CommandError, DeadlineError, JupytuiError
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.subject import Gone, Subject
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import Health, Server
from jupytui.jupyter.settings.discover import ask, look
from jupytui.jupyter.settings.models import Found
from jupytui.jupyter.settings.overview import Overview, overview_of, whose

_log = logging.getLogger(__name__)

PERIOD = 4.0  # seconds from one look at the files to the next; longer while nobody looks at the terminal


class Sight(NamedTuple):
    """What is known of a server's settings, why there is nothing newer, and whether Jupyter is being asked now."""

    overview: Overview | None = None
    error: JupytuiError | None = None
    asking: bool = False


class SettingsWatch:
    """Looks at the settings of the server that is `watch`ed; `changed` is called when what is known differs."""

    def __init__(self, fleet: Fleet, changed: Callable[[Subject], None]) -> None:
        self._fleet = fleet
        self._changed = changed
        self._sights: dict[Subject, Sight] = {}
        self._seen: dict[Subject, tuple[int, Found]] = {}
        self._task: asyncio.Task[None] | None = None
        self._watched: Subject | None = None
        self._wake = asyncio.Event()
        self._ended: set[asyncio.Task[None]] = set()

    def sight(self, subject: Subject) -> Sight:
        """Return what is known of a server's settings; it stays when another one is watched."""
        return self._sights.get(subject, Sight())

    def watch(self, subject: Subject | None) -> None:
        """Watch this server and no other; None: nothing."""
        if subject == self._watched:
            return
        self._watched = subject
        if self._task:
            self._ended.add(self._task)
            self._task.add_done_callback(self._ended.discard)
            self._task.cancel()
        self._task = asyncio.create_task(self._run(subject), name="settings") if subject else None

    def wake(self, *, anew: bool = False) -> None:
        """Look now; `anew` asks Jupyter even if no file differs."""
        if anew and self._watched:
            self._seen.pop(self._watched, None)
        self._wake.set()

    async def close(self) -> None:
        """Watch nothing; returns when nothing is under way."""
        self.watch(None)
        await asyncio.gather(*self._ended, return_exceptions=True)

    async def _run(self, subject: Subject) -> None:
        with suppress(Gone):
            while True:
                self._wake.clear()
                if server := self._server(subject):
                    await self._look(subject, server)
                with suppress(TimeoutError):
                    async with asyncio.timeout(PERIOD * self._fleet.pace.factor):
                        await self._wake.wait()

    def _server(self, subject: Subject) -> Server | None:
        view = self._fleet.store.host(subject.host or "")
        server = self._fleet.store.server(subject.host or "", subject.server or "")
        alive = view and view.state is HostState.UP and server and server.health is not Health.STALE
        return server if alive else None

    async def _look(self, subject: Subject, server: Server) -> None:
        before = self.sight(subject)
        try:
            found = await look(self._fleet.host(subject.host or ""), whose(server))
            if self._seen.get(subject) != (server.pid, found):
                self._learn(subject, Sight(before.overview or overview_of(found, None), None, asking=True))
                self._learn(subject, await self._asked(subject, server, found))
                self._seen[subject] = (server.pid, found)
            elif before.error:
                self._learn(subject, before._replace(error=None))
        except Gone:
            raise
        except JupytuiError as error:
            self._learn(subject, Sight(before.overview, error))
        except asyncio.CancelledError:
            self._sights[subject] = before
            raise
        except Exception:
            _log.exception("the settings of a server could not be looked at")
            mistake = JupytuiError("jupytui made a mistake; its log file has the details.")
            self._learn(subject, Sight(before.overview, mistake))

    async def _asked(self, subject: Subject, server: Server, found: Found) -> Sight:
        try:
            answer = await ask(self._fleet.host(subject.host or ""), whose(server), traits=True)
        except (CommandError, DeadlineError) as trouble:
            return Sight(overview_of(found, None, trouble))
        return Sight(overview_of(found, answer))

    def _learn(self, subject: Subject, sight: Sight) -> None:
        before = self.sight(subject)
        self._sights[subject] = sight
        if before.overview is not sight.overview or before.asking != sight.asking or before.error is not sight.error:
            self._changed(subject)
