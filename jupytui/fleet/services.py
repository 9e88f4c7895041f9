"""The services of some hosts, looked at as long as somebody watches them; no part of the regular look."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from jupytui.errors import JupytuiError
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.subject import Gone
from jupytui.hosts.state import HostState
from jupytui.jupyter.launch.services import jupyter_services
from jupytui.systemd.units import Services

_log = logging.getLogger(__name__)

PERIOD = 2.0  # seconds from one listing of a host to the next; longer while nobody looks at the terminal


class Listing(NamedTuple):
    """What is known of a host's services: the last listing, and why there is no newer one."""

    services: Services | None = None
    error: JupytuiError | None = None


class ServiceWatch:
    """Lists the services of `watch`ed hosts again and again, each on its own; a host that is away is not dialled.

    `changed` is called with a host's name when its listing differs.
    """

    def __init__(self, fleet: Fleet, changed: Callable[[str], None]) -> None:
        self._fleet = fleet
        self._changed = changed
        self._listings: dict[str, Listing] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wakes: dict[str, asyncio.Event] = {}
        self._ended: set[asyncio.Task[None]] = set()

    def listing(self, host: str) -> Listing:
        """Return what is known of a host; its last listing stays when it is watched no more."""
        return self._listings.get(host, Listing())

    def watch(self, hosts: Iterable[str]) -> None:
        """Watch these hosts and no others."""
        hosts = set(hosts)
        for name in self._tasks.keys() - hosts:
            self._end(name)
        for name in hosts - self._tasks.keys():
            self._wakes[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._run(name), name=f"services of {name}")

    def wake(self, host: str | None = None) -> None:
        """List the services of a host (of all, if None) now."""
        for name in self._wakes if host is None else self._wakes.keys() & {host}:
            self._wakes[name].set()

    async def close(self) -> None:
        """Watch nothing; returns when nothing is under way."""
        self.watch(())
        await asyncio.gather(*self._ended, return_exceptions=True)

    def _end(self, name: str) -> None:
        task = self._tasks.pop(name)
        self._wakes.pop(name, None)
        self._ended.add(task)
        task.add_done_callback(self._ended.discard)
        task.cancel()

    async def _run(self, name: str) -> None:
        wake = self._wakes[name]
        with suppress(Gone):
            while True:
                wake.clear()
                view = self._fleet.store.host(name)
                if view and view.state is HostState.UP:
                    self._learn(name, await self._look(name))
                with suppress(TimeoutError):
                    async with asyncio.timeout(PERIOD * self._fleet.pace.factor):
                        await wake.wait()

    async def _look(self, name: str) -> Listing:
        host, view = self._fleet.host(name), self._fleet.store.host(name)
        try:
            return Listing(await jupyter_services(host, view.servers if view else ()))
        except JupytuiError as error:
            return Listing(self.listing(name).services, error)
        except Exception:
            _log.exception("the services of a host could not be listed")
            mistake = JupytuiError("jupytui made a mistake; its log file has the details.")
            return Listing(self.listing(name).services, mistake)

    def _learn(self, name: str, listing: Listing) -> None:
        before = self.listing(name)
        self._listings[name] = listing
        if before.services != listing.services or str(before.error) != str(listing.error):
            self._changed(name)
