"""The address that opens a page of a server in a browser on this machine, once it is proven to lead there."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from jupytui.actions.base import Context
from jupytui.actions.way import behind_of, target, there_already, to_server
from jupytui.config.model import LOCAL
from jupytui.errors import JupytuiError
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import Auth, Health, Server
from jupytui.jupyter.page import Page, origin, page
from jupytui.secret import Secret
from jupytui.tunnels.models import Address

if TYPE_CHECKING:
    from jupytui.certs.models import Certificate

RESOLVING = 2.0  # seconds for a certificate's name to be looked up
_NAMES = 8  # of a certificate that are looked up


async def page_of(context: Context, subject: Subject, path: str = "") -> Page:
    """Return the page of the file at `path`, of the kernel meant, or of the whole server, by a tunnel if need be.

    Raises JupytuiError: the server has gone, there is no way to it, or another one answers in its place.
    """
    await context.fleet.refresh([subject.host or ""])
    server = subject.server_in(context.fleet.store)
    kernel = subject.kernel_in(context.fleet.store) if subject.kernel else None
    if refusal := why_closed(server):
        raise JupytuiError(refusal)
    at = await _way(context, subject)
    await _prove(context, subject, at)
    access = context.fleet.access(subject)
    name, notes = await _name(at) if access.tls else (at.host, ())
    start = origin(name, at.port, tls=access.tls)
    where = page(server, path or (kernel.path if kernel else None))
    token = access.token if server.health is not Health.LOCKED else Secret("")
    return Page(server.id, f"{start}{server.base_url}{where}", token, (*notes, *_login(server)))


def why_closed(server: Server) -> str:
    """Return why there is nothing to open, "" when there is."""
    if server.health in {Health.STALE, Health.SILENT, Health.UNREADABLE, Health.STARTING}:
        return f"{server.id} does not answer ({server.health})."
    return ""


def _login(server: Server) -> tuple[str, ...]:
    if server.health is Health.LOCKED:
        asks = "its password" if server.auth in {Auth.PASSWORD, Auth.BOTH} else "a password or token"
        return (f"{server.id} will ask for {asks}.",)
    return ()


async def _way(context: Context, subject: Subject) -> Address:
    """Return where the server answers on this machine."""
    to = target(context, subject)
    if subject.host == LOCAL and not to.path:
        return to
    if context.read_only:
        return await there_already(context, subject)
    context.progress(f"Opening the way to {subject.server}")
    status = await to_server(context, subject)
    assert status.local
    return status.local


async def _prove(context: Context, subject: Subject, at: Address) -> None:
    """Make sure that it is the server meant that answers, before anybody's token is sent there. Raises JupytuiError."""
    from jupytui.hosts.local import LocalHost
    from jupytui.tunnels.health import check

    here, behind = LocalHost(), await behind_of(context, subject)
    try:
        found = await check(here, behind, at, context.fleet.host(subject.host or ""))
    finally:
        await here.close()
    if found.trouble:
        raise JupytuiError(found.trouble.message, found.trouble.hint)


async def _name(at: Address) -> tuple[str, tuple[str, ...]]:
    """Return by which name to open a TLS server at `at`, so that its certificate fits, and what a browser warns of."""
    from jupytui.certs.inspect import served
    from jupytui.hosts.local import LocalHost
    from jupytui.jupyter.access import Access

    here = LocalHost()
    try:
        shown = await served(here, Access(at.host, at.port, tls=True))
    finally:
        await here.close()
    name = await _fitting(shown, at)
    return name or at.host, _warnings(shown, name)


async def _fitting(shown: Certificate, at: Address) -> str:
    """Return a name of the certificate that leads to `at`, "" when none does.

    Jupyter lets in only names of this machine (localhost and loopback addresses), unless `local_hostnames` has more.
    """
    if at.host in shown.names:
        return at.host
    names = sorted(
        (name for name in shown.names if "*" not in name and ":" not in name), key=lambda n: n != "localhost"
    )
    for name in names[:_NAMES]:
        if at.host in await _addresses(name):
            return name
    return ""


async def _addresses(name: str) -> set[str]:
    """Return where `name` leads, nothing if another than this machine is among it."""
    from jupytui.blocking import in_thread

    found: set[str] = set()
    with suppress(OSError, TimeoutError, UnicodeError):
        rows = await in_thread(lambda: socket.getaddrinfo(name, None, type=socket.SOCK_STREAM), RESOLVING)
        found = {str(row[4][0]) for row in rows}
    return found if found <= {"127.0.0.1", "::1"} else set()


def _warnings(shown: Certificate, name: str) -> tuple[str, ...]:
    why = []
    if not name:
        why.append(f"its certificate is for {', '.join(shown.names) or 'no name'}")
    if shown.self_signed:
        why.append("its certificate is signed by itself")
    return (f"The browser will warn: {', and '.join(why)}.",) if why else ()
