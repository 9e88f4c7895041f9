"""What can be done about a death: take note of it."""

from __future__ import annotations

from jupytui.actions.base import Action, Answers, Context, Subjects
from jupytui.fleet.subject import Scope, Subject


def _refuse(context: Context, subject: Subject) -> str | None:
    store = context.fleet.store
    meant = subject.kernel_in(store) if subject.kernel else subject.server_in(store)
    return None if meant.died else "It has not died lately."


async def _run(context: Context, subjects: Subjects, _answers: Answers) -> str:
    for subject in subjects:
        context.fleet.dismiss(subject)
    await context.fleet.refresh({subject.host or "" for subject in subjects})
    return ""


def _dismissal(id: str, title: str, scope: Scope) -> Action:
    help = "Shows no more why it died; the log still does."
    return Action(id=id, title=title, help=help, scope=scope, many=True, changes=False, refuse=_refuse, run=_run)


ACTIONS = (
    _dismissal("kernel.dismiss", "Dismiss why the kernel died", Scope.KERNEL),
    _dismissal("server.dismiss", "Dismiss why the server died", Scope.SERVER),
)
