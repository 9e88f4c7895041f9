"""What the live view of the fleet alone gives away: counted at every repaint, so it asks nobody and imports little."""

from __future__ import annotations

from collections.abc import Iterable

from jupytui.fleet.models import HostView
from jupytui.jupyter.models import Auth, Health, Server


def suspicious(views: Iterable[HostView]) -> int:
    """Return how many servers are open to other machines, do not answer, or have left their files behind."""
    return sum(_suspicious(server) for view in views for server in view.servers)


def _suspicious(server: Server) -> bool:
    open_ = server.auth is Auth.NONE and server.bind not in {None, "loopback"}
    return open_ or server.health in {Health.OPEN, Health.STALE, Health.SILENT}
