"""What every dialog is: a box in the middle that escape leaves. Whatever it shows is text, never markup."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from time import monotonic
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

T = TypeVar("T")


def words(text: str, classes: str = "") -> Static:
    """Return plain text as a widget."""
    return Static(Content(text), classes=classes, markup=False)


class Dialog(ModalScreen[T | None], Generic[T]):
    """Dismissed with None when the person leaves it; what it keeps is not lost by a wrong entry.

    What is typed before it is seen is meant for something else, unless it is a `PROMPT`: the program drops keys from
    before `seen_at`.
    """

    AUTO_FOCUS = ""  # it would scroll before lists have their height
    PROMPT: ClassVar[bool] = False  # whether it opens at the very key that asks for it, so that one can type ahead
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
        self.seen_at = 0.0 if self.PROMPT else inf

    def compose(self) -> ComposeResult:
        """The box with `body` in it."""
        with VerticalScroll(classes="box", can_focus=False) as box:
            box.border_title = Content(self._heading)
            box.border_subtitle = Content(self._hint)
            yield from self.body()

    def body(self) -> Iterable[Widget]:
        """Yield what is in the box."""
        raise NotImplementedError

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return what is painted: from now on it is seen."""
        self.seen_at = min(self.seen_at, monotonic())
        return super().render_lines(crop)

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Leave it, once: textual runs a second enter that was pressed meanwhile, and would take the next screen."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()

    def say_keys(self, keys: Iterable[tuple[str, str]]) -> None:
        """Say in the line below what keys do."""
        self.query_one(".box").border_subtitle = Content(" · ".join(" ".join(key) for key in keys))

    def action_leave(self) -> None:
        """Leave it."""
        self.dismiss(None)

    def action_scroll_box(self, lines: int) -> None:
        """Show more of a box that is too small."""
        self.query_one(".box").scroll_relative(y=lines, animate=False)
