"""The proof that an address works from outside: the check, step by step; what it offers to mend; the check again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jupytui.actions import share_side
from jupytui.actions.base import Answers, Confirmation, Context, Finding, Result
from jupytui.actions.share_side import Made
from jupytui.config.model import LOCAL
from jupytui.errors import JupytuiError
from jupytui.fleet.subject import Subject
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import Server

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from jupytui.hosts.base import Host
    from jupytui.reachability.check import Check
    from jupytui.reachability.models import Expected, Fix, Step
    from jupytui.secret import Secret

HERE = "this machine"
PENDING = "It is written, and counts after the next restart of {server}: jupytui restart {server}"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was tried; `pending`: something was set that counts after a restart."""

    steps: tuple[Step, ...]
    pending: bool = False

    @property
    def failed(self) -> Step | None:
        """The step that failed."""
        return next((step for step in self.steps if step.outcome == "failed"), None)


async def prove(
    context: Context, subject: Subject, check: Check, answers: Answers, *, mends: bool = True, made: Made
) -> Proof:
    """Check an address. What can be mended in Jupyter's settings is offered with its diff, then it is checked again.

    Each cause is mended once; `made` is what came of Jupyter's side before. Raises UsageError for what is no URL, and
    as `share_side.make`.
    """
    tried: set[str] = set()
    while True:
        steps = await _tried(context, check)
        offer = next(_offers(steps, tried), None) if mends else None
        if offer is None:
            return Proof(steps)
        step, fix = offer
        tried.add(str(step.cause))
        made = await _mend(context, subject, step, fix, answers, fresh=made is Made.APPLIES)
        if made is not Made.APPLIES:
            return Proof(steps, made is Made.PENDING)
        check = await _renewed(context, subject, check)


async def _renewed(context: Context, subject: Subject, check: Check) -> Check:
    """Return the check of a server that was restarted: a token that Jupyter makes itself is another one by then."""
    token = context.fleet.token(subject) if check.token else None
    check = replace(check, token=token or check.token)
    return replace(check, expected=await expected(context, subject, check.password, check.token))


def _offers(steps: Iterable[Step], tried: set[str]) -> Iterator[tuple[Step, Fix]]:
    for step in steps:
        for fix in step.fixes:
            if fix.settings and str(step.cause) not in tried:
                yield step, fix


async def _mend(context: Context, subject: Subject, step: Step, fix: Fix, answers: Answers, *, fresh: bool) -> Made:
    draft = await share_side.draft(context, subject, fix.settings)
    if not draft.edit.files and (fresh or step.outcome != "failed"):
        return Made.AS_IT_WAS  # it is set, and a restart would be for nothing: the other side is to blame
    notes = tuple(filter(None, (step.words, fix.words, fix.proxy and f"On the other side: {fix.proxy}")))
    question = Confirmation(f"{step.part}: {step.cause}", (), "", notes=notes)
    if not await share_side.agree(context, subject, draft, question, answers):
        return Made.LEFT
    return await share_side.make(context, subject, draft, answers)


async def _tried(context: Context, check: Check) -> tuple[Step, ...]:
    steps = []
    async for step in check.steps():
        steps.append(step)
        context.progress(f"{step.outcome}: {step.part}: {step.words}")
    return tuple(steps)


async def prove_public(
    context: Context, subject: Subject, url: str, answers: Answers, made: Made = Made.AS_IT_WAS, *, mends: bool = True
) -> Proof:
    """Prove a public address from this machine, signed in where the person says the password.

    `answers["ca"]` is a PEM file with authorities that this system does not know, "" for none. `made` is what came of
    Jupyter's side before. Raises as `prove`, and ConfigError for the file.
    """
    from jupytui.hosts.local import LocalHost
    from jupytui.reachability.check import Check, trusting

    trusted = await asyncio.to_thread(trusting, answers.get("ca", "").strip())
    check, pending = Check(url, LocalHost(HERE), context=trusted), made is Made.PENDING
    if not pending:  # else it fails before anybody signs in
        password, token = await share_side.password_of(context, subject, "to prove that signing in works from outside")
        meant = await expected(context, subject, password, token)
        check = replace(check, password=password, token=token, expected=meant)
    proof = await prove(context, subject, check, answers, mends=mends and not pending, made=made)
    return replace(proof, pending=pending or proof.pending)


async def expected(context: Context, subject: Subject, password: Secret, token: Secret) -> Expected:
    """Return what tells the server meant from others: its version, and its start where we are let in to ask."""
    from jupytui.reachability.models import Expected

    server = subject.server_in(context.fleet.store)
    started = None
    with suppress(JupytuiError):  # then it is told by its version alone
        started = await _started(context, subject, password, token)
    return Expected(server.version, started)


async def _started(context: Context, subject: Subject, password: Secret, token: Secret) -> datetime | None:
    import msgspec

    from jupytui.jupyter.client import ApiStatus
    from jupytui.jupyter.http import HttpClient
    from jupytui.jupyter.login import sign_in

    client = HttpClient(context.fleet.host(subject.host or ""), context.fleet.access(subject))
    try:
        headers = await sign_in(client, password) if password else {"Authorization": f"token {token.reveal()}".encode()}
        reply = await client.request("GET", f"{client.access.base_url}api/status", headers)
    finally:
        await client.close()
    try:
        return msgspec.json.decode(reply.body, type=ApiStatus).started
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def findings(steps: Sequence[Step]) -> tuple[Finding, ...]:
    """Return the steps as they are shown."""
    return tuple(Finding(str(step.outcome), str(step.part), step.words, _details(step)) for step in steps)


def _details(step: Step) -> tuple[str, ...]:
    ways = [f"→ {way(fix)}" for fix in step.fixes]
    evidence = step.evidence if step.outcome == "failed" else ()
    return (*ways, *evidence)


def way(fix: Fix) -> str:
    """Return one way out, in words."""
    settings = ", ".join(f"{key} = {value!r}" for key, value in fix.settings.items())
    return " ".join(filter(None, (fix.words, settings and f"({settings})", fix.proxy)))


def result(title: str, url: str, server: str, proof: Proof, *notes: str, before: Sequence[Finding] = ()) -> Result:
    """Return what is shown at the end; `before` is what was done before the check."""
    pending = (PENDING.format(server=server),) if proof.pending else ()
    ended = f"fails: {proof.failed.cause}" if proof.failed else "works"
    return Result(f"{title} {ended}", (*before, *findings(proof.steps)), (*pending, *notes), url)


def vantage(context: Context, subject: Subject) -> Host:
    """Return where to look from, so that it is from outside: this machine; for its own servers another that is up."""
    if subject.host != LOCAL:
        from jupytui.hosts.local import LocalHost

        return LocalHost(HERE)
    others = (view.name for view in context.fleet.store if view.name != LOCAL and view.state is HostState.UP)
    return context.fleet.host(next(others, LOCAL))


def about(server: Server, who: str) -> str:
    """Return in words what will be within whose reach."""
    lock = "a password" if server.auth == "password" else "a token" if server.auth == "token" else "a password or token"
    files = f"the files below {server.root_dir}" if server.root_dir else "its files"
    return (
        f"{who} will reach the login page of {server.id}. Behind it are {files}, and a shell as the user it runs as; "
        f"{lock} is the only lock."
    )
