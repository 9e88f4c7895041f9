"""What can be done to kernels."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from jupytui import figures
from jupytui.actions import losses
from jupytui.actions.base import Action, Answers, Context, Loss, Subjects
from jupytui.errors import CommandError, JupytuiError
from jupytui.fleet.subject import Scope, Subject
from jupytui.jupyter.models import Health

if TYPE_CHECKING:
    from jupytui.jupyter.client import JupyterApi


def _refuse(context: Context, subject: Subject) -> str | None:
    server = subject.server_in(context.fleet.store)
    if server.health is Health.LOCKED:
        return f"{server.id} lets nobody in with what jupytui knows: it has a password and no token."
    if server.health not in {Health.OK, Health.OPEN}:
        return f"{server.id} does not answer ({server.health})."
    return None


def _losses(context: Context, subject: Subject) -> Sequence[Loss]:
    return [losses.of_kernel(subject.kernel_in(context.fleet.store))]


def _call(verb: str) -> Callable[[Context, Subject], str]:
    def runs(context: Context, subject: Subject) -> str:
        return f"{verb.format(id=subject.kernel)} on {subject.server_in(context.fleet.store).id}"

    return runs


def _each(
    done: str, call: Callable[[JupyterApi, str], Awaitable[None]], *, ends: bool = True
) -> Callable[[Context, Subjects, Answers], Awaitable[str]]:
    async def run(context: Context, subjects: Subjects, _answers: Answers) -> str:
        names = [losses.kernel_name(subject.kernel_in(context.fleet.store)) for subject in subjects]
        for subject in subjects if ends else ():
            context.fleet.expect_end(subject)
        asked = (_ask(context, subject, call) for subject in subjects)
        failures = await asyncio.gather(*asked)
        await context.fleet.refresh({subject.host or "" for subject in subjects})
        _tell(done, [(name, error) for name, error in zip(names, failures, strict=True) if error], len(names))
        return f"{done} {names[0] if len(names) == 1 else figures.plural(len(names), 'kernel')}."

    return run


async def _ask(
    context: Context, subject: Subject, call: Callable[[JupyterApi, str], Awaitable[None]]
) -> JupytuiError | None:
    """Return why the server did not do it, None when it did: what befalls one kernel says nothing of the others."""
    try:
        api = context.fleet.api(subject)
        try:
            await call(api, subject.kernel or "")
        finally:
            await api.close()
    except JupytuiError as error:
        return error
    return None


def _tell(done: str, failed: Sequence[tuple[str, JupytuiError]], count: int) -> None:
    """Raise what says which of `count` kernels it was not done to, and why; nothing where there is none."""
    if not failed:
        return
    if count == 1:
        raise failed[0][1]
    said = f"{done} {count - len(failed) or 'none'} of {figures.plural(count, 'kernel')}"
    hints = dict.fromkeys(error.hint for _, error in failed if error.hint)
    raise CommandError(
        "; ".join([said, *(f"{name}: {error.message.removesuffix('.')}" for name, error in failed)]) + ".",
        " ".join(hints),
    )


INTERRUPT = Action(
    id="kernel.interrupt",
    title="Interrupt kernel",
    help="Stops what the kernel is running; variables stay.",
    scope=Scope.KERNEL,
    keys=("i",),
    command=("kernels", "interrupt"),
    many=True,
    refuse=_refuse,
    runs=_call("POST /api/kernels/{id}/interrupt"),
    run=_each("Interrupted", lambda api, kernel: api.interrupt(kernel), ends=False),
)

RESTART = Action(
    id="kernel.restart",
    title="Restart kernel",
    help="Starts the kernel anew; its variables are lost, the notebook stays.",
    scope=Scope.KERNEL,
    keys=("R",),
    command=("kernels", "restart"),
    many=True,
    refuse=_refuse,
    losses=_losses,
    runs=_call("POST /api/kernels/{id}/restart"),
    run=_each("Restarted", lambda api, kernel: api.restart(kernel)),
)

SHUTDOWN = Action(
    id="kernel.shutdown",
    title="Shut down kernel",
    help="Ends the kernel and frees its memory; its variables are lost, the notebook stays.",
    scope=Scope.KERNEL,
    keys=("x",),
    command=("kernels", "shutdown"),
    many=True,
    refuse=_refuse,
    losses=_losses,
    runs=_call("DELETE /api/kernels/{id}"),
    run=_each("Shut down", lambda api, kernel: api.shutdown(kernel)),
)

ACTIONS = (INTERRUPT, RESTART, SHUTDOWN)
