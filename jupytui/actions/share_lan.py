"""Serve on the local network: at the machine's address, behind a login, proven from outside; and back to loopback."""

from __future__ import annotations

import asyncio

from jupytui.actions import share_proof, share_side
from jupytui.actions.base import Answers, Confirmation, Context, Field, Finding, Form, Refused, Result, Subjects
from jupytui.actions.share_proof import Proof
from jupytui.actions.share_side import Made
from jupytui.config.model import LOCAL
from jupytui.errors import JupytuiError
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import Server

EVERY = "all addresses of the machine"
_DROPPED = 4.0  # seconds of silence after which a port of the same network is filtered
_ANYBODY = "0.0.0.0"


async def form(context: Context, subjects: Subjects) -> Form:
    """Ask on which of the machine's addresses."""
    choices = (EVERY, *await _addresses(context, subjects[0]))
    field = Field(
        "address", "Listens on", EVERY, help="with all of them, tunnels to it go on as before", choices=choices
    )
    return Form(f"Serve {subjects[0].server} on the local network", (field,), submit="Serve")


async def _addresses(context: Context, subject: Subject) -> tuple[str, ...]:
    from jupytui.reachability.lan import addresses

    if found := await addresses(context.fleet.host(subject.host or "")):
        return found
    raise JupytuiError(f"{subject.host} has no address that others could use.", "Is it in a network?")


async def run(context: Context, subjects: Subjects, answers: Answers) -> str:
    """Set the address with consent, and prove from outside that it answers there and asks for a login."""
    from jupytui.jupyter.settings.presets import LOCAL_NETWORK

    subject = subjects[0]
    await share_side.make_sure_it_is_shut(context, subject)
    address, chosen = await _chosen(context, subject, answers)
    draft = await share_side.draft(context, subject, LOCAL_NETWORK.wishes({"address": chosen}))
    server = subject.server_in(context.fleet.store)
    notes = (share_proof.about(server, "Everybody in the machine's networks"), *_tls(server))
    question = Confirmation(f"Serve {server.id} at {address}", (), "", notes=notes)
    if not await share_side.agree(context, subject, draft, question, answers):
        return ""
    # Bound elsewhere than its files say: it was not restarted since.
    stale = server.bind == "loopback"
    wanted = draft.edit.files or stale
    made = await share_side.make(context, subject, draft, answers) if wanted else Made.AS_IT_WAS
    if made is Made.PENDING:
        return share_proof.PENDING.format(server=server.id)
    return await _prove(context, subject, address, answers, made)


async def _chosen(context: Context, subject: Subject, answers: Answers) -> tuple[str, str]:
    """Return the address to hand on, and the one to listen on."""
    found, wanted = await _addresses(context, subject), answers.get("address", "")
    if wanted in {"", EVERY}:
        return found[0], _ANYBODY
    if wanted not in found:
        raise Refused(f"{wanted} is no address of {subject.host}.", f"There are: {', '.join(found)}.")
    return wanted, wanted


def _tls(server: Server) -> tuple[str, ...]:
    if server.tls:
        return ()
    return (
        "It is not encrypted: whoever listens on that network reads the password. "
        f"`jupytui cert issue {server.id}` (Certificates) turns TLS on.",
    )


async def _prove(context: Context, subject: Subject, address: str, answers: Answers, made: Made) -> str:
    from jupytui.reachability.check import Check, trusting
    from jupytui.reachability.lan import far_look, url_at
    from jupytui.reachability.models import Part

    server, outside = subject.server_in(context.fleet.store), share_proof.vantage(context, subject)
    url = url_at(address, server)
    trusted = await asyncio.to_thread(trusting, answers.get("ca", ""))
    check = Check(url, outside, context=trusted, far=far_look(server), deadline=_DROPPED, until=Part.PAGE)
    proof = await share_proof.prove(context, subject, check, answers, made=made)
    alone = outside.name == LOCAL and subject.host == LOCAL
    seen = "this machine itself: a firewall does not show from here" if alone else outside.name
    bound = Finding("ok", "listens", f"on {server.bind}, port {server.port}; looked at from {seen}")
    report = share_proof.result(f"{server.id} at {address}", url, server.id, proof, *_tls(server), before=(bound,))
    await context.front.report(report)
    return ""


def refuse_undo(context: Context, subject: Subject) -> str | None:
    """Return why there is nothing to take back."""
    server = subject.server_in(context.fleet.store)
    if server.bind == "loopback" or server.sock:
        return f"{server.id} listens on its own machine alone."
    return None


async def undo(context: Context, subjects: Subjects, answers: Answers) -> str:
    """Have it listen on its own machine alone again, and prove that from outside."""
    subject = subjects[0]
    address = (await _addresses(context, subject))[0]
    draft = await share_side.draft(context, subject, {"ServerApp.ip": "localhost"})
    note = "From then on it is reached from its own machine alone, and through tunnels."
    question = Confirmation(f"Take {subject.server} off the network", (), "", notes=(note,))
    if not await share_side.agree(context, subject, draft, question, answers):
        return ""
    if await share_side.make(context, subject, draft, answers) is Made.PENDING:
        return share_proof.PENDING.format(server=subject.server)
    return await _prove_gone(context, subject, address)


async def _prove_gone(context: Context, subject: Subject, address: str) -> str:
    from jupytui.reachability.lan import reach

    server, outside = subject.server_in(context.fleet.store), share_proof.vantage(context, subject)
    proof = Proof(tuple((await reach(server, address, outside, _DROPPED)).steps))
    gone = proof.failed is not None
    words = f"nobody is answered at {address}, port {server.port}" if gone else f"{address} still answers"
    shut = Finding("ok" if gone else "failed", "shut", f"{words}; looked at from {outside.name}")
    bound = Finding("ok", "listens", f"on {server.bind}, port {server.port}")
    await context.front.report(Result(f"{server.id} is off the network", (bound, shut)))
    return ""
