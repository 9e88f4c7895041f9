"""The one way to get a host."""

from __future__ import annotations

from jupytui.hosts.base import Destination, Host, Prompter
from jupytui.hosts.limits import Gates
from jupytui.hosts.local import LocalHost


def open_host(destination: Destination, prompter: Prompter, gates: Gates) -> Host:
    """Return the host for `destination`, not connected yet. `gates` is one object for the whole fleet."""
    if destination.ssh is None:
        return LocalHost(destination.name)
    from jupytui.hosts.ssh import SshHost

    return SshHost(destination, prompter, gates)
