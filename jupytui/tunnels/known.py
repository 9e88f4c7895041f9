"""All tunnels there are: those the keeper tells of, and those that only hosts.toml names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from jupytui.config.model import Config
from jupytui.jupyter.models import Server
from jupytui.tunnels import ports
from jupytui.tunnels.keeper.listed import describes, tunnel_of
from jupytui.tunnels.models import Status, Tunnel, TunnelKind, TunnelState

_HERE = {"localhost", "127.0.0.1", "::1"}


def with_listed(config: Config, statuses: Iterable[Status]) -> tuple[Status, ...]:
    """Return `statuses` and, as down since nobody knows when (0), what hosts.toml lists besides. Raises UsageError.

    One that is down is shown as it would come up.
    """
    found = {status.tunnel.name: _as_it_would_come(config, status) for status in statuses}
    for entry in config.tunnels:
        if entry.name not in found:
            found[entry.name] = Status(tunnel_of(entry), TunnelState.DOWN, 0.0)
    return tuple(found.values())


def _as_it_would_come(config: Config, status: Status) -> Status:
    if status.state is not TunnelState.DOWN:
        return status
    return replace(status, tunnel=as_listed(config, status.tunnel))


def as_listed(config: Config, tunnel: Tunnel) -> Tunnel:
    """Return what hosts.toml says of `tunnel` by now; `tunnel` itself where it says the same, or nothing.

    Raises UsageError.
    """
    entry = next((entry for entry in config.tunnels if entry.name == tunnel.name), None)
    listed = tunnel_of(entry) if entry else tunnel
    return tunnel if describes(listed, tunnel) else listed


def leads_to(tunnel: Tunnel, host: str, server: Server) -> bool:
    """Whether `tunnel` brings connections from here to `server` on `host`."""
    to = tunnel.to
    if tunnel.kind is not TunnelKind.LOCAL or tunnel.host != host or to is None:
        return False
    if to.path or server.port is None:
        return to.path == server.sock
    return to.port == server.port and to.host in {*_HERE, server.bind}


def to_server(statuses: Sequence[Status], host: str, server: Server) -> Status | None:
    """Return the tunnel to `server`, one that is up before others."""
    found = [status for status in statuses if leads_to(status.tunnel, host, server)]
    return min(found, key=lambda status: status.state is not TunnelState.UP, default=None)


def holder(statuses: Iterable[Status], port: int) -> str:
    """Return who listens on TCP `port` of this machine: one of these tunnels by its name, or a process; "" if unknown.

    All tunnels are one process, whose name says nothing to anybody.
    """
    for status in statuses:
        if status.local and status.local.port == port and status.tunnel.kind is not TunnelKind.REMOTE:
            return f"tunnel {status.tunnel.name}"
    return ports.holder(port)


def promised(statuses: Iterable[Status]) -> set[int]:
    """Return the ports of this machine that tunnels listen on, or will when they are up."""
    ends = (end for status in statuses for end in (status.local, status.tunnel.local) if end)
    return {end.port for end in ends if end.port}
