"""What every change of a server's settings goes through: look, show the difference, write, prove, restart or wait."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from jupytui.actions import losses
from jupytui.actions.base import Answers, Confirmation, Context
from jupytui.actions.lifecycle import RESTART, back
from jupytui.actions.restartable import allowed
from jupytui.actions.rollback import PROMISE, restart_with
from jupytui.errors import CommandError, JupytuiError
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Host
from jupytui.jupyter.models import App, Health, Server

if TYPE_CHECKING:
    from jupytui.jupyter.settings.discover import Answer
    from jupytui.jupyter.settings.edit import Edit
    from jupytui.jupyter.settings.models import Found


class Seen(NamedTuple):
    """A server's configuration as it is now; `found` without what Jupyter cannot run."""

    subject: Subject
    server: Server
    host: Host
    found: Found
    answer: Answer


def refuse(context: Context, subject: Subject) -> str | None:
    """Return why nothing can be said of a server's settings."""
    server = subject.server_in(context.fleet.store)
    if server.health is Health.STALE:
        return f"{server.id} has ended; only its file is left."
    if server.health is Health.UNREADABLE:
        return f"{server.id} belongs to another user."
    if server.app is App.CLASSIC:
        return "Notebook 6 and older are configured in another way; upgrade it first."
    return "Its hub configures it." if server.app is App.HUB else None


async def see(context: Context, subject: Subject, *, traits: bool = False) -> Seen:
    """Look, and ask Jupyter: 1-2 s. Raises Gone, CommandError, DeadlineError, HostTrouble.

    Where Jupyter ends at once with its configuration, just that may be what is to be mended: the answer is empty then.
    """
    from jupytui.jupyter.settings.discover import look
    from jupytui.jupyter.settings.overview import whose

    server = subject.server_in(context.fleet.store)
    host = context.fleet.host(subject.host or "")
    context.progress("asking Jupyter")
    found, answer = await asyncio.gather(look(host, whose(server)), _heard(host, server, traits=traits))
    return Seen(subject, server, host, answer.corrected(found) if answer.version else found, answer)


async def _heard(host: Host, server: Server, *, traits: bool) -> Answer:
    from jupytui.jupyter.settings.discover import Answer, ask
    from jupytui.jupyter.settings.overview import whose

    try:
        return await ask(host, whose(server), traits=traits)
    except CommandError:
        return Answer("", {}, {})  # whatever is written is proven by asking again


async def put(
    context: Context, seen: Seen, edit: Edit, title: str, answers: Answers, *, reasons: Sequence[str] = ()
) -> str | None:
    """Show what changes, write it, have Jupyter prove it, and restart if that is wanted; None: the person left it.

    The answer "restart" is yes, no, or not there: then it is asked. Raises Refused
    where it may not be restarted from here, CannotEdit, NotConfirmed, HostTrouble.
    """
    from jupytui.jupyter.settings.commit import commit
    from jupytui.jupyter.settings.diff import diff
    from jupytui.jupyter.settings.last_edit import remember
    from jupytui.jupyter.settings.overview import whose

    answers, barrier = await allowed(context, seen.subject, answers)
    notes = (*reasons, *edit.notes, *others(context, seen), *filter(None, [barrier]))
    question = Confirmation(f"{title} of {seen.server.id}", (), diff(edit), notes=notes)
    if not await context.front.confirm(question):
        return None
    context.progress("writing, and asking Jupyter")
    done = await commit(seen.host, whose(seen.server), seen.found.python, edit)
    paths = ", ".join(change.path for change in edit.files)
    unkept = await remember(seen.host, seen.found, title, done, seen.server.id)
    said = f"Written to {paths}, and Jupyter takes it. {unkept}".rstrip()
    said = await restart_or_wait(context, seen.subject, answers, said, python=seen.found.python, edit=edit)
    return f"{said} {barrier}".rstrip()


def others(context: Context, seen: Seen) -> list[str]:
    """Return what is to be said of servers that may read the same files."""
    away = {Health.STALE, Health.UNREADABLE}
    view = seen.subject.host_in(context.fleet.store)
    ids = [server.id for server in view.servers if server.id != seen.server.id and server.health not in away]
    return [f"If {', '.join(ids)} read the same files, this counts there too after their next start."] if ids else []


async def restart_or_wait(
    context: Context, subject: Subject, answers: Answers, said: str, *, python: str, edit: Edit
) -> str:
    """Restart the server with consent, its kernels named; else what was written waits.

    Raises JupytuiError when it does not come back with `edit`, which is taken back then.
    """
    server = subject.server_in(context.fleet.store)
    if not await _wanted(context, subject, server, answers.get("restart", "")):
        return f"{said} Pending: it counts after a restart of {server.id}."
    try:
        proof = await restart_with(context, subject, python, edit)
    except JupytuiError as error:
        raise JupytuiError(f"{said} But then: {error.message}", error.hint, detail=error.detail) from error
    await context.fleet.refresh([subject.host or ""])
    return f"{said} {back(subject.host or '', server.id, proof)}"


async def _wanted(context: Context, subject: Subject, server: Server, answer: str) -> bool:
    if answer == "no" or (not answer and RESTART.refuse(context, subject)):
        return False
    lost = tuple(losses.of_server(server))
    if answer == "yes":
        for loss in lost:
            context.progress(f"{loss.what} ends ({loss.how})")
        return True
    question = Confirmation(
        title=f"Restart {server.id} now?",
        losses=lost,
        runs=RESTART.runs(context, subject),
        typed=subject.host if any(loss.grave for loss in lost) else None,
        notes=(
            "A running server never reads its files again. Left as it is, the change waits for the next restart.",
            PROMISE,
        ),
    )
    return await context.front.confirm(question)
