"""The living half of the program: the fleet, its open questions, and the context actions work in.

Made after the first paint: what it imports takes longer than everything before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from jupytui.actions.base import Context, Front
from jupytui.config.model import HostEntry
from jupytui.config.options import Options
from jupytui.errors import JupytuiError
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.questions import Questions
from jupytui.fleet.store import Store
from jupytui.hosts.base import destination
from jupytui.tunnels.keeper.access import Tunnels

if TYPE_CHECKING:
    from jupytui.fleet.feed import Feed
    from jupytui.fleet.services import ServiceWatch
    from jupytui.fleet.settings import SettingsWatch
    from jupytui.fleet.subject import Subject
    from jupytui.logs.source import Source

BLURRED = 5.0  # times slower while nobody looks at the terminal


class Live:
    """Everything that dials. `start` begins with this machine, which needs nothing that is slow to import."""

    def __init__(self, options: Options, store: Store, front: Front) -> None:
        self._entries = options.config.watched(options.hosts)
        self.questions = Questions(store)
        self.fleet = Fleet(store, self.questions.prompter, options.config.settings.refresh)
        self._feeds: set[Feed] = set()
        self._watches: list[ServiceWatch | SettingsWatch] = []
        self.tunnels = Tunnels(options.paths, self.questions.prompter_of_all(self._row_of))
        self.context = Context(self.fleet, front, options.config, options.read_only, tunnels=self.tunnels)

    def _row_of(self, asking: str) -> str:
        """Return the host on whose row a tunnel's question is shown: a jump host on the way may have none."""
        if self.fleet.store.host(asking):
            return asking
        waiting = (status.tunnel.host for status in self.tunnels.statuses() if status.state == "waiting for you")
        return next(waiting, asking)

    async def start(self) -> None:
        """Watch every host of the configuration, and have the tunnels up that it wants up. Raises JupytuiError."""
        self._take([entry for entry in self._entries if entry.is_local])
        away = [entry for entry in self._entries if not entry.is_local]
        await asyncio.sleep(0)  # let its first look begin
        self._take(away)
        await self.tunnels.keeper()
        if not self.context.read_only and (troubles := await self.tunnels.bring_listed(self.context.config)):
            raise JupytuiError("\n".join(troubles))

    def follow(self, host: str, source: Source, changed: Callable[[], None]) -> Feed:
        """Read a log from now on. Raises Gone without that host, CommandError for a log that nobody can read."""
        from jupytui.fleet.feed import Feed

        feed = Feed(self.fleet, host, source, changed)
        self._feeds.add(feed)
        feed.start()
        return feed

    def let_go(self, feed: Feed) -> None:
        """Read it no more."""
        feed.stop()
        self._feeds.discard(feed)

    def services(self, changed: Callable[[str], None]) -> ServiceWatch:
        """Return what lists services; `changed` hears of which host."""
        from jupytui.fleet.services import ServiceWatch

        watch = ServiceWatch(self.fleet, changed)
        self._watches.append(watch)
        return watch

    def settings(self, changed: Callable[[Subject], None]) -> SettingsWatch:
        """Return what looks at a server's settings; `changed` hears of which server."""
        from jupytui.fleet.settings import SettingsWatch

        watch = SettingsWatch(self.fleet, changed)
        self._watches.append(watch)
        return watch

    async def close(self) -> None:
        """End what is read, and every connection."""
        reading = (feed.close() for feed in self._feeds)
        await asyncio.gather(*reading, *(watch.close() for watch in self._watches), self.tunnels.close())
        await self.fleet.close()

    def _take(self, entries: list[HostEntry]) -> None:
        for entry in entries:
            self.fleet.add(destination(self.context.config, entry))
        self.fleet.start(entry.name for entry in entries)

    async def attend(self, looking: bool) -> None:
        """Look less often while nobody does, and at once when somebody is back."""
        pace = self.fleet.pace
        pace.factor, before = (1.0 if looking else BLURRED), pace.factor
        if looking and before != 1.0:
            await self.fleet.catch_up()
