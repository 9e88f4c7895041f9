"""Change how servers let people in: every change ends with a proof, or with everything as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from jupytui.actions import losses
from jupytui.actions.base import Action, Answers, Confirmation, Context, Field, Form, Refused, Subjects
from jupytui.actions.lifecycle import target_of
from jupytui.actions.neighbours import sharing_files
from jupytui.blocking import in_thread
from jupytui.errors import JupytuiError, WrongAnswer
from jupytui.fleet.subject import Scope, Subject
from jupytui.jupyter.models import App, Health, Server
from jupytui.secret import Secret

if TYPE_CHECKING:
    from jupytui.jupyter.passwords.carry_out import Outcome
    from jupytui.jupyter.passwords.plan import Plan, Wish

NOW, LATER = "now, and prove it", "later: it waits for the next restart"
SHORTEST = 8
_GENERATED = "empty: a passphrase of 92 bits is made, and shown once"

Run = Callable[[Context, Subjects, Answers], Awaitable[str]]
MakeForm = Callable[[Context, Subjects], Awaitable[Form]]


def _refuse(context: Context, subject: Subject) -> str | None:
    server = subject.server_in(context.fleet.store)
    if server.health is Health.STALE:
        return f"{server.id} has ended; only its file is left."
    if server.health is Health.UNREADABLE:
        return f"{server.id} belongs to another user."
    if server.app is App.HUB:
        return "Its hub lets people in, not the server itself."
    if server.app is App.CLASSIC:
        return "Notebook 6 and older keep passwords in another way; upgrade it first."
    return None


def check_password(text: str) -> str | None:
    """Return what is wrong with a new password as it is typed; nothing typed is fine."""
    return None if not text or len(text) >= SHORTEST else f"At least {SHORTEST} characters."


def _weigh(text: str) -> str:
    from jupytui.jupyter.passwords.strength import strength

    return str(strength(Secret(text))) if text else ""


_RESTART = Field("restart", "Restart", NOW, choices=(NOW, LATER), help="a running server never reads its files again")
_OLD = Field("old", "Password until now", secret=True, help="if you know it: that it is refused afterwards is proven")


async def _form_set(context: Context, subjects: Subjects) -> Form:
    await in_thread(lambda: _weigh("warm"))  # its dictionaries take a moment, and nobody should wait at a key
    return Form(
        f"Password of {_names(subjects)}",
        (
            Field("password", "New password", secret=True, help=_GENERATED, check=check_password, weigh=_weigh),
            Field("again", "The same again", secret=True),
            _OLD,
            _RESTART,
        ),
        submit="Change",
    )


def _form(title: str, submit: str, *fields: Field) -> MakeForm:
    async def form(_context: Context, subjects: Subjects) -> Form:
        return Form(f"{title} {_names(subjects)}", (*fields, _RESTART), submit=submit)

    return form


def _names(subjects: Subjects) -> str:
    return subjects[0].server or "" if len(subjects) == 1 else f"{len(subjects)} servers"


class _Job(NamedTuple):
    subject: Subject
    server: Server
    plan: Plan


def _run(kind: str) -> Run:
    async def run(context: Context, subjects: Subjects, answers: Answers) -> str:
        wish = await _wish(context, kind, answers)
        if wish is None:
            return ""
        consent = answers.get("restart", NOW) == NOW
        jobs = [await _job(context, subject, wish) for subject in subjects]
        if not await context.front.confirm(_question(context, jobs, consent=consent)):
            return ""
        if len(jobs) == 1:
            return await _one(context, jobs[0], consent=consent)
        return await _many(context, jobs, consent=consent)

    return run


async def _wish(context: Context, kind: str, answers: Answers) -> Wish | None:
    """Return what is wanted; None: the person did not take the passphrase that was made. Raises WrongAnswer."""
    from jupytui.jupyter.passwords.plan import Kind, Wish
    from jupytui.jupyter.passwords.strength import generated, new_token

    password, what = Secret(answers.get("password", "")), Kind(kind)
    if what is Kind.SET:
        if problem := check_password(password.reveal()):
            raise WrongAnswer(problem, field="password")
        if answers.get("again", password.reveal()) != password.reveal():
            raise WrongAnswer("The two are not the same.", field="again")
        if not password:
            password = generated()
            shown = Confirmation("The new password", (), password.reveal(), notes=("Keep it: it is shown only now.",))
            if not await context.front.confirm(shown):
                return None
    elif what is Kind.TOKEN:
        password = new_token()
    return Wish(what, password, Secret(answers.get("old", "")))


async def _job(context: Context, subject: Subject, wish: Wish) -> _Job:
    from jupytui.jupyter.passwords.plan import prepare
    from jupytui.jupyter.passwords.standing import whose

    server = subject.server_in(context.fleet.store)
    context.progress(f"{server.id}: asking its Jupyter")
    return _Job(subject, server, await prepare(context.fleet.host(subject.host or ""), whose(server), wish))


def _question(context: Context, jobs: Sequence[_Job], *, consent: bool) -> Confirmation:
    lost = [loss for job in jobs for loss in losses.of_server(job.server)] if consent else []
    notes = [note for job in jobs for note in job.plan.notes]
    notes += [note for job in jobs if job.plan.edit.files for note in sharing_files(context, job.subject)]
    if not consent:
        notes.append("It counts after the next restart; until then all stays as it is.")
    runs = [part for job in jobs for part in (job.plan.shown, f"restart {job.server.id}" if consent else "")]
    hosts = sorted({job.subject.host or "" for job in jobs})
    return Confirmation(
        title=f"{_TITLES[jobs[0].plan.wish.kind]} on {', '.join(hosts)}",
        losses=tuple(lost),
        runs="\n".join(dict.fromkeys(filter(None, runs))),
        typed=hosts[0] if any(loss.grave for loss in lost) else None,
        notes=tuple(dict.fromkeys(notes)),
    )


async def _one(context: Context, job: _Job, *, consent: bool) -> str:
    outcome = await _carry_out(context, job, consent=consent)
    await context.fleet.refresh([job.subject.host or ""])
    if outcome.pending:
        return f"{_written(outcome)} It counts after a restart of {job.server.id}."
    await context.front.tell(f"{job.server.id}: {_state(outcome)}", ["\n".join(_lines(outcome))])
    untried = f". Not proven: {'; '.join(outcome.untried)}." if outcome.untried else " and proven."
    return f"{job.server.id}: {_TITLES[job.plan.wish.kind].lower()} done{untried}"


async def _many(context: Context, jobs: Sequence[_Job], *, consent: bool) -> str:
    """One after the other, each with its result; one that fails does not keep the others from it."""
    paragraphs, failed, touched = [], 0, set()
    for job in jobs:
        try:
            # Servers of one user share files, and the one before may have written them.
            job = await _job(context, job.subject, job.plan.wish) if job.subject.host in touched else job
            touched.add(job.subject.host)
            outcome = await _carry_out(context, job, consent=consent)
            said = [_written(outcome)] if outcome.pending else _lines(outcome)
            paragraphs.append("\n".join([f"{job.server.id}: {_state(outcome)}", *said]))
        except JupytuiError as error:
            failed += 1
            paragraphs.append(f"{job.server.id}: failed\n{error}")
    await context.fleet.refresh({job.subject.host or "" for job in jobs})
    title = _TITLES[jobs[0].plan.wish.kind]
    await context.front.tell(f"{title}: {len(jobs) - failed} of {len(jobs)} done", paragraphs)
    if failed:
        raise JupytuiError(f"{title}: {failed} of {len(jobs)} servers failed.", detail="\n\n".join(paragraphs))
    return f"{title}: {len(jobs)} servers done."


async def _carry_out(context: Context, job: _Job, *, consent: bool) -> Outcome:
    from jupytui.jupyter.passwords.carry_out import carry_out
    from jupytui.jupyter.passwords.proof import Step

    name = job.subject.host or ""
    if consent:
        context.fleet.expect_end(job.subject)

    def told(step: Step) -> None:
        context.progress(f"{step}")

    host, prompter = context.fleet.host(name), context.fleet.prompter(name)
    try:
        return await carry_out(host, target_of(context, job.subject), job.plan, prompter, told, consent=consent)
    except asyncio.CancelledError as stopped:
        # Who stopped it hears elsewhere that it stopped, and must not take that for "nothing has happened".
        if left := getattr(stopped, "__notes__", ()):
            await context.front.tell(f"{job.server.id}: stopped halfway", left)
        raise


def _state(outcome: Outcome) -> str:
    if outcome.pending:
        return "waits for a restart"
    return "done, not all of it proven" if outcome.untried else "proven"


def _lines(outcome: Outcome) -> list[str]:
    return [*map(str, outcome.steps), *(f"– not tried: {what}" for what in outcome.untried)]


def _written(outcome: Outcome) -> str:
    plan = outcome.plan
    entry, files = plan.then.decisive, [file for file in plan.edit.files if file is not plan.secret]
    said = [f"Written to {entry.where if entry else files[0].path}."] if files else []
    said += ["The secret of all sessions is removed."] if plan.secret else []
    return " ".join(said) or "There was nothing to write."


async def _show_token(context: Context, subjects: Subjects, _answers: Answers) -> str:
    token = context.fleet.token(subjects[0])
    if token is None:
        raise Refused(f"No token is known that opens {subjects[0].server}.", "It asks for a password, or for nothing.")
    await context.front.tell(f"Token of {subjects[0].server}", [token.reveal(), "Whoever has it is let in."])
    return ""


_TITLES = {
    "set": "Change of the password",
    "remove": "Removal of the password",
    "logout": "Logout of everybody",
    "token": "New token",
    "migrate": "Migration of the password",
}


def _action(kind: str, title: str, help_: str, form: MakeForm, key: str = "", *, many: bool = True) -> Action:
    return Action(
        id=f"password.{kind}",
        title=title,
        help=help_,
        scope=Scope.SERVER,
        keys=(key,) if key else (),
        many=many,
        form=form,
        refuse=_refuse,
        run=_run(kind),
    )


SET = _action(
    "set",
    "Set password",
    "Writes the hash where it counts, ends old sessions, restarts with consent, and proves that the old ways are shut.",
    _form_set,
    "p",
)
REMOVE = _action(
    "remove",
    "Remove password",
    "Takes it out of every file; the server asks for a token then, never for nothing.",
    _form("Remove the password of", "Remove", _OLD),
)
LOGOUT = _action(
    "logout",
    "Log everybody out",
    "Removes the secret that sessions hang on, and restarts.",
    _form("Log everybody out of", "Log out", _OLD),
    "E",
)
TOKEN = _action(
    "token",
    "New token",
    "Makes a new token where one is configured; one of Jupyter's own making is new after a restart.",
    _form("New token for", "Change"),
    "T",
)
MIGRATE = _action(
    "migrate",
    "Migrate password",
    "The same password, under today's key and in today's hash.",
    _form("Migrate the password of", "Migrate", Field("password", "Its password", secret=True, help="for a new hash")),
    many=False,
)
SHOW_TOKEN = Action(
    id="password.token.show",
    title="Show token",
    help="Shows the token that opens this server.",
    scope=Scope.SERVER,
    keys=("V",),
    changes=False,
    refuse=_refuse,
    run=_show_token,
)

ACTIONS = (SET, LOGOUT, TOKEN, SHOW_TOKEN, REMOVE, MIGRATE)
