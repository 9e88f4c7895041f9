"""A front end that answers by script and keeps what it was asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jupytui.actions.base import Answers, Confirmation, Context, Form, Result
from jupytui.config.model import Config
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.models import HostView
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Nobody
from jupytui.jupyter.page import Page


class ScriptedFront:
    """Confirms or not, fills in or not; what it was shown is kept in order."""

    def __init__(self, *, yes: bool = True, answers: Answers | None = None) -> None:
        self.yes, self.answers = yes, answers
        self.confirmed: list[Confirmation] = []
        self.forms: list[Form] = []
        self.copied: list[str] = []
        self.reports: list[Result] = []
        self.offered: list[Page] = []
        self.shown: list[tuple[str, Subject]] = []
        self.told: list[tuple[str, Sequence[str]]] = []

    async def confirm(self, question: Confirmation) -> bool:
        self.confirmed.append(question)
        return self.yes

    async def fill(self, form: Form) -> Answers | None:
        self.forms.append(form)
        return self.answers

    async def show(self, pane: str, subject: Subject) -> None:
        self.shown.append((pane, subject))

    async def offer(self, page: Page) -> str:
        self.offered.append(page)
        return f"Offered {page.bare}."

    async def tell(self, title: str, paragraphs: Sequence[str]) -> None:
        self.told.append((title, paragraphs))

    async def report(self, result: Result) -> None:
        self.reports.append(result)

    async def copy(self, text: str) -> str:
        self.copied.append(text)
        return f"Copied {text}."


def context(front: ScriptedFront, *views: HostView, config: Config | None = None, read_only: bool = False) -> Context:
    """Return a context over a fleet that knows `views` and has dialled nobody."""
    fleet = Fleet(Store(views), lambda _host: Nobody())
    return Context(fleet, front, config or Config(Path("hosts.toml")), read_only)
