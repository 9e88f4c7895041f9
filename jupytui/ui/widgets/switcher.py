"""Where the panes are: one is seen, the others wait as they were left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.widget import Widget

from jupytui.ui.panes.base import Pane
from jupytui.ui.panes.table import PaneEntry


class PaneSwitcher(Widget):
    """Makes each pane when it is first shown."""

    def __init__(self, panes: Sequence[PaneEntry]) -> None:
        super().__init__()
        self._entries = {entry.digit: entry for entry in panes}
        self._panes: dict[str, Pane] = {}
        self.current = self._pane(panes[0].digit)

    def compose(self) -> ComposeResult:
        """The first pane."""
        yield self.current

    @property
    def digits(self) -> Iterable[str]:
        """The keys of the panes."""
        return self._entries

    def show(self, digit: str) -> Pane:
        """Show the pane of `digit`, give it the keyboard and return it."""
        new = digit not in self._panes
        pane = self._pane(digit)
        self.current.display = False
        self.current = pane
        pane.display = True
        if new:
            self.mount(pane)
        return pane

    def _pane(self, digit: str) -> Pane:
        if digit not in self._panes:
            self._panes[digit] = self._entries[digit].make()
        return self._panes[digit]
