"""What can be done about certificates: an authority, certificates for servers, TLS on and off, renewal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from jupytui import figures
from jupytui.actions.base import Action, Answers, Context, Form, Refused, Subjects
from jupytui.actions.cert_authority import export_authority, export_form, make, make_form, timer_off, timer_on
from jupytui.actions.cert_install import deliver, former_key, ready, spot_of
from jupytui.actions.cert_off import turn_off
from jupytui.actions.cert_sights import look, secured
from jupytui.actions.cert_sources import (
    acme_form,
    by_acme,
    directory_url,
    import_form,
    imported,
    issue,
    issue_form,
    showing,
    split,
)
from jupytui.certs.models import Trust
from jupytui.fleet.subject import Scope, Subject
from jupytui.hosts.base import Host
from jupytui.jupyter.models import Health

if TYPE_CHECKING:
    from jupytui.certs.records import Installed
    from jupytui.certs.renew import Means, Outcome

# Per server


def _refuse(context: Context, subject: Subject) -> str | None:
    server = subject.server_in(context.fleet.store)
    if server.health is Health.STALE:
        return f"{server.id} has ended."
    if server.health is Health.UNREADABLE and not server.unit:
        return f"{server.id} belongs to another user."
    return None


def _refuse_new(context: Context, subject: Subject) -> str | None:
    server = subject.server_in(context.fleet.store)
    if server.sock and not secured(server):
        # Measured: jupyter_server 2.21 ends at once with both.
        return f"{server.id} listens on a unix socket, where Jupyter speaks no TLS."
    return _refuse(context, subject)


def _refuse_plain(context: Context, subject: Subject) -> str | None:
    if secured(subject.server_in(context.fleet.store)):
        return _refuse(context, subject)
    return f"{subject.server} has TLS off."


async def _issue(context: Context, subjects: Subjects, answers: Answers) -> str:
    from jupytui.certs.leaf import normal_names

    spot = spot_of(context, subjects[0])
    names = split(answers.get("names", ""))
    if not names:
        names = split((await issue_form(context, subjects)).fields[0].value)
    normal_names(names)
    where = await ready(context, spot)
    if where is None:
        return ""
    pair = await asyncio.to_thread(issue, names, await former_key(where))
    return await deliver(context, where, pair)


async def _import(context: Context, subjects: Subjects, answers: Answers) -> str:
    spot = spot_of(context, subjects[0])
    pair = await imported(context, spot, answers)
    where = await ready(context, spot) if pair else None
    return await deliver(context, where, pair, ours=False) if where and pair else ""


async def _acme(context: Context, subjects: Subjects, answers: Answers) -> str:
    spot = spot_of(context, subjects[0])
    directory_url(answers)
    where = await ready(context, spot)
    if where is None:
        return ""
    pair, way = await by_acme(context, spot, answers, await former_key(where))
    return await deliver(context, where, pair, way)


async def _off(context: Context, subjects: Subjects, _answers: Answers) -> str:
    return await turn_off(context, spot_of(context, subjects[0]))


# Renewal


async def record_of(context: Context, subject: Subject) -> Installed:
    """Return the record to renew by; one of ours that has none (made elsewhere) gets one. Raises Refused."""
    from jupytui.certs import private, records
    from jupytui.certs.inspect import Place

    directory = private.default_directory()
    server = subject.server_in(context.fleet.store)
    for record in await asyncio.to_thread(records.load, directory):
        if record.server == server.id:
            return record
    view = await look(context.fleet, subject)
    if view.trust is not Trust.OURS or not view.path:
        raise Refused(f"{server.id}: jupytui did not issue its certificate.", "Issue one, import it anew, or use ACME.")
    place, access = Place(view.path, view.keyfile or None), spot_of(context, subject).access
    return await asyncio.to_thread(records.remember, directory, subject.host or "", access, place, leaf=view.file[0])


def means(context: Context, *, ask: bool = True) -> Means:
    """Return what renewing needs. Without `ask` nobody can be asked for a DNS record."""
    from jupytui.certs.private import default_directory
    from jupytui.certs.renew import Means

    async def open_host(name: str) -> Host:
        host = context.fleet.host(name)
        await host.connect()
        return host

    return Means(default_directory(), open_host, show=showing(context) if ask else None)


async def renew_records(context: Context, chosen: Sequence[Installed], *, ask: bool = True) -> tuple[Outcome, ...]:
    """Renew these, one after the other; each one's sudo asks whoever asks for its host."""
    from dataclasses import replace

    from jupytui.certs.renew import renew_all

    outcomes: list[Outcome] = []
    for number, record in enumerate(chosen):
        context.progress(record.server, number / len(chosen))
        mine = replace(means(context, ask=ask), prompter=context.fleet.prompter(record.host))
        outcomes += await renew_all(mine, [record])
    return tuple(outcomes)


def sentence(outcome: Outcome) -> str:
    """Return what became of one renewal."""
    if outcome.installed:
        left = figures.left(outcome.installed.certificate.days_left())
        return f"{outcome.record.server} is renewed, {left} left, without a restart."
    return f"{outcome.record.server} is not renewed: {outcome.error}"


async def _renew(context: Context, subjects: Subjects, _answers: Answers) -> str:
    return await _told(context, [await record_of(context, subject) for subject in subjects])


async def _renew_due(context: Context, _subjects: Subjects, _answers: Answers) -> str:
    from jupytui.certs import private, records

    due = records.due(await asyncio.to_thread(records.load, private.default_directory()))
    return await _told(context, due) if due else "No certificate is due: all of jupytui's have more than 30 days left."


async def _told(context: Context, chosen: Sequence[Installed]) -> str:
    outcomes = await renew_records(context, chosen)
    await context.fleet.refresh({record.host for record in chosen})
    said = " ".join(map(sentence, outcomes))
    if errors := [outcome.error for outcome in outcomes if outcome.error]:
        raise Refused(said, detail="\n".join(filter(None, (error.detail for error in errors))))
    return said


async def _show(context: Context, subjects: Subjects, _answers: Answers) -> str:
    await context.front.show("7", subjects[0])
    return ""


Run = Callable[[Context, Subjects, Answers], Awaitable[str]]
Ask = Callable[[Context, Subjects], Awaitable[Form | None]]


def _of_all(id: str, title: str, help: str, run: Run, *, key: str = "", form: Ask | None = None) -> Action:
    return Action(id=id, title=title, help=help, run=run, keys=(key,) if key else (), form=form, scope=Scope.FLEET)


ISSUE = Action(
    id="cert.issue",
    title="Issue certificate",
    help="Signs a certificate by your own authority and installs it; turns TLS on where it is off.",
    scope=Scope.SERVER,
    keys=("c",),
    form=issue_form,
    refuse=_refuse_new,
    run=_issue,
)
RENEW = Action(
    id="cert.renew",
    title="Renew certificate",
    help="Gets a new one as it was got before, and swaps it: no restart, no kernel lost.",
    scope=Scope.SERVER,
    keys=("w",),
    many=True,
    refuse=_refuse_plain,
    run=_renew,
)
IMPORT = Action(
    id="cert.import",
    title="Import certificate",
    help="Checks a certificate and key that exist, and installs them; turns TLS on where it is off.",
    scope=Scope.SERVER,
    keys=("I",),
    form=import_form,
    refuse=_refuse_new,
    run=_import,
)
ACME = Action(
    id="cert.acme",
    title="Certificate by ACME",
    help="Orders one from Let's Encrypt or another ACME authority, and installs it.",
    scope=Scope.SERVER,
    keys=("A",),
    form=acme_form,
    refuse=_refuse_new,
    run=_acme,
)
OFF = Action(
    id="cert.off",
    title="Turn TLS off",
    help="Takes the certificate out of the server's configuration and restarts it.",
    scope=Scope.SERVER,
    keys=("X",),
    refuse=_refuse_plain,
    run=_off,
)
RENEW_DUE = _of_all(
    "cert.due", "Renew all that is due", "Renews every certificate with few days left.", _renew_due, key="W"
)
AUTHORITY = _of_all(
    "cert.authority", "Make your authority", "Makes the key that signs certificates of your own.", make,
    key="C", form=make_form,
)  # fmt: skip
EXPORT = _of_all(
    "cert.export", "Export your authority", "Writes its certificate, and says how each system trusts it.",
    export_authority, key="K", form=export_form,
)  # fmt: skip
TIMER_ON = _of_all("cert.timer", "Renew by a timer", "A user timer of this machine renews what is due.", timer_on)
TIMER_OFF = _of_all("cert.untimer", "Renew by no timer", "Removes the timer.", timer_off)
SHOW = Action(
    id="host.certs",
    title="Show certificates",
    help="Lists the servers of this host with their certificates.",
    scope=Scope.HOST,
    changes=False,
    run=_show,
)

ACTIONS = (ISSUE, RENEW, IMPORT, ACME, OFF, RENEW_DUE, AUTHORITY, EXPORT, TIMER_ON, TIMER_OFF, SHOW)
