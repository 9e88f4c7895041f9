"""Where the person is and was: a pane, and what it was narrowed to."""

from __future__ import annotations

from typing import NamedTuple

from jupytui.fleet.subject import Subject

WHOLE = Subject()


class View(NamedTuple):
    """A pane by its digit, and the part of the fleet it shows."""

    digit: str
    within: Subject = WHOLE


class Views:
    """The current view, the ways back out, and the one before for `-`."""

    def __init__(self, first: View) -> None:
        self.current = first
        self._out: list[View] = []
        self._before: View | None = None

    def jump(self, view: View) -> None:
        """Go somewhere by its digit: there is no way out of that."""
        self._out.clear()
        self._go(view)

    def enter(self, view: View) -> None:
        """Go into something."""
        self._out.append(self.current)
        self._go(view)

    def leave(self) -> bool:
        """Go out again; False at the outermost."""
        if not self._out:
            return False
        self._go(self._out.pop())
        return True

    def swap(self) -> bool:
        """Go to the view before; False when there is none."""
        if self._before is None:
            return False
        self.jump(self._before)
        return True

    def _go(self, view: View) -> None:
        if view != self.current:
            self._before, self.current = self.current, view
