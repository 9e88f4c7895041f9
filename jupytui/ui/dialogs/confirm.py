"""Before something is lost: what, by name; what will be run; and a word to type where it is grave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from jupytui.actions.base import Confirmation, Loss
from jupytui.ui.dialogs.base import Dialog, words
from jupytui.ui.widgets.field import plain_input


class ConfirmDialog(Dialog[bool]):
    """True when the person wants it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y,enter", "accept", show=False)]

    def __init__(self, question: Confirmation) -> None:
        hint = "escape leaves it" if question.typed else "y goes ahead · escape leaves it"
        super().__init__(question.title, hint, grave=question.typed is not None)
        self._question = question

    def body(self) -> Iterable[Widget]:
        """Losses, commands, and the question."""
        if self._question.losses:
            yield words("This will be lost:")
            yield words("\n".join(loss_lines(self._question.losses)))
        for note in self._question.notes:
            yield words(note, "gap")
        if self._question.runs:
            yield words(self._question.introduced if self._question.losses else self._question.runs, "gap hint")
        if self._question.typed:
            yield words(f"Type {self._question.typed} to go ahead, escape to leave it:", "gap")
            yield plain_input()
            yield Static("", classes="error", markup=False)

    def on_mount(self) -> None:
        """Be ready for the word."""
        if self._question.typed:
            self.query_one(Input).focus()

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip() == self._question.typed:
            self.dismiss(True)
        else:
            self.query_one(".error", Static).update(words_of_refusal(self._question.typed or ""))

    def action_accept(self) -> None:
        """One key is enough when nothing grave is lost."""
        if not self._question.typed:
            self.dismiss(True)


def words_of_refusal(typed: str) -> str:
    """Return what to say about another word."""
    return f"That is not {typed}; nothing was done."


def loss_lines(losses: Iterable[Loss]) -> list[str]:
    """Return the losses in two columns; a long name has a line of its own."""
    losses = tuple(losses)
    width = min(24, max((len(loss.what) for loss in losses), default=0))
    return [f"  {loss.what:<{width}}  {loss.how}" for loss in losses]
