"""What certificate each server has: looked at when somebody wants to see it, never as part of the regular look."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupytui.certs.models import Certificate, Trust
from jupytui.errors import JupytuiError, UsageError
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import Health, Server

if TYPE_CHECKING:
    from jupytui.certs.authority import Authority
    from jupytui.certs.inspect import Place, Sight
    from jupytui.jupyter.access import Access
    from jupytui.jupyter.settings.discover import Whose

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CertView:
    """What is known of a server's certificate.

    `served` is what a handshake showed, `file` what lies in `path` (with the key in `keyfile` where that is another
    file); `matches` whether they are the same, None where one is unknown; `trouble` is why it is not known.
    """

    file: tuple[Certificate, ...] = field(default=(), repr=False)
    served: Certificate | None = None
    matches: bool | None = None
    trust: Trust | None = None
    path: str = ""
    keyfile: str = ""
    trouble: str = ""

    @property
    def certificate(self) -> Certificate | None:
        """What visitors get; before anybody does, what lies in the file."""
        return self.served or (self.file[0] if self.file else None)


def secured(server: Server) -> bool:
    """Whether the server speaks TLS."""
    return server.tls is not None or server.url.startswith("https:")


def servers_of(view: HostView) -> list[Server]:
    """Return the servers of a host that could have a certificate."""
    return [server for server in view.servers if server.health is not Health.STALE]


def access_of(fleet: Fleet, subject: Subject) -> Access:
    """Return where the server meant answers, by TLS. Raises Gone."""
    from jupytui.jupyter.access import Access

    server = subject.server_in(fleet.store)
    try:
        access = fleet.api(subject).access
    except UsageError:
        access = Access(port=server.port, sock=server.sock)
    return dataclasses.replace(access, tls=True)


def whose(server: Server) -> Whose:
    """Return the server as the one whose configuration is meant."""
    from jupytui.jupyter.settings.discover import Whose

    return Whose(server.app, pid=server.pid)


async def look(fleet: Fleet, subject: Subject) -> CertView:
    """Return what the server's file and its handshake show; takes 1-2 s. Raises Gone, HostTrouble."""
    from jupytui.certs import authority, configure, inspect, private

    server, host = subject.server_in(fleet.store), fleet.host(subject.host or "")
    if not secured(server):
        return CertView()
    place, trouble = None, ""
    try:
        place = await configure.find_place(host, whose(server))
    except JupytuiError as error:
        trouble = error.message
    sight = await inspect.look(host, access_of(fleet, subject), place)
    ours = await asyncio.to_thread(authority.load, private.default_directory())
    return await asyncio.to_thread(_view, sight, place, trouble, ours)


def _view(sight: Sight, place: Place | None, trouble: str, ours: Authority | None) -> CertView:
    from jupytui.certs.trust import trusted_by

    # The chain is known from the file alone; of what is served instead of it, the leaf.
    chain = sight.file if sight.matches else (sight.served,) if sight.served else sight.file
    return CertView(
        sight.file,
        sight.served,
        sight.matches,
        trusted_by(chain, ours) if chain else None,
        place.certfile if place else "",
        place.keyfile or "" if place and place.two_files else "",
        sight.trouble or trouble,
    )


class CertLooks:
    """Looks at each server once, and again when it is another process or `forget` was called.

    `changed` hears when something was learnt. Servers of one host are looked at one after the other: each look has
    the host start a Python.
    """

    def __init__(self, fleet: Fleet, changed: Callable[[], None]) -> None:
        self._fleet = fleet
        self._changed = changed
        self._known: dict[Subject, tuple[object, CertView]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def known(self, subject: Subject) -> CertView | None:
        """Return what was seen, also when it is to be looked at anew; None: nothing yet."""
        return self._known[subject][1] if subject in self._known else None

    def attend(self, views: Iterable[HostView]) -> None:
        """Look at what of these hosts is not known yet; what is under way goes on."""
        for view in views:
            wanted = [server for server in servers_of(view) if secured(server) and self._is_new(view.name, server)]
            if view.state is HostState.UP and wanted and view.name not in self._tasks:
                task = asyncio.create_task(self._learn(view.name, wanted), name=f"certificates of {view.name}")
                self._tasks[view.name] = task

    def forget(self) -> None:
        """Look at everything anew when it is attended to next; until then the old is shown."""
        self._known = {subject: (None, view) for subject, (_stamp, view) in self._known.items()}

    async def close(self) -> None:
        """Look no more; returns when nothing is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _is_new(self, host: str, server: Server) -> bool:
        known = self._known.get(Subject(host, server.id))
        return known is None or known[0] != _stamp(server)

    async def _learn(self, host: str, servers: Iterable[Server]) -> None:
        try:
            for server in servers:
                subject = Subject(host, server.id)
                self._known[subject] = (_stamp(server), await self._seen(subject))
                self._changed()
        finally:
            del self._tasks[host]

    async def _seen(self, subject: Subject) -> CertView:
        try:
            return await look(self._fleet, subject)
        except JupytuiError as error:
            return CertView(trouble=error.message)
        except Exception:
            _log.exception("a certificate could not be looked at")
            return CertView(trouble="jupytui made a mistake; its log file has the details.")


def _stamp(server: Server) -> object:
    return server.pid, server.tls and server.tls.not_after
