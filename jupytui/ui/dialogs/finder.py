"""Help, the palette and the menu: a list of verbs to read, search and start."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from jupytui.ui.dialogs.base import Dialog
from jupytui.ui.widgets.picklist import Entry, PickList


class Finder(Dialog[str]):
    """The id of what was taken."""

    PROMPT = True

    def __init__(self, title: str, entries: Iterable[Entry], hint: str = "enter does it · escape leaves") -> None:
        super().__init__(title, hint)
        self._list = PickList(entries)

    def body(self) -> Iterable[Widget]:
        """The list."""
        yield self._list

    def on_mount(self) -> None:
        """Be ready to search."""
        self.query_one(Input).focus()

    @on(PickList.Picked)
    def _picked(self, event: PickList.Picked) -> None:
        if event.ids:
            self.dismiss(event.ids[0])
