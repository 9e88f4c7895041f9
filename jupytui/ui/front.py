"""The screen as the one who stands between an action and the person."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from jupytui.actions.base import Answers, Confirmation, Form, Result
from jupytui.fleet.subject import Subject
from jupytui.text import clean
from jupytui.ui.clipboard import copy

if TYPE_CHECKING:
    from jupytui.jupyter.page import Page
    from jupytui.ui.dialogs.base import Dialog
    from jupytui.ui.program import Program

T = TypeVar("T")


class ScreenFront:
    """Asks by dialogs, one after the other. Only workers may call it: each waits for its answer."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._turn = asyncio.Lock()

    async def confirm(self, question: Confirmation) -> bool:
        """Show what will be lost and ask."""
        from jupytui.ui.dialogs.confirm import ConfirmDialog

        return await self.ask(ConfirmDialog(question)) is True

    async def fill(self, form: Form) -> Answers | None:
        """Let the person fill in a form."""
        from jupytui.ui.dialogs.form import FormDialog

        return await self.ask(FormDialog(form))

    async def tell(self, title: str, paragraphs: Sequence[str]) -> None:
        """Show paragraphs in a box that scrolls."""
        from jupytui.ui.dialogs.text import TextDialog

        await self.ask(TextDialog(title, [clean(paragraph, 2**18) for paragraph in paragraphs]))

    async def report(self, result: Result) -> None:
        """Show it until it was read."""
        from jupytui.ui.dialogs.result import ResultDialog

        if await self.ask(ResultDialog(result)):
            self._program.notify(await self.copy(result.url), markup=False)

    async def copy(self, text: str) -> str:
        """Copy, and show the text whatever the terminal does with it."""
        return f"{await copy(text, self._program.copy_to_clipboard)}: {text}"

    async def offer(self, page: Page) -> str:
        """Show the address, copied already where that can be done."""
        from jupytui.ui.dialogs.url import UrlDialog

        self._program.push_screen(UrlDialog(page, lambda text: copy(text, self._program.copy_to_clipboard)))
        return ""

    async def show(self, pane: str, subject: Subject) -> None:
        """Go to a pane, narrowed to `subject`; back comes out again."""
        await self._program.main.enter(pane, subject)

    async def ask(self, dialog: Dialog[T]) -> T | None:
        """Show a dialog once no other one takes what is typed, and return its answer."""
        async with self._turn:
            await self._program.main.uncovered()
            if desk := self._program.desk:
                desk.work.asked()
            return await self._program.push_screen_wait(dialog)
