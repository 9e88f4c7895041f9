"""What can be done to servers."""

from __future__ import annotations

from urllib.parse import quote

from jupytui.actions.base import Action, Answers, Context, Subjects
from jupytui.fleet.subject import Scope
from jupytui.jupyter.models import App, Server

_PAGES = {App.LAB: "lab", App.NOTEBOOK: "tree", App.CLASSIC: "tree"}


def page_url(server: Server, token: str = "") -> str:
    """Return the page a person wants of `server`, with `token` in it if there is one."""
    url = server.url + _PAGES.get(server.app, "")
    return f"{url}?token={quote(token, safe='')}" if token else url


async def _copy_url(context: Context, subjects: Subjects, _answers: Answers) -> str:
    server = subjects[0].server_in(context.fleet.store)
    token = context.fleet.token(subjects[0])
    return await context.front.copy(page_url(server, token.reveal() if token else ""))


COPY_URL = Action(
    id="server.copy",
    title="Copy URL",
    help="Copies the server's address, with its token where it has one: whoever has that is let in.",
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
