"""What can be done to servers."""

from __future__ import annotations

from jupytui.actions.address import page_of
from jupytui.actions.base import Action, Answers, Context, Subjects
from jupytui.fleet.subject import Scope


async def _copy_url(context: Context, subjects: Subjects, _answers: Answers) -> str:
    page = await page_of(context, subjects[0])
    return " ".join((await context.front.copy(page.url.reveal()), *page.notes))


COPY_URL = Action(
    id="server.copy",
    title="Copy URL",
    help="Copies the address that opens it here, by a tunnel if need be; with its token, so whoever has it is let in.",
    scope=Scope.SERVER,
    keys=("y",),
    changes=False,
    run=_copy_url,
)


async def _show_log(context: Context, subjects: Subjects, _answers: Answers) -> str:
    await context.front.show("3", subjects[0])
    return ""


LOGS = Action(
    id="server.logs",
    title="Logs",
    help="Shows what the server writes, as it is written, wherever it goes.",
    scope=Scope.SERVER,
    keys=("l",),
    command=("logs",),
    changes=False,
    run=_show_log,
)

ACTIONS = (COPY_URL, LOGS)
