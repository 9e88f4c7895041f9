"""What every dialog is: a box in the middle that escape leaves. Whatever it shows is text, never markup."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

T = TypeVar("T")


def words(text: str, classes: str = "") -> Static:
    """Return plain text as a widget."""
    return Static(Content(text), classes=classes, markup=False)


class Dialog(ModalScreen[T | None], Generic[T]):
    """Dismissed with None when the person leaves it; what it keeps is not lost by a wrong entry."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "leave", show=False),
        Binding("up", "scroll_box(-1)", show=False),
        Binding("down", "scroll_box(1)", show=False),
        Binding("pageup", "scroll_box(-8)", show=False),
        Binding("pagedown", "scroll_box(8)", show=False),
    ]

    def __init__(self, title: str, hint: str, *, grave: bool = False) -> None:
        super().__init__(classes="-grave" if grave else "")
        self._heading = title
        self._hint = hint

    def compose(self) -> ComposeResult:
        """The box with `body` in it."""
        with VerticalScroll(classes="box", can_focus=False) as box:
            box.border_title = Content(self._heading)
            box.border_subtitle = Content(self._hint)
            yield from self.body()

    def body(self) -> Iterable[Widget]:
        """Yield what is in the box."""
        raise NotImplementedError

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Leave it, once: textual runs a second enter that was pressed meanwhile, and would take the next screen."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()

    def action_leave(self) -> None:
        """Leave it."""
        self.dismiss(None)

    def action_scroll_box(self, lines: int) -> None:
        """Show more of a box that is too small."""
        self.query_one(".box").scroll_relative(y=lines, animate=False)
