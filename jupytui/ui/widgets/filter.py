"""The line that narrows the list above it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static

from jupytui.ui.widgets.field import plain_input


class FilterLine(Widget):
    """Asks for a text to filter by and calls `changed` with it as it is typed.

    Enter keeps it, escape drops it; the line then goes and `done` is called.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "drop", show=False)]

    def __init__(self, text: str, changed: Callable[[str], None], done: Callable[[], None]) -> None:
        super().__init__()
        self._text = text
        self._tell = changed
        self._done = done

    def compose(self) -> ComposeResult:
        """One slash and the text."""
        yield Static("/", markup=False)
        yield plain_input(self._text)

    def take_keys(self, screen: Screen[None]) -> None:
        """Take the keyboard, from the very next key on."""
        screen.set_focus(self.query_one(Input))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._tell(event.value)

    @on(Input.Submitted)
    async def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        await self._leave()

    async def action_drop(self) -> None:
        """Show everything again."""
        self._tell("")
        await self._leave()

    async def _leave(self) -> None:
        self._done()
        await self.remove()
