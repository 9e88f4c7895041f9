"""Stop, kill, restart a server."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from jupytui.actions import losses
from jupytui.actions.base import Action, Answers, Context, Loss, Subjects
from jupytui.errors import UsageError
from jupytui.fleet.subject import Scope, Subject
from jupytui.hosts.base import Host, Prompter
from jupytui.jupyter.models import Health, Server

if TYPE_CHECKING:
    from jupytui.jupyter.launch.lifecycle import Back, Ended
    from jupytui.jupyter.launch.shutdown import Target


def _refuse(context: Context, subject: Subject) -> str | None:
    server = subject.server_in(context.fleet.store)
    if server.health is Health.STALE:
        return f"{server.unit.name} is stopped: u starts it." if server.unit else f"{server.id} has ended."
    if _foreign(server):
        return f"{server.id} belongs to another user."
    return None


def _foreign(server: Server) -> bool:
    return server.health is Health.UNREADABLE and not server.unit


def _refuse_stop(context: Context, subject: Subject) -> str | None:
    server = subject.server_in(context.fleet.store)
    if _foreign(server) and server.port:
        return None  # its password ends it
    return _refuse(context, subject)


def _losses(context: Context, subject: Subject) -> Sequence[Loss]:
    server = subject.server_in(context.fleet.store)
    if _foreign(server):
        return [Loss(f"{server.id}, another user's server", "nobody can tell what runs on it", grave=True)]
    return list(losses.of_server(server))


def _runs(verb: str) -> Callable[[Context, Subject], str]:
    def runs(context: Context, subject: Subject) -> str:
        server = subject.server_in(context.fleet.store)
        if server.unit:
            user = " --user" if server.unit.scope == "user" else ""
            return f"systemctl{user} {verb} {server.unit.name}"
        if verb == "restart":
            return f"kill -TERM {server.pid}, then its own command line in its own directory and environment"
        by_api = _foreign(server) or _token(context, subject)
        return f"POST {server.base_url}api/shutdown" if by_api else f"kill -TERM {server.pid}"

    return runs


def _token(context: Context, subject: Subject) -> bool:
    try:
        return bool(context.fleet.api(subject).access.token)
    except UsageError:
        return False


def _kill_line(context: Context, subject: Subject) -> str:
    return f"kill -KILL {subject.server_in(context.fleet.store).pid}"


def target_of(context: Context, subject: Subject) -> Target:
    """Return the server meant, with what lets us in if we hold it. Raises Gone."""
    from jupytui.jupyter.launch.shutdown import Target

    server = subject.server_in(context.fleet.store)
    try:
        access = context.fleet.api(subject).access  # opens nothing before it is asked
    except UsageError:
        access = None
    return Target(server.id, server.pid, server.port, server.sock, access)


def _each(
    call: Callable[[Host, Target, Prompter], Awaitable[str]],
) -> Callable[[Context, Subjects, Answers], Awaitable[str]]:
    async def run(context: Context, subjects: Subjects, _answers: Answers) -> str:
        said = []
        # One after the other: each may ask for a password.
        for subject in subjects:
            name = subject.host or ""
            context.progress(f"{subject.server}")
            host, prompter = context.fleet.host(name), context.fleet.prompter(name)
            context.fleet.expect_end(subject)
            said.append(await call(host, target_of(context, subject), prompter))
        await context.fleet.refresh({subject.host or "" for subject in subjects})
        return " ".join(said)

    return run


async def _stop(host: Host, target: Target, prompter: Prompter) -> str:
    from jupytui.jupyter.launch.lifecycle import stop

    return ended(target.title, await stop(host, target, prompter))


async def _kill(host: Host, target: Target, prompter: Prompter) -> str:
    from jupytui.jupyter.launch.lifecycle import stop

    return ended(target.title, await stop(host, target, prompter, kill=True))


async def _restart(host: Host, target: Target, prompter: Prompter) -> str:
    from jupytui.jupyter.launch.lifecycle import restart

    return back(host.name, target.title, await restart(host, target, prompter))


def ended(title: str, proof: Ended) -> str:
    """Return the sentence about a server that has ended."""
    port = f", port {proof.ports[0]} is free" if proof.ports else ""
    return f"{title} has ended: process {proof.pid} is gone{port}."


def back(host: str, title: str, proof: Back) -> str:
    """Return the sentence about a server that is back; what is not as it was is said."""
    answer = proof.answer
    where = f"{host}:{answer.port or answer.sock}"
    moved = "" if where == title else f" Its port has changed: it is {where} now."
    if proof.unit:
        return f"{title} is back by {proof.unit.name} (process {answer.pid}).{moved}"
    sentence = f"{title} is back as process {answer.pid}, with its own command line, directory and environment.{moved}"
    if proof.same_log:
        return sentence
    before = f"{proof.was}, a terminal" if proof.was.startswith("/dev/pts") else proof.was or "nowhere"
    return f"{sentence} It is detached now: its output went to {before}, and goes to {proof.log}."


STOP = Action(
    id="server.stop",
    title="Stop server",
    help="Ends the server by its unit, its API or SIGTERM, another user's by its password; and proves that it is gone.",
    scope=Scope.SERVER,
    keys=("S",),
    command=("stop",),
    many=True,
    refuse=_refuse_stop,
    losses=_losses,
    runs=_runs("stop"),
    run=_each(_stop),
)

RESTART = Action(
    id="server.restart",
    title="Restart server",
    help="By its unit; one started by hand comes back with its own command line, environment and directory.",
    scope=Scope.SERVER,
    keys=("R",),
    command=("restart",),
    many=True,
    refuse=_refuse,
    losses=_losses,
    runs=_runs("restart"),
    run=_each(_restart),
)

KILL = Action(
    id="server.kill",
    title="Kill server",
    help="For one that does not end when it is asked to: it gets no time to end its kernels.",
    scope=Scope.SERVER,
    refuse=_refuse,
    losses=lambda context, subject: [
        dataclasses.replace(loss, grave=True)
        for loss in (*_losses(context, subject), Loss("the server itself", "gets no time to save anything"))
    ],
    runs=_kill_line,
    run=_each(_kill),
)

ACTIONS = (STOP, RESTART, KILL)
