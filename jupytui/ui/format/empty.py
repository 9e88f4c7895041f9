"""What stands where a table would be empty."""

from __future__ import annotations

from collections.abc import Sequence

from jupytui import figures
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Scope, Subject
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import Health
from jupytui.ui.format.servers import host_name


def no_match(text: str) -> str:
    """Return what to say when a filter leaves nothing."""
    return f"Nothing matches “{text}”. escape shows everything."


def fleet(views: Sequence[HostView], ssh_hosts: int) -> str:
    """Return what to say while there is no server; "" once there is one, or before it is known."""
    if any(view.servers for view in views) or any(view.state is not HostState.UP for view in views):
        return ""
    picks = f"i picks from your ssh config ({figures.plural(ssh_hosts, 'host')}) · " if ssh_hosts else ""
    steps = f"n starts one · a adds a host · {picks}? help"
    if not views:
        return f"No host is watched. {steps.removeprefix('n starts one · ')}"
    return f"No Jupyter server runs {'here' if len(views) == 1 else 'on any of these hosts'}. {steps}"


def kernels(views: Sequence[HostView], scope: Subject) -> str:
    """Return what to say while the scope has no kernel, honest about what is not known."""
    if scope.host and not views:
        return f"{scope.host} is not in the fleet any more. 1 shows the fleet."
    away = [view for view in views if view.state is not HostState.UP]
    if away and len(away) == len(views):
        return f"{_names(away)} not connected: which kernels run there is not known."
    if scope.server and all(server.id != scope.server for view in views for server in view.servers):
        return f"{scope.server} does not run any more. 1 shows the fleet."
    place = scope.server or (host_name(views[0]) if scope.scope is Scope.HOST and views else "any host")
    said = f"No kernel runs on {place}. One appears here as soon as a notebook is opened."
    locked = [server.id for view in views for server in view.servers if server.health is Health.LOCKED]
    if locked:
        said += f" {', '.join(locked)} may have some that are not seen: jupytui holds no credentials."
    return said + (f" {_names(away)} not connected." if away else "")


def services(views: Sequence[HostView], unknown: Sequence[HostView], bare: Sequence[HostView]) -> str:
    """Return what to say while no service is shown; `unknown` were not listed so far, `bare` have no systemd."""
    away = [view for view in views if view.state is not HostState.UP]
    if away and len(away) == len(views):
        return f"{_names(away)} not connected: which units run Jupyter there is not known."
    if waiting := [view for view in unknown if view.state is HostState.UP]:
        return f"Asking systemd on {_listed(waiting)} …"
    if bare and len(bare) + len(away) == len(views):
        said = f"No systemd on {_listed(bare)}: servers there are kept as processes. n starts one."
    else:
        said = f"No unit runs Jupyter on {_listed(views) if len(views) == 1 else 'any host'}. n makes one."
    return said + (f" {_names(away)} not connected." if away else "")


def tunnels(host: str, elsewhere: int) -> str:
    """Return what to say where there is no tunnel (to `host`, if it is named); `elsewhere` lead to other hosts."""
    if host and elsewhere:
        return f"No tunnel to {host}; 5 shows the others. t adds one."
    to = f" to {host}" if host else ""
    return f"No tunnel{to} yet. t adds one · in the fleet (1), t on a server brings it to this machine."


def certs(views: Sequence[HostView]) -> str:
    """Return what to say while the scope has no server that could have a certificate."""
    away = [view for view in views if view.state is not HostState.UP]
    if away and len(away) == len(views):
        return f"{_names(away)} not connected: which certificates are there is not known."
    place = f"on {host_name(views[0])}" if len(views) == 1 else "on any host"
    said = f"No Jupyter server runs {place}. n starts one; c then gives it a certificate of your own authority."
    return said + (f" {_names(away)} not connected." if away else "")


def log(*, ended: bool) -> str:
    """Return what to say of a log with nothing in it."""
    return "Nothing was logged then." if ended else "Nothing was logged yet. What comes appears here."


def log_of_nobody(server: str) -> str:
    """Return what to say of the log of a server that is not there."""
    return f"{server} is not there (any more). s picks another server · 1 shows the fleet."


def log_unknown(server: str) -> str:
    """Return what to say while it is not known where the log goes."""
    return f"Where the log of {server} goes is not known yet: the next look at its host tells."


def log_sought(unit: str) -> str:
    """Return what to say while systemd is asked where a unit's log goes."""
    return f"Looking for the log of {unit}."


def log_of_many(count: int) -> str:
    """Return what to say where there are several logs to choose from."""
    return (
        f"{count} servers run here. s picks the one whose log you want; in the fleet (1), l shows the selected one's."
    )


def log_of_none() -> str:
    """Return what to say where there is no server."""
    return "No Jupyter server runs here, so there is no log. 1 shows the fleet."


def _names(views: Sequence[HostView]) -> str:
    return f"{_listed(views)} {'is' if len(views) == 1 else 'are'}"


def _listed(views: Sequence[HostView]) -> str:
    return ", ".join(host_name(view) for view in views[:3]) + (", …" if len(views) > 3 else "")
