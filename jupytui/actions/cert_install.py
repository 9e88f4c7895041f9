"""Brings a certificate to a server: swapped where TLS is on, else TLS is turned on by its configuration.

Consent comes first, then the certificate, which may have to be ordered; only then anything is written.
"""

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
from jupytui.actions.neighbours import sharing_files
from jupytui.actions.restartable import barred
from jupytui.errors import JupytuiError
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Host, Prompter
from jupytui.jupyter.models import Server

if TYPE_CHECKING:
    from jupytui.certs.files import Files, Former
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
class Ready:
    """A server that a certificate can be brought to: into `place`; `edit` turns TLS on, which was agreed to."""

    spot: Spot
    place: Place
    edit: Edit | None = None


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


async def ready(context: Context, spot: Spot) -> Ready | None:
    """Find where a certificate goes and, where TLS is off, ask whether to turn it on; None: consent was refused.

    Nothing is written. Raises Refused where it has not read its configuration yet, CertificateError, CannotEdit,
    CommandError, HostTrouble.
    """
    from jupytui.certs import configure
    from jupytui.certs.files import user_of_process
    from jupytui.certs.install import refuse_links

    context.progress("looking for its files")
    if place := await configure.find_place(spot.host, spot.whose):
        if not secured(spot.server):
            hint = "Restart it (R), then issue."
            raise Refused(f"{spot.server.id} has TLS on in its configuration, but was not restarted since.", hint)
        place = replace(place, user=await user_of_process(spot.host, spot.whose.pid))
        await refuse_links(spot.host, place)
        return Ready(spot, place)
    if barrier := await barred(context, spot.subject):
        raise Refused(barrier)
    place, edit = await configure.turning_on(spot.host, spot.whose, spot.server.port or 0)
    becomes = f"In the browser its address becomes {spot.url}"
    return Ready(spot, place, edit) if await agreed(context, spot, edit, "Turn TLS on", becomes) else None


async def former_key(where: Ready) -> Secret | None:
    """Return the key it has now, if it is of the kind we make: with the same key no connection fails in a swap."""
    from jupytui.certs.install import read_pair

    former = None if where.edit else await read_pair(where.spot.host, where.place)
    return former.key if former and former.leaf.key_type.startswith("ECDSA") else None


async def deliver(context: Context, where: Ready, pair: Pair, acme: Acme | None = None, *, ours: bool = True) -> str:
    """Make the server show `pair`, prove it and remember how to renew it; return the sentence that says so.

    Neither `ours` nor by `acme`: nobody can renew it, and no record is kept. Raises JupytuiError.
    """
    from jupytui.certs import private, records

    spot, place = where.spot, where.place
    try:
        access, said = await (
            _turned_on(context, where, where.edit, pair) if where.edit else _swapped(context, where, pair)
        )
    except PermissionError as error:
        hint = f"It is done as {place.user}, whose server it is." if place.user else "Is it root's?"
        raise Refused(f"{place.certfile} cannot be replaced: {error.strerror or error}", hint) from None
    directory = private.default_directory()
    if ours or acme:
        await asyncio.to_thread(records.remember, directory, spot.host.name, access, place, leaf=pair.leaf, acme=acme)
    else:
        await asyncio.to_thread(records.hand_over, directory, spot.host.name, place.certfile)
    await context.fleet.refresh([spot.host.name])
    return said


async def _swapped(context: Context, where: Ready, pair: Pair) -> tuple[Access, str]:
    from jupytui.certs.install import install

    spot = where.spot
    context.progress("swapping the files")
    done = await install(spot.host, spot.access, where.place, pair)
    days = figures.left(pair.leaf.days_left())
    return spot.access, f"{spot.server.id} shows its new certificate, {days} left, without a restart ({done.way})."


async def _turned_on(context: Context, where: Ready, edit: Edit, pair: Pair) -> tuple[Access, str]:
    from jupytui.certs.install import proven

    spot, place = where.spot, where.place
    made = await _placed_and_made(context, where, edit, pair)
    await _still_there(spot, place, pair, made)
    back = await restarted(context, spot, made)
    access = replace(spot.access, port=back.answer.port, sock=back.answer.sock)
    context.progress("shaking hands")
    try:
        await proven(spot.host, access, pair)
    except JupytuiError as error:
        raise await _taken_back(context, spot, made, back, error) from None
    url, days = replace(spot, access=access).url, figures.left(pair.leaf.days_left())
    return access, f"TLS is on: {url} shows its certificate, proven by a handshake; {days} left."


async def _placed_and_made(context: Context, where: Ready, edit: Edit, pair: Pair) -> Made:
    """Put the pair on the host and make the edit; the file goes again only where no configuration names it."""
    from jupytui.certs import configure
    from jupytui.certs.files import Files
    from jupytui.jupyter.settings.commit import NotConfirmed
    from jupytui.jupyter.settings.models import CannotEdit

    spot, place = where.spot, where.place
    context.progress("putting it on its host")
    files = Files(spot.host, place.user)
    former = await files.read(place.certfile)
    try:
        await configure.put(spot.host, place, pair)
        return await change(context, spot, edit)
    except (CannotEdit, NotConfirmed, asyncio.CancelledError):
        # With these the configuration is as before. With any other error it may name the file, and a server that
        # starts without it lets everybody hang.
        await asyncio.shield(_put_back(files, place, former))
        raise


async def _put_back(files: Files, place: Place, former: Former) -> None:
    with suppress(JupytuiError, PermissionError):  # what is left then is private, and read by nobody
        await files.put_back(place.certfile, former)


async def _still_there(spot: Spot, place: Place, pair: Pair, made: Made) -> None:
    """Look at the file once more: with one it cannot use, a server starts and lets everybody hang. Raises Refused."""
    from jupytui.certs.install import read_pair

    found = await read_pair(spot.host, place)
    if found is None or (found.leaf.der, found.key) != (pair.leaf.der, pair.key):
        await _undo(spot, made)
        raise Refused(f"{place.certfile} does not hold the certificate any more; the configuration is as it was.")


async def agreed(context: Context, spot: Spot, edit: Edit, title: str, becomes: str) -> bool:
    """Show what changes, what a restart ends, and whom else it may concern."""
    from jupytui.jupyter.settings.diff import diff

    lost = [*losses.of_server(spot.server), Loss(spot.server.id, "restarts; open pages must be loaded anew")]
    question = Confirmation(
        title=f"{title} for {spot.server.id}",
        losses=tuple(lost),
        runs=RESTART.runs(context, spot.subject),
        typed=spot.subject.host if any(loss.grave for loss in lost) else None,
        notes=(diff(edit), *edit.notes, f"{becomes}.", *sharing_files(context, spot.subject)),
    )
    return await context.front.confirm(question)


async def change(context: Context, spot: Spot, edit: Edit) -> Made:
    """Make the edit, proven by Jupyter itself. Raises as `settings.commit`."""
    from jupytui.jupyter.settings.commit import commit
    from jupytui.jupyter.settings.discover import look

    context.progress("changing its configuration")
    python = (await look(spot.host, spot.whose)).python
    return Made(await commit(spot.host, spot.whose, python, edit), python)


async def restarted(context: Context, spot: Spot, made: Made) -> Back:
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
