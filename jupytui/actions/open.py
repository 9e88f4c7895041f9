"""Open a server, or the notebook of a kernel, in the browser."""

from __future__ import annotations

from dataclasses import replace

from jupytui.actions import browser
from jupytui.actions.address import page_of, why_closed
from jupytui.actions.base import Action, Answers, Context, Subjects
from jupytui.errors import JupytuiError
from jupytui.fleet.subject import Scope, Subject
from jupytui.jupyter.page import Page


def _refuse(context: Context, subject: Subject) -> str | None:
    return why_closed(subject.server_in(context.fleet.store)) or None


async def _open(context: Context, subjects: Subjects, answers: Answers) -> str:
    page = await page_of(context, subjects[0], answers.get("path", ""))
    return await show(context, page)


async def show(context: Context, page: Page) -> str:
    """Open `page` in the browser; without one that the person sees, hand them the address. Returns what to say."""
    if (found := browser.command()) is None:
        return await context.front.offer(replace(page, notes=(*page.notes, *browser.from_afar(page.bare))))
    try:
        await browser.launch(found, page.url)
    except JupytuiError as error:
        return await context.front.offer(replace(page, notes=(str(error), *page.notes)))
    return " ".join((f"Opened {page.bare}.", *page.notes))


OPEN = Action(
    id="server.open",
    title="Open server",
    help="Opens it in the browser, by a tunnel if need be, with its token where it has one.",
    scope=Scope.SERVER,
    keys=("o",),
    command=("open",),
    changes=False,
    refuse=_refuse,
    run=_open,
)

OPEN_NOTEBOOK = Action(
    id="kernel.open",
    title="Open notebook",
    help="Opens the kernel's notebook in the browser, by a tunnel if need be.",
    scope=Scope.KERNEL,
    keys=("o",),
    changes=False,
    refuse=_refuse,
    run=_open,
)

ACTIONS = (OPEN, OPEN_NOTEBOOK)
