"""Jupyter's side of a share: what is set so that it takes requests from elsewhere, with consent, and a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from jupytui.actions import losses
from jupytui.actions.base import Answers, Confirmation, Context, Refused
from jupytui.actions.lifecycle import RESTART
from jupytui.actions.neighbours import sharing_files
from jupytui.actions.restartable import allowed
from jupytui.actions.rollback import restart_with
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import Auth, Health, Server
from jupytui.secret import Secret

if TYPE_CHECKING:
    from jupytui.jupyter.settings.discover import Answer, Whose
    from jupytui.jupyter.settings.edit import Edit
    from jupytui.jupyter.settings.models import Found
    from jupytui.reachability.target import Target

Wishes = Mapping[str, object]
AS_IT_IS = "Nothing has to be changed in Jupyter's configuration."


class Made(Enum):
    """What became of a draft."""

    AS_IT_WAS = auto()  # there was nothing to do
    LEFT = auto()  # the person left it, nothing was written
    PENDING = auto()  # written; it counts after the next restart
    APPLIES = auto()  # the server was restarted


@dataclass(frozen=True, slots=True)
class Draft:
    """A change of one server's configuration that is not made yet; `edit` has no files where all is so already."""

    whose: Whose
    found: Found
    edit: Edit


def refuse(context: Context, subject: Subject) -> str | None:
    """Return why a server cannot be shared: others would be let in, or it is not ours to set up."""
    server = subject.server_in(context.fleet.store)
    if server.health is Health.STALE:
        return f"{server.id} has ended; only its file is left."
    if server.health is Health.UNREADABLE:
        return f"{server.id} belongs to another user."
    return refuse_open(server)


def refuse_addressless(context: Context, subject: Subject) -> str | None:
    """Return why a server cannot be shared at an address of its machine."""
    server = subject.server_in(context.fleet.store)
    if server.sock or not server.port:
        return f"{server.id} listens on a unix socket, which has no address."
    return refuse(context, subject)


def refuse_open(server: Server) -> str | None:
    """Return why this server must not be reachable for others, None where it asks for a password or a token."""
    first = f"Set a password first: jupytui passwd {server.id}"
    if server.auth is Auth.NONE or server.health is Health.OPEN:
        return f"{server.id} lets anybody in, without a password. {first}"
    if server.auth is Auth.UNKNOWN:
        return f"Nobody can tell whether {server.id} asks for a password. {first}"
    return None


async def make_sure_it_is_shut(context: Context, subject: Subject) -> None:
    """Ask the server itself, now. Raises Refused if it lets strangers in, ApiError."""
    from jupytui.jupyter.client import Door

    server = subject.server_in(context.fleet.store)
    api = context.fleet.api(subject)
    try:
        door = await api.door()
    finally:
        await api.close()
    if door is not Door.SHUT:
        raise Refused(f"{server.id} lets strangers in.", f"Set a password first: jupytui passwd {server.id}")


def public_wishes(server: Server, target: Target) -> dict[str, object]:
    """Return what a server needs to be reached at `target`, of which names alone matter here.

    Measured: with this, and the Host handed on, login, POST and websocket work, and other Origins are still refused.
    """
    wishes: dict[str, object] = {}
    if target.address is None:
        wishes["ServerApp.local_hostnames"] = ["localhost", target.host]
    if target.tls and server.tls is None:  # HTTPS ends before it: else its cookies would travel unencrypted, too
        wishes["ServerApp.trust_xheaders"] = True
    return wishes


async def draft(context: Context, subject: Subject, wishes: Wishes) -> Draft:
    """Return the change after which `wishes` hold; a list in them is joined with the one that is set. Writes nothing.

    Raises CannotEdit, CommandError, Refused when the server would let strangers in after its next start.
    """
    from jupytui.jupyter.settings.discover import Whose, ask, look
    from jupytui.jupyter.settings.door import door
    from jupytui.jupyter.settings.edit import joined, plan
    from jupytui.jupyter.settings.models import plain

    server, host = subject.server_in(context.fleet.store), context.fleet.host(subject.host or "")
    whose = Whose(server.app, server.pid)
    context.progress("Looking at its configuration")
    found, answer = await asyncio.gather(look(host, whose), ask(host, whose))
    found = answer.corrected(found)
    if door(found, answer.knowledge.resolve(found)).open:
        first = f"Set a password first: jupytui passwd {server.id}"
        raise Refused(f"{server.id} would let anybody in after its next start.", first)
    wanted = {key: joined(value, _value(answer, key)) for key, value in wishes.items()}
    new = {key: value for key, value in wanted.items() if plain(_value(answer, key)) != value}
    return Draft(whose, found, plan(found, new, answer.knowledge))


def _value(answer: Answer, key: str) -> object:
    try:
        return answer.value(key)
    except KeyError:
        return None


async def agree(context: Context, subject: Subject, draft: Draft, question: Confirmation, answers: Answers) -> bool:
    """Show `question` with the exact diff. Who consented to a restart consented to what it is for."""
    from jupytui.jupyter.settings.diff import diff

    writes = bool(draft.edit.files)
    others = sharing_files(context, subject) if writes else ()
    shown = replace(
        question,
        runs=diff(draft.edit) or AS_IT_IS,
        notes=(*question.notes, *draft.edit.notes, *others),
        expressly=writes and answers.get("restart") != "yes",
    )
    return await context.front.confirm(shown)


async def make(context: Context, subject: Subject, draft: Draft, answers: Answers) -> Made:
    """Write what was agreed to, have Jupyter confirm it, and restart with consent; without files only restart.

    It can be undone as any change of settings. A server that does not come back is started once more with its files as
    they were. Raises Refused where it may not be restarted, NotConfirmed, CannotEdit, LaunchFailed
    and what else a restart raises.
    """
    from jupytui.jupyter.settings.commit import commit
    from jupytui.jupyter.settings.last_edit import remember

    answers, barrier = await allowed(context, subject, answers)
    if barrier:
        context.progress(barrier)
    host = context.fleet.host(subject.host or "")
    if draft.edit.files:
        context.progress("Writing it, and asking Jupyter whether it holds")
        done = await commit(host, draft.whose, draft.found.python, draft.edit)
        if unkept := await remember(host, draft.found, "Change for a share", done, subject.server or ""):
            context.progress(unkept)
    if not await _may_restart(context, subject, answers):
        return Made.PENDING
    await _restart(context, subject, draft)
    return Made.APPLIES


async def _may_restart(context: Context, subject: Subject, answers: Answers) -> bool:
    server = subject.server_in(context.fleet.store)
    ends = tuple(losses.of_server(server))
    if answers.get("restart"):
        if answers["restart"] == "yes" and ends:
            context.progress(f"The restart ends {', '.join(f'{loss.what} ({loss.how})' for loss in ends)}")
        return answers["restart"] == "yes"
    typed = (subject.host or "") if any(loss.grave for loss in ends) else None
    note = "Jupyter reads its configuration at its start. Left now, the change counts after the next one."
    question = Confirmation(f"Restart {server.id} now", ends, RESTART.runs(context, subject), typed, (note,))
    return await context.front.confirm(question)


async def _restart(context: Context, subject: Subject, draft: Draft) -> None:
    name, before = subject.host or "", subject.server_in(context.fleet.store).pid
    await restart_with(context, subject, draft.found.python, draft.edit)
    await context.fleet.refresh([name])
    if subject.server_in(context.fleet.store).pid == before:
        await context.fleet.look_once([name])  # nobody watches: the command line


async def password_of(context: Context, subject: Subject, why: str) -> tuple[Secret, Secret]:
    """Return the password, asked for, and the token of the server meant: what of the two lets us in, the other false.

    Neither when the person does not say it.
    """
    from jupytui.hosts.base import SecretKind, SecretPrompt

    nothing = Secret("")
    if token := context.fleet.token(subject):
        return nothing, token
    prompt = SecretPrompt(subject.host or "", SecretKind.PASSWORD, f"The password of {subject.server}, {why}")
    return await context.fleet.prompter(subject.host or "").secret(prompt) or nothing, nothing
