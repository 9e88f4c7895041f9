"""The line that narrows the list above it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label

from jupytui.ui.widgets.field import plain_input


class FilterLine(Widget):
    """Asks for a text to filter by. Enter keeps it, escape drops it; arrows reach the list meanwhile."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "drop", show=False)]

    class Changed(Message):
        """The text is another one; `done` when the list should have the keyboard again."""

        def __init__(self, text: str, done: bool = False) -> None:
            super().__init__()
            self.text = text
            self.done = done

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """One slash and the text."""
        yield Label("/", markup=False)
        yield plain_input(self._text)

    def on_mount(self) -> None:
        """Take the keyboard."""
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Changed(event.value, done=True))

    def action_drop(self) -> None:
        """Show everything again."""
        self.post_message(self.Changed("", done=True))
