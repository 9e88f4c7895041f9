"""The screen as the one who stands between an action and the person."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from jupytui.actions.base import Answers, Confirmation, Form
from jupytui.fleet.subject import Subject
from jupytui.ui.clipboard import copy

if TYPE_CHECKING:
    from jupytui.ui.dialogs.base import Dialog
    from jupytui.ui.program import Program

T = TypeVar("T")


class ScreenFront:
    """Asks by dialogs. Only workers may call it: each waits for its answer."""

    def __init__(self, program: Program) -> None:
        self._program = program

    async def confirm(self, question: Confirmation) -> bool:
        """Show what will be lost and ask."""
        from jupytui.ui.dialogs.confirm import ConfirmDialog

        return await self._ask(ConfirmDialog(question)) is True

    async def fill(self, form: Form) -> Answers | None:
        """Let the person fill in a form."""
        from jupytui.ui.dialogs.form import FormDialog

        return await self._ask(FormDialog(form))

    async def copy(self, text: str) -> str:
        """Copy, and show the text whatever the terminal does with it."""
        return f"{await copy(text, self._program.copy_to_clipboard)}: {text}"

    async def show(self, pane: str, subject: Subject) -> None:
        """Go to a pane, narrowed to `subject`; back comes out again."""
        await self._program.main.enter(pane, subject)

    async def _ask(self, dialog: Dialog[T]) -> T | None:
        return await self._program.push_screen_wait(dialog)
