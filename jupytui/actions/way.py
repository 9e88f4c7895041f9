"""The way from this machine to a server: itself, where it listens here on TCP, else a tunnel that leads to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from jupytui.actions.base import Context, Refused
from jupytui.config.model import LOCAL
from jupytui.errors import JupytuiError
from jupytui.fleet.subject import Subject
from jupytui.tunnels import known
from jupytui.tunnels.models import LOOPBACK, Address, Behind, Status, Tunnel, TunnelKind, TunnelState

if TYPE_CHECKING:
    from jupytui.tunnels.keeper.client import KeeperClient

BEGINNING = 2.0  # seconds for the keeper to say that it tries again

_GIVEN_UP = frozenset({TunnelState.FAILED, TunnelState.WAITING})
_LOOPBACKS = frozenset({"localhost", "127.0.0.1", "::1"})


async def to_server(context: Context, subject: Subject) -> Status:
    """Return the tunnel to the server meant, made or brought up if need be: it listens here, at `local`, and carries.

    One that leads there already is used. Raises JupytuiError when it cannot be had, and Refused for a server that
    needs none.
    """
    to = target(context, subject)
    if subject.host == LOCAL and not to.path:
        raise Refused(f"{subject.server} runs on this machine: there is no need for a tunnel.")
    behind = await behind_of(context, subject)
    keeper = await context.tunnels.keeper()
    found = next(leading(context, subject.host or "", to), None)
    if found is None:
        found = _new(context, subject.host or "", to, behind)
    elif _is_ours(found) and (found.behind != behind or _is_blocked(context, found)):
        await keeper.remove(found.name)
        local = None if _is_blocked(context, found) else found.local
        found = _new(context, found.host, to, behind, name=found.name, local=local)
    status = await _added(context, keeper, found, to)
    if status.state in _GIVEN_UP:
        await try_now(keeper, status)
    return _carries(await context.tunnels.settled(status))


async def _added(context: Context, keeper: KeeperClient, tunnel: Tunnel, to: Address) -> Status:
    """Bring it up, or the one that another screen or command has made at this moment. Raises JupytuiError."""
    try:
        return await keeper.add(tunnel)
    except JupytuiError:
        made = (other for other in leading(context, tunnel.host, to) if other.behind == tunnel.behind)
        quicker = next(made, None)
        if quicker is None or quicker == tunnel:
            raise
        return await keeper.add(quicker)


async def there_already(context: Context, subject: Subject) -> Address:
    """Return where a tunnel that is up brings the server meant; none is made. Raises Refused."""
    await context.tunnels.keeper()
    status = known.to_server(context.tunnels.statuses(), subject.host or "", subject.server_in(context.fleet.store))
    if status is None or status.state is not TunnelState.UP or status.local is None:
        raise Refused(f"No tunnel to {subject.server} is up, and with --read-only none is made.")
    return status.local


async def try_now(keeper: KeeperClient, status: Status) -> None:
    """Have it tried again at once; returns when it is."""
    name, moved = status.tunnel.name, asyncio.Event()
    stop = keeper.subscribe(lambda changed, _status: moved.set() if changed == name else None)
    try:
        await keeper.retry(name)
        with suppress(TimeoutError):
            await asyncio.wait_for(moved.wait(), BEGINNING)
    finally:
        stop()


def target(context: Context, subject: Subject) -> Address:
    """Return where the server listens, as seen from its own machine. Raises Gone, UsageError."""
    access = context.fleet.access(subject)
    return Address(path=access.sock) if access.sock else Address(access.address, access.port or 0)


async def behind_of(context: Context, subject: Subject) -> Behind:
    """Return what tells the server meant from another that may take its port. Raises JupytuiError."""
    from jupytui.tunnels.health import runs, started

    server, access = subject.server_in(context.fleet.store), context.fleet.access(subject)
    host = context.fleet.host(subject.host or "")
    began = await started(host, server.pid)
    # If it has gone, what listens there now is not it.
    what = None if began is None else await runs(host, target(context, subject))
    return Behind(access.base_url, access.tls, server.version, server.pid, began, what)


def leading(context: Context, host: str, to: Address) -> Iterator[Tunnel]:
    """Yield the tunnels that lead to `to` on `host` from a port of this machine: the keeper's, then hosts.toml's."""
    from jupytui.tunnels.keeper.listed import tunnel_of

    told = context.tunnels.statuses()
    # One of that name that is at work may lead elsewhere than what the file says by now.
    busy = {status.tunnel.name for status in told if status.state not in {TunnelState.DOWN, TunnelState.FAILED}}
    listed = (tunnel for tunnel in map(tunnel_of, context.config.tunnels) if tunnel.name not in busy)
    for tunnel in (*(status.tunnel for status in told), *listed):
        here = tunnel.kind is TunnelKind.LOCAL and tunnel.local is not None and not tunnel.local.path
        if here and tunnel.host == host and tunnel.to and _is_same(tunnel.to, to):
            yield tunnel


def _is_same(one: Address, other: Address) -> bool:
    if one == other:
        return True
    return bool(one.port) and one.port == other.port and {one.host, other.host} <= _LOOPBACKS


def _is_ours(tunnel: Tunnel) -> bool:
    """Whether it was made here, for one process; one made by hand leads to whatever is there."""
    return tunnel.behind is not None and tunnel.behind.pid is not None


def _is_blocked(context: Context, tunnel: Tunnel) -> bool:
    """Whether it does not listen, and could not: somebody else has its port by now."""
    from jupytui.tunnels import ports

    status = context.tunnels.status(tunnel.name)
    listens = status is not None and status.local is not None
    return not listens and tunnel.local is not None and not ports.is_free(tunnel.local.port)


def _new(
    context: Context, host: str, to: Address, behind: Behind, *, name: str = "", local: Address | None = None
) -> Tunnel:
    local = local or Address(LOOPBACK, _port(context, host, to, behind))
    return Tunnel(name or _name(context, host, to), host, local=local, to=to, behind=behind)


def _name(context: Context, host: str, to: Address) -> str:
    """Return HOST-PORT, or HOST-SOCKET, with a number behind it if that is taken."""
    name = f"{host}-{to.port or to.path.rpartition('/')[2]}"
    taken = {status.tunnel.name for status in context.tunnels.statuses()} | {t.name for t in context.config.tunnels}
    return next(one for n in range(1, len(taken) + 2) if (one := name if n == 1 else f"{name}-{n}") not in taken)


def _port(context: Context, host: str, to: Address, behind: Behind) -> int:
    """Return the port remembered for it; where another holds that just now, the next free one, for this time."""
    from jupytui.tunnels import ports

    remembered = context.tunnels.ports.port(host, to, behind.base_url)
    if ports.is_free(remembered):
        return remembered
    port = ports.next_free(remembered)
    holder = known.holder(context.tunnels.statuses(), remembered) or "somebody"
    context.progress(f"Port {remembered} is taken by {holder}: {port} for this time")
    return port


def _carries(status: Status) -> Status:
    """Return it if it does. Raises JupytuiError."""
    if status.state is TunnelState.UP and status.local:
        return status
    if status.error:
        raise JupytuiError(status.error.message, status.error.hint)
    hint = "The Tunnels pane and `jupytui tunnel ls` show how it stands."
    raise JupytuiError(f"The tunnel to {status.tunnel.host} does not carry yet: {status.state}.", hint)
