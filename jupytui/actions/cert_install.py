"""Brings a certificate to a server: swapped where TLS is on, else TLS is turned on by its configuration; and off."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jupytui import figures
from jupytui.actions import losses
from jupytui.actions.base import Confirmation, Context, Loss, Refused
from jupytui.actions.cert_sights import access_of, secured, whose
from jupytui.actions.lifecycle import RESTART, target_of
from jupytui.errors import JupytuiError
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Host, Prompter
from jupytui.jupyter.models import Server

if TYPE_CHECKING:
    from jupytui.certs.inspect import Place
    from jupytui.certs.models import Pair
    from jupytui.certs.records import Acme
    from jupytui.jupyter.access import Access
    from jupytui.jupyter.launch.lifecycle import Back
    from jupytui.jupyter.settings.commit import Done
    from jupytui.jupyter.settings.discover import Whose
    from jupytui.jupyter.settings.edit import Edit
    from jupytui.secret import Secret


@dataclass(frozen=True, slots=True)
class Spot:
    """A server with all that is needed to change it."""

    subject: Subject
    server: Server
    host: Host
    prompter: Prompter
    access: Access
    whose: Whose

    @property
    def url(self) -> str:
        """Where a browser on its host finds it, by TLS."""
        return f"https://localhost:{self.access.port}{self.server.base_url}" if self.access.port else self.server.id


@dataclass(frozen=True, slots=True)
class Made:
    """A change of the configuration, and the Python on its host that can take it back."""

    done: Done
    python: str


def spot_of(context: Context, subject: Subject) -> Spot:
    """Return the server meant. Raises Gone."""
    server, name = subject.server_in(context.fleet.store), subject.host or ""
    host, prompter = context.fleet.host(name), context.fleet.prompter(name)
    return Spot(subject, server, host, prompter, access_of(context.fleet, subject), whose(server))


async def place_of(spot: Spot) -> Place | None:
    """Return the files its configuration names, None: TLS is off. Raises Refused where it has not read that yet."""
    from jupytui.certs.configure import find_place

    place = await find_place(spot.host, spot.whose)
    if place and not secured(spot.server):
        hint = "Restart it (R), then issue."
        raise Refused(f"{spot.server.id} has TLS on in its configuration, but was not restarted since.", hint)
    return place


async def former_key(spot: Spot, place: Place | None) -> Secret | None:
    """Return the key it has now, if it is of the kind we make: with the same key no connection fails in a swap."""
    from jupytui.certs.install import read_pair

    former = await read_pair(spot.host, place) if place else None
    return former.key if former and former.leaf.key_type.startswith("ECDSA") else None


async def deliver(
    context: Context, spot: Spot, place: Place | None, pair: Pair, acme: Acme | None = None, *, ours: bool = True
) -> str:
    """Make the server show `pair`, prove it and remember how to renew it; a sentence, "" where consent was refused.

    Neither `ours` nor by `acme`: nobody can renew it, and no record is kept. Raises JupytuiError.
    """
    from jupytui.certs import private, records
    from jupytui.certs.install import install

    days = figures.left(pair.leaf.days_left())
    if place is None:
        turned = await _turn_on(context, spot, pair)
        if turned is None:
            return ""
        place, spot = turned
        said = f"TLS is on: {spot.url} shows its certificate, proven by a handshake; {days} left."
    else:
        context.progress("swapping the files")
        try:
            done = await install(spot.host, spot.access, place, pair)
        except PermissionError as error:
            raise Refused(f"{place.certfile} cannot be replaced: {error.strerror or error}.", "Is it root's?") from None
        said = f"{spot.server.id} shows its new certificate, {days} left, without a restart ({done.way})."
    directory = private.default_directory()
    if ours or acme:
        await asyncio.to_thread(
            records.remember, directory, spot.host.name, spot.access, place, leaf=pair.leaf, acme=acme
        )
    else:
        await asyncio.to_thread(_forget, spot.host.name, place)
    await context.fleet.refresh([spot.host.name])
    return said


def _forget(host: str, place: Place) -> None:
    from jupytui.certs import private, records

    directory = private.default_directory()
    for record in records.load(directory):
        if (record.host, record.certfile) == (host, place.certfile):
            records.forget(directory, record)


async def _turn_on(context: Context, spot: Spot, pair: Pair) -> tuple[Place, Spot] | None:
    from jupytui.certs import configure
    from jupytui.certs.install import proven

    context.progress("reading its configuration")
    place, edit = await configure.turning_on(spot.host, spot.whose, spot.server.port or 0, pair)
    becomes = f"In the browser its address becomes {spot.url}"
    made = None
    try:
        made = await _changed(context, spot, edit, "Turn TLS on", becomes)
    finally:
        if made is None:
            await asyncio.shield(spot.host.run('rm -f -- "$1"', place.certfile))
    if made is None:
        return None
    await _still_there(spot, place, pair, made)
    back = await _restarted(context, spot, made)
    where = replace(spot.access, port=back.answer.port, sock=back.answer.sock)
    context.progress("shaking hands")
    try:
        await proven(spot.host, where, pair)
    except JupytuiError as error:
        raise await _taken_back(context, spot, made, back, error) from None
    return place, replace(spot, access=where)


async def _still_there(spot: Spot, place: Place, pair: Pair, made: Made) -> None:
    """Look at the file once more: with one it cannot use, a server starts and lets everybody hang. Raises Refused."""
    from jupytui.certs.install import read_pair

    found = await read_pair(spot.host, place)
    if found is None or (found.leaf.der, found.key) != (pair.leaf.der, pair.key):
        await _undo(spot, made)
        raise Refused(f"{place.certfile} does not hold the certificate any more; the configuration is as it was.")


async def _changed(context: Context, spot: Spot, edit: Edit, title: str, becomes: str) -> Made | None:
    """Show what changes and what a restart ends; make the edit once it is agreed to."""
    from jupytui.jupyter.settings.commit import commit
    from jupytui.jupyter.settings.diff import diff
    from jupytui.jupyter.settings.discover import look

    if not await context.front.confirm(_question(context, spot, title, (diff(edit), *edit.notes, f"{becomes}."))):
        return None
    context.progress("changing its configuration")
    python = (await look(spot.host, spot.whose)).python
    return Made(await commit(spot.host, spot.whose, python, edit), python)


def _question(context: Context, spot: Spot, title: str, notes: tuple[str, ...]) -> Confirmation:
    lost = [*losses.of_server(spot.server), Loss(spot.server.id, "restarts; open pages must be loaded anew")]
    typed = spot.subject.host if any(loss.grave for loss in lost) else None
    runs = RESTART.runs(context, spot.subject)
    return Confirmation(f"{title} for {spot.server.id}", tuple(lost), runs, typed, notes)


async def _restarted(context: Context, spot: Spot, made: Made) -> Back:
    """Restart the server; where it does not come back, its configuration is as before and it starts with that."""
    from jupytui.jupyter.launch.lifecycle import restart

    async def mend() -> None:
        await _undo(spot, made)

    unit = spot.server.unit
    context.progress("restarting")
    context.fleet.expect_end(spot.subject)
    try:
        # A unit whose server runs and answers nobody is not mended by a start: that is ours to do.
        return await restart(spot.host, target_of(context, spot.subject), spot.prompter, None if unit else mend)
    except JupytuiError as error:
        raise await _back_to_before(spot, made, error) from None


async def _back_to_before(spot: Spot, made: Made, error: JupytuiError) -> JupytuiError:
    """Take the change back, and bring a unit back that has ended, or answers nobody; what to say of it."""
    from jupytui.jupyter.launch.causes import LaunchFailed
    from jupytui.jupyter.launch.lifecycle import start_unit
    from jupytui.jupyter.settings.models import CannotEdit
    from jupytui.systemd import control

    unit, said = spot.server.unit, "Its configuration is as it was"
    try:
        with suppress(CannotEdit):  # it was taken back already
            await _undo(spot, made)
        if unit and isinstance(error, LaunchFailed):
            await control.stop(spot.host, spot.prompter, unit.scope, unit.name)
            await start_unit(spot.host, unit, spot.prompter)
            said += ", and it runs again"
    except JupytuiError as worse:
        said = f"It could not be taken back wholly: {worse.message.rstrip('.')}"
    return Refused(f"{error.message} {said}.", error.hint, detail=error.detail)


async def _undo(spot: Spot, made: Made) -> None:
    from jupytui.jupyter.settings.apply import apply

    await apply(spot.host, made.python, made.done.undo, backups=False)


async def _taken_back(context: Context, spot: Spot, made: Made, back: Back, error: JupytuiError) -> JupytuiError:
    """The server is back and shows another certificate, or none: take the change back and restart it once more."""
    from jupytui.jupyter.launch.lifecycle import restart

    target = target_of(context, spot.subject)
    await _undo(spot, made)
    await restart(
        spot.host, type(target)(target.title, back.answer.pid, back.answer.port, back.answer.sock), spot.prompter
    )
    return Refused(f"{error.message} TLS is off again; its configuration is as it was.", error.hint)


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
    made = await _changed(context, spot, edit, "Turn TLS off", plain)
    if made is None:
        return ""
    back = await _restarted(context, spot, made)
    if place:
        await asyncio.to_thread(_forget, spot.host.name, place)
    await context.fleet.refresh([spot.host.name])
    kept = f" Its certificate stays in {place.certfile}." if place else ""
    return f"TLS is off: {back.answer.url or spot.server.id} answers.{kept}"
