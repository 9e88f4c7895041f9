"""What is looked for in a log: the level that is shown, a text, errors; bit by bit, while lines still come."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from jupytui.logs.level import Level
from jupytui.logs.ring import Ring
from jupytui.logs.scan import ERRORS, Filter, Scan
from jupytui.ui.widgets.window import Numbers

BUDGET = 0.008  # seconds of work at a time, keys come in between


class Whole:
    """Every line of a ring, the one that has no end yet included."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring

    def after(self, number: int) -> int | None:
        """Return the next line's number."""
        found = max(number + 1, self._ring.first)
        return found if found < self._end else None

    def before(self, number: int) -> int | None:
        """Return the number of the line before."""
        found = min(number, self._end) - 1
        return found if found >= self._ring.first else None

    @property
    def _end(self) -> int:
        return self._ring.end + (self._ring.partial is not None)


class _Wish(NamedTuple):
    scan: Scan
    number: int
    forward: bool
    either: bool = False  # none this way: the other way will do


class Hunt:
    """The scans of one ring. `level` is what is shown at least; `text` what is searched within that."""

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.level = Level.UNKNOWN
        self.text = ""
        self.shown: Scan | None = None
        self.found: Scan | None = None
        self._errors: Scan | None = None
        self._wish: _Wish | None = None

    @property
    def numbers(self) -> Numbers:
        """The lines that are shown."""
        return self.shown if self.shown is not None else Whole(self.ring)

    @property
    def looking(self) -> bool:
        """Whether a line that was wished for is still looked for."""
        return self._wish is not None

    def show(self, level: Level) -> None:
        """Show what is this grave or graver."""
        self.level = level
        self.shown = Scan(self.ring, Filter(level=level)) if level else None
        self.search(self.text)

    def search(self, text: str) -> None:
        """Look for a text in what is shown; "" for nothing."""
        self.text, self._wish = text, None
        self.found = Scan(self.ring, Filter(level=self.level, text=text)) if text else None

    def wish(self, number: int, *, forward: bool) -> None:
        """Want the hit after `number`, or before."""
        if self.found is not None:
            self._wish = _Wish(self.found, number, forward)

    def wish_nearest(self, number: int) -> None:
        """Want the hit before `number`, else the one after: what is wanted of a log is mostly near its end."""
        if self.found is not None:
            self._wish = _Wish(self.found, number, False, either=True)

    def wish_error(self, number: int, *, forward: bool) -> None:
        """Want the error after `number`, or before."""
        if self._errors is None:
            self._errors = Scan(self.ring, replace(ERRORS, level=max(ERRORS.level, self.level)))
        self._wish = _Wish(self._errors, number, forward)

    def step(self) -> bool:
        """Work a moment; whether all that is there was looked at."""
        scans = [scan for scan in (self.shown, self.found, self._errors) if scan is not None]
        done = [scan.step(BUDGET / len(scans)) for scan in scans]
        return all(done)

    def granted(self) -> int | None:
        """Return the line wished for, once it is known; -1 when it is known that there is none."""
        if self._wish is None:
            return None
        scan, number, forward, either = self._wish
        if forward:
            hit = scan.after(number)
            known = hit is not None or scan.done
        else:
            known = scan.done or scan.position >= number
            hit = scan.before(number) if known else None
        if not known:
            return None
        if hit is None and either:
            self._wish = _Wish(scan, number - 1, True)
            return self.granted()
        self._wish = None
        return -1 if hit is None else hit

    def place_of(self, number: int | None) -> int:
        """Return which of the hits `number` is, from 1; 0 for none."""
        found = self.found
        if found is None or number is None:
            return 0
        row = found.row(number)
        return row + 1 if row < len(found) and found[row] == number else 0
