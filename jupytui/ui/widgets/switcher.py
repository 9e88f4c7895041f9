"""Where the panes are: one is seen, the others wait as they were left."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.widget import Widget

from jupytui.ui.panes.base import Pane


class PaneSwitcher(Widget):
    """Makes each pane when it is first shown."""

    def __init__(self, panes: Sequence[type[Pane]]) -> None:
        super().__init__()
        self._kinds = {kind.DIGIT: kind for kind in panes}
        self._panes: dict[str, Pane] = {}
        self.current = self._pane(panes[0].DIGIT)

    def compose(self) -> ComposeResult:
        """The first pane."""
        yield self.current

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
            self._panes[digit] = self._kinds[digit]()
        return self._panes[digit]
