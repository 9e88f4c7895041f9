"""Where the person is and was: a pane, and what it was narrowed to."""

from __future__ import annotations

from typing import NamedTuple

from jupytui.fleet.subject import Subject

WHOLE = Subject()


class View(NamedTuple):
    """A pane by its digit, and the part of the fleet it shows; widened to all of it, it knows the `part` before."""

    digit: str
    within: Subject = WHOLE
    part: Subject = WHOLE

    @property
    def turned(self) -> View:
        """The whole fleet, or the part that was shown before; the view itself where there is no such part."""
        return self._replace(within=self.part if self.within == WHOLE else WHOLE, part=self.within)


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
