"""Turns TLS off, with consent: by the server's configuration and a restart."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from jupytui.actions.base import Context, Refused
from jupytui.actions.cert_install import Spot, agreed, change, restarted
from jupytui.actions.cert_sights import access_of, secured, whose
from jupytui.errors import JupytuiError
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import Health

if TYPE_CHECKING:
    from jupytui.certs.inspect import Place


async def turn_off(context: Context, spot: Spot) -> str:
    """Turn TLS off by the configuration and a restart, with consent; "" where it was refused. Raises JupytuiError."""
    from jupytui.certs import configure
    from jupytui.jupyter.settings.discover import ask, look
    from jupytui.jupyter.settings.edit import plan

    context.progress("reading its configuration")
    place = await configure.find_place(spot.host, spot.whose)
    if place is None and not secured(spot.server):
        raise Refused(f"{spot.server.id} has TLS off.")
    found, answer = await look(spot.host, spot.whose), await ask(spot.host, spot.whose)
    edit = plan(found, configure.OFF, answer.knowledge)
    plain = f"What is sent to it is not encrypted any more: {spot.url.replace('https:', 'http:', 1)}"
    if not await agreed(context, spot, edit, "Turn TLS off", plain):
        return ""
    made = await change(context, spot, edit)
    back = await restarted(context, spot, made)
    if place:
        await hand_over(context, spot, place)
    await context.fleet.refresh([spot.host.name])
    kept = f" Its certificate stays in {place.certfile}." if place else ""
    return f"TLS is off: {back.answer.url or spot.server.id} answers.{kept}"


async def hand_over(context: Context, spot: Spot, place: Place) -> None:
    """Forget how to renew a file that a server reads no more, unless another one goes on reading it.

    Raises CertificateError.
    """
    from jupytui.certs import private, records
    from jupytui.certs.configure import find_place

    away, heir = {Health.STALE, Health.UNREADABLE}, None
    for server in spot.subject.host_in(context.fleet.store).servers:
        if server.id != spot.server.id and secured(server) and server.health not in away:
            other = Subject(spot.subject.host, server.id)
            with suppress(JupytuiError):
                if await find_place(spot.host, whose(server)) == place:
                    heir = access_of(context.fleet, other)
    directory = private.default_directory()
    await asyncio.to_thread(records.hand_over, directory, spot.host.name, place.certfile, heir)
