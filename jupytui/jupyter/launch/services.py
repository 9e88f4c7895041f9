"""The services of a host that run Jupyter, whoever made them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jupytui.hosts.base import Host
from jupytui.jupyter.models import App, Server
from jupytui.jupyter.process import app_of
from jupytui.systemd.units import Service, Services, find_services

PATTERN = r"[Jj]upyter|JUPYTER|[Nn]otebook"


async def jupyter_services(host: Host, servers: Iterable[Server] = ()) -> Services:
    """Return the services whose command or file speaks of Jupyter, and those that `servers` run in.

    Raises CommandError, HostTrouble.
    """
    owners = {f"{server.unit.scope}:{server.unit.name}" for server in servers if server.unit}
    found = await find_services(host, PATTERN, sorted(owners))
    kept = tuple(service for service in found.services if service.id in owners or runs_jupyter(service))
    return Services(found.systemd, found.linger, kept)


def runs_jupyter(service: Service) -> bool:
    """Whether its command, name or description says so; a file may only mention Jupyter (`After=jupyter.service`)."""
    said = f"{service.name} {service.description} {service.command}"
    return app_of_service(service) is not None or bool(re.search(PATTERN, said))


def app_of_service(service: Service) -> App | None:
    """Return which program a service runs, as far as its command says."""
    return app_of(service.command.split())


def server_of(service: Service, servers: Iterable[Server]) -> Server | None:
    """Return the server that a service runs now."""
    owned = [s for s in servers if s.unit and (s.unit.scope, s.unit.name) == (service.scope, service.name)]
    return next((s for s in owned if s.pid == service.main_pid), owned[0] if owned else None)


def port_of(service: Service) -> int | None:
    """Return the port a service's command names, None when it names none."""
    match = re.search(r"--(?:\w+\.)?port[= ](\d{1,5})\b", service.command)
    return int(match[1]) if match else None
