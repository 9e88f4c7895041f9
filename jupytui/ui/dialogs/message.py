"""What went wrong, what to do about it, and, one key away, what was run and what came back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from jupytui.ui.dialogs.base import Dialog, words


class MessageDialog(Dialog[bool]):
    """True when the person wants to try again, which is offered with `retry`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "retry", show=False),
        Binding("d", "details", show=False),
        Binding("enter,q", "leave", show=False),
    ]

    def __init__(
        self, title: str, message: str, hint: str = "", detail: str = "", *, retry: bool = False, open: bool = False
    ) -> None:
        keys = (("r tries again", retry), ("d details", bool(detail)), ("escape leaves", True))
        super().__init__(title, " · ".join(key for key, valid in keys if valid), grave=True)
        self._message, self._advice, self._detail = message, hint, detail
        self._retry, self._unfolded = retry, open

    def body(self) -> Iterable[Widget]:
        """Message, advice, and the details unfolded by `d`."""
        yield words(self._message)
        if self._advice:
            yield words(self._advice, "gap")
        detail = words(self._detail, "gap hint detail")
        detail.display = self._unfolded
        yield detail

    def action_retry(self) -> None:
        """Try again."""
        if self._retry:
            self.dismiss(True)

    def action_details(self) -> None:
        """Unfold or fold the details."""
        if self._detail:
            detail = self.query_one(".detail")
            detail.display = not detail.display
