"""Something to read: paragraphs in a box that scrolls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from jupytui.ui.dialogs.base import Dialog, words


class TextDialog(Dialog[None]):
    """Shows paragraphs as they are."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,q,left", "leave", show=False),
        Binding("j", "scroll_box(1)", show=False),
        Binding("k", "scroll_box(-1)", show=False),
        Binding("space", "scroll_box(8)", show=False),
    ]

    def __init__(self, title: str, paragraphs: Iterable[str]) -> None:
        super().__init__(title, "↑ ↓ scroll · escape leaves")
        self.add_class("-large")
        self._paragraphs = [paragraph for paragraph in paragraphs if paragraph]

    def body(self) -> Iterable[Widget]:
        """The paragraphs."""
        for number, paragraph in enumerate(self._paragraphs):
            yield words(paragraph, "gap" if number else "")
