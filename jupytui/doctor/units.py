"""Which units should run Jupyter and do not, and why, as systemd and their logs tell."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence

from jupytui.doctor.models import DownUnit, Plight
from jupytui.errors import JupytuiError
from jupytui.hosts.base import Host
from jupytui.jupyter.launch.lifecycle import why_down
from jupytui.jupyter.launch.services import app_of_service, server_of
from jupytui.jupyter.models import Health, Server, Unit
from jupytui.logs.mask import mask
from jupytui.systemd.units import Service

_AGAIN = 2  # restarts: one alone may have been for a reason that is over
_LINES = 60
_FAR_BACK = 200  # a Jupyter that fails writes some 90 lines, and the next start has begun
_SHOWN = 6
_TELLING = (re.compile(r"\w(?:Error|Exception): "), re.compile("Main process exited"))


async def down_units(host: Host, services: Iterable[Service], servers: Sequence[Server]) -> tuple[DownUnit, ...]:
    """Return those of `services` that do not run, each with its cause; `servers` are those that were seen.

    Raises CancelledError, nothing else.
    """
    found = [(service, plight) for service in services if (plight := plight_of(service, servers))]
    return tuple(await asyncio.gather(*(_explained(host, service, plight) for service, plight in found)))


def plight_of(service: Service, servers: Sequence[Server]) -> Plight | None:
    """Return what keeps a service from serving, None when nothing does."""
    if service.active == "failed":
        return Plight.FAILED
    if service.sub.startswith("auto-restart"):
        return Plight.LOOPS
    if service.active == "inactive":
        return Plight.STOPPED if service.load == "loaded" and app_of_service(service) else None
    server = server_of(service, servers)
    starting = server is None or server.health is Health.STARTING
    return Plight.LOOPS if starting and (service.restarts or 0) >= _AGAIN and app_of_service(service) else None


async def _explained(host: Host, service: Service, plight: Plight) -> DownUnit:
    if plight is Plight.STOPPED:
        return DownUnit(service, plight)
    try:
        back = _FAR_BACK if plight is Plight.LOOPS else _LINES
        told = await why_down(host, Unit(service.name, service.scope), service.name, back)
    except JupytuiError:
        return DownUnit(service, plight)
    lines = mask(told.log).splitlines()
    shown = _telling(lines) if plight is Plight.LOOPS else lines[-_SHOWN:]
    return DownUnit(service, plight, told.message.partition(" did not start: ")[2].rstrip("."), tuple(shown))


def _telling(lines: Sequence[str]) -> Iterator[str]:
    """Yield what a start that failed said last, and how it ended; the one under way has written since."""
    for pattern in _TELLING:
        yield from [line for line in lines if pattern.search(line)][-1:]
