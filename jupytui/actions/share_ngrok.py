"""Share a server through ngrok: token and binary, the endpoint by the keeper, Jupyter's side, the proof; and back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jupytui.actions import share_account, share_proof, share_side
from jupytui.actions.base import Answers, Confirmation, Context, Field, Finding, Form, Refused, Subjects
from jupytui.actions.share_side import Made
from jupytui.config.model import LOCAL
from jupytui.errors import JupytuiError
from jupytui.fleet.subject import Subject
from jupytui.tunnels.models import LOOPBACK, Address, Behind, Status, Tunnel, TunnelKind, TunnelState

if TYPE_CHECKING:
    from jupytui.reachability.target import Target
    from jupytui.tunnels.keeper.access import Tunnels

_SHARE, _WAY = "share-", "-way"
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9.-]+")


def name_of(subject: Subject) -> str:
    """Return the name of the tunnel by which a server is shared: share-HOST-PORT."""
    return _SHARE + _NOT_IN_A_NAME.sub("-", subject.server or "").strip("-")


def status_of(context: Context, subject: Subject) -> Status | None:
    """Return how the share of this server stands, None when there is none."""
    return context.tunnels.status(name_of(subject))


def check_domain(text: str) -> str | None:
    """Return what is wrong with a domain as it is typed; nothing is one that ngrok chooses."""
    text = text.strip()
    fine = not text or re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text)
    return None if fine else "A domain looks like lab.ngrok.app: no https://, no path."


async def form(_context: Context, subjects: Subjects) -> Form:
    """Ask for the domain."""
    return Form(
        f"Share {subjects[0].server} by ngrok",
        (
            Field(
                "domain",
                "Domain",
                help="the one that your account has (dashboard.ngrok.com/domains), so that Jupyter is set up once; "
                "empty: ngrok chooses",
                check=check_domain,
            ),
        ),
        submit="Share",
    )


async def run(context: Context, subjects: Subjects, answers: Answers) -> str:
    """Publish the server, and prove it. What was begun and does not come up is taken down again."""
    subject = subjects[0]
    domain = answers.get("domain", "").strip().lower()
    if wrong := check_domain(domain):
        raise Refused(wrong)
    await share_side.make_sure_it_is_shut(context, subject)
    if not await _agreed(context, subject, domain) or not await share_account.binary(context):
        return ""
    kept = await share_account.token(context, subject)
    status = await _publish(context, subject, domain)
    try:
        return await _prove(context, subject, status.url, answers, kept)
    except BaseException:
        await asyncio.shield(withdraw(context, subject))
        raise


async def _agreed(context: Context, subject: Subject, domain: str) -> bool:
    from jupytui.tunnels.public.codes import QUOTA_NOTE

    server = subject.server_in(context.fleet.store)
    notes = (share_proof.about(server, "Everybody on the internet who knows the address"), QUOTA_NOTE)
    where = domain or "an address that ngrok chooses (another one each time)"
    runs = f"ngrok, from this machine: {where} leads to {server.id}"
    return await context.front.confirm(Confirmation(f"Publish {server.id}", (), runs, notes=notes))


async def _publish(context: Context, subject: Subject, domain: str) -> Status:
    """Return the share, online. Raises JupytuiError; nothing of it is left then."""
    try:
        to = await _way(context, subject)
        context.progress("Going online")
        access = context.fleet.access(subject)
        behind = Behind(access.base_url, access.tls and not access.sock)
        tunnel = Tunnel(name_of(subject), subject.host or "", TunnelKind.PUBLIC, to=to, domain=domain, behind=behind)
        return await _online(await _up(context, tunnel))
    except BaseException:
        await asyncio.shield(withdraw(context, subject))
        raise


async def _online(status: Status) -> Status:
    """Return the share if it is. Raises JupytuiError; a token that ngrok does not take is not kept."""
    if status.url:
        return status
    raise await share_account.failure(status)


async def _way(context: Context, subject: Subject) -> Address:
    """Return where the server answers on this machine, for the agent: by a tunnel of its own, if need be."""
    access = context.fleet.access(subject)
    if subject.host == LOCAL and access.port and not access.sock:
        return Address(access.address, access.port)
    context.progress(f"Opening the way to {subject.server}")
    to = Address(path=access.sock) if access.sock else Address(access.address, access.port or 0)
    # Without the server's pid: it may be restarted, and is the one meant still.
    behind = Behind(access.base_url, access.tls)
    tunnel = Tunnel(_way_name(subject), subject.host or "", local=Address(LOOPBACK, 0), to=to, behind=behind)
    status = await _up(context, tunnel)
    if status.state is TunnelState.UP and status.local:
        return status.local
    trouble = status.error
    words = (trouble.message, trouble.hint) if trouble else (f"There is no way to {subject.server}: {status.state}.",)
    raise JupytuiError(*words)


def _way_name(subject: Subject) -> str:
    return f"{name_of(subject)}{_WAY}"


async def _up(context: Context, tunnel: Tunnel) -> Status:
    """Have `tunnel` up, with this description."""
    keeper = await context.tunnels.keeper()
    there = context.tunnels.status(tunnel.name)
    if there and (there.tunnel != tunnel or there.state is not TunnelState.UP):
        await keeper.remove(tunnel.name)
    return await context.tunnels.settled(await keeper.add(tunnel))


async def _prove(context: Context, subject: Subject, online: str, answers: Answers, kept: tuple[str, ...]) -> str:
    from jupytui.reachability.target import Target
    from jupytui.tunnels.public.codes import QUOTA_NOTE

    target = Target.parse(online)
    url, server = target.origin + subject.server_in(context.fleet.store).base_url, subject.server or ""
    made = await _set_up(context, subject, target, answers)
    if made is Made.LEFT:
        await withdraw(context, subject)
        return f"{server} is not shared."
    proof = await share_proof.prove_public(context, subject, url, answers, made)
    if proof.failed and proof.failed.cause == "open to anyone":
        raise Refused(proof.failed.words, "It was taken down at once. Set a password first.")
    before = (Finding("ok", "ngrok", f"online at {url}"),)
    notes = (*kept, QUOTA_NOTE)
    await context.front.report(share_proof.result(f"{server} by ngrok", url, server, proof, *notes, before=before))
    return ""


async def _set_up(context: Context, subject: Subject, target: Target, answers: Answers) -> Made:
    wishes = share_side.public_wishes(subject.server_in(context.fleet.store), target)
    draft = await share_side.draft(context, subject, wishes)
    if not draft.edit.files:
        return Made.AS_IT_WAS
    note = f"Jupyter refuses requests for names it does not know; {target.host} becomes one that it does."
    question = Confirmation(f"Let {target.host} in", (), "", notes=(note,))
    if not await share_side.agree(context, subject, draft, question, answers):
        return Made.LEFT
    return await share_side.make(context, subject, draft, answers)


async def withdraw(context: Context, subject: Subject) -> bool:
    """Take the share of a server down and forget it, with the tunnel that was made for it; whether there was any."""
    keeper = await context.tunnels.keeper()
    names = _names(context, subject)
    for name in names:
        await keeper.remove(name)
    return bool(names)


def refuse_stop(context: Context, subject: Subject) -> str | None:
    """Return why there is nothing to stop."""
    return None if _names(context, subject) else f"{subject.server} is not shared."


def _names(context: Context, subject: Subject) -> list[str]:
    """Return the tunnels there are for its share: somebody may have removed one of the two."""
    return [name for name in (name_of(subject), _way_name(subject)) if context.tunnels.status(name)]


def shared_of(tunnels: Tunnels, host: str) -> Sequence[Subject]:
    """Return the servers of `host` that are shared, as far as the keeper knows: they need not run, nor be reached."""
    shares = [s.tunnel for s in tunnels.statuses() if s.tunnel.kind is TunnelKind.PUBLIC and s.tunnel.host == host]
    return [found for share in shares if (found := _shared_by(tunnels, share))]


def _shared_by(tunnels: Tunnels, share: Tunnel) -> Subject | None:
    """Return the server that `share` was made for, None where it is a tunnel that somebody wrote down by hand."""
    way = tunnels.status(f"{share.name}{_WAY}")
    to = (way.tunnel.to if way else share.to) or Address()
    # Without its way only its name tells, which is not quite the server's.
    names = (f"{share.host}:{to.path or to.port}", share.name.removeprefix(_SHARE))
    subjects = (Subject(share.host, name) for name in names)
    return next((subject for subject in subjects if name_of(subject) == share.name), None)


async def stop(context: Context, subjects: Subjects, _answers: Answers) -> str:
    """Take the share down: when this returns nobody reaches it."""
    if not await withdraw(context, subjects[0]):
        raise Refused(f"{subjects[0].server} is not shared.")
    return f"{subjects[0].server} is not shared any more. Jupyter's settings stay: they let in only its own address."
