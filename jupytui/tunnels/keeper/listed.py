"""The keeper's view of hosts.toml, read anew whenever it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jupytui.config.load import load_config
from jupytui.config.model import LOCAL, TunnelEntry, TunnelKind
from jupytui.errors import UsageError
from jupytui.hosts.base import Host, Prompter, destination
from jupytui.hosts.limits import Gates
from jupytui.hosts.open import open_host
from jupytui.tunnels.models import LOOPBACK, Address, Tunnel


class ListedHosts:
    """Makes the Host of a name in the file at `path`. All of them share one set of gates."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._gates = Gates()

    def open(self, name: str, prompter: Prompter) -> Host:
        """Return that host, not connected yet. Raises UsageError for a name not listed, ConfigError."""
        config = load_config(self._path)
        (entry,) = config.watched([name]) or ()
        return open_host(destination(config, entry), prompter, self._gates)


def tunnels_after_login(path: Path) -> Sequence[Tunnel]:
    """Return the tunnels with `up = true` in the file at `path`. Raises ConfigError, UsageError."""
    return tuple(tunnel_of(entry) for entry in load_config(path).tunnels if entry.up)


def describes(entry: Tunnel, tunnel: Tunnel) -> bool:
    """Whether an entry of hosts.toml, as a tunnel, says of `tunnel` all that such an entry can say."""
    return (entry.host, entry.kind, entry.to, entry.local) == (tunnel.host, tunnel.kind, tunnel.to, tunnel.local)


def tunnel_of(entry: TunnelEntry) -> Tunnel:
    """Return what an entry of hosts.toml describes. Raises UsageError when `to` is no address."""
    try:
        to = Address.parse(entry.to) if entry.to else None
    except ValueError:
        raise UsageError(f"tunnels.{entry.name}: {entry.to!r} is no port, host:port or /unix/socket.") from None
    local = Address(path=entry.local) if isinstance(entry.local, str) else Address(LOOPBACK, entry.local or 0)
    if entry.kind is TunnelKind.PUBLIC:
        return Tunnel(entry.name, entry.host or LOCAL, entry.kind, None, to)
    return Tunnel(entry.name, entry.host, entry.kind, local, to)
