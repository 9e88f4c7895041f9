"""Finds lines in a ring by level, text and time: bit by bit, never keeping the event loop for long."""

from __future__ import annotations

import asyncio
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter

from jupytui.logs.block import Block, Kind, Lines
from jupytui.logs.entry import shown, time_of
from jupytui.logs.level import CONTINUED, Level
from jupytui.logs.message import message
from jupytui.logs.ring import Ring

BUDGET = 0.008  # seconds of work at a time
_AT_ONCE = 64  # lines between two looks at the clock


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines: all conditions hold. A continued line has the level and the time of the one it belongs to.

    `level`: this grave or graver. `text`: contained in the message that is shown; capitals in it make them matter.
    `heads`: no continued lines.
    `since` and `until`: aware, or naive for the host's clock; a line whose time is of the other sort counts as UTC.
    """

    level: Level = Level.UNKNOWN
    text: str = ""
    heads: bool = False
    since: datetime | None = None
    until: datetime | None = None


ERRORS = Filter(level=Level.ERROR, heads=True)


class Scan:
    """The numbers of the lines of `ring` that pass `wanted`, found so far, in order; grows with the ring.

    Call `step` on every tick, or await `finish`; drop the object to stop. `len(scan)` is the count of matches that are
    still in the ring, `scan[row]` the number of the line in that row of a filtered view.
    """

    def __init__(self, ring: Ring, wanted: Filter) -> None:
        self._ring = ring
        self._wanted = wanted
        self._exact = wanted.text != wanted.text.lower()
        self._rough = _rough(wanted.text, self._exact)
        self._time: datetime | None = None
        self._numbers = array("Q")
        self._work = self._walk()
        self.position = ring.first

    @property
    def done(self) -> bool:
        """Whether everything there is was looked at."""
        return self.position >= self._ring.end

    def step(self, budget: float = BUDGET) -> bool:
        """Work for about `budget` seconds; return whether everything there is was looked at."""
        until = perf_counter() + budget
        self._forget()
        while next(self._work):
            if perf_counter() >= until:
                return self.done
        return True

    async def finish(self) -> None:
        """Look at everything there is; others get their turn meanwhile. Cancel it at any time; `step` goes on."""
        while not self.step():  # noqa: ASYNC110 - not waiting but working, in turns
            await asyncio.sleep(0)

    def __len__(self) -> int:
        return len(self._numbers) - self._gone()

    def __getitem__(self, row: int) -> int:
        gone = self._gone()
        if not 0 <= row < len(self._numbers) - gone:
            raise IndexError(row)
        return self._numbers[gone + row]

    def __iter__(self) -> Iterator[int]:
        """Iterate over the matches as they are now."""
        return iter(self._numbers[self._gone() :])

    def row(self, number: int) -> int:
        """Return the row of the first match at or after line `number`; `len(self)` when there is none yet."""
        return max(0, bisect_left(self._numbers, number) - self._gone())

    def after(self, number: int) -> int | None:
        """Return the first match after line `number`."""
        row = self.row(number + 1)
        return self[row] if row < len(self) else None

    def before(self, number: int) -> int | None:
        """Return the last match before line `number`."""
        row = self.row(number)
        return self[row - 1] if row > 0 else None

    def _gone(self) -> int:
        """Return how many of the numbers are of lines that the ring has dropped."""
        return bisect_left(self._numbers, self._ring.first)

    def _forget(self) -> None:
        gone = self._gone()
        if gone > len(self._numbers) // 2:
            del self._numbers[:gone]

    def _walk(self) -> Iterator[bool]:
        while True:
            while not self.done:
                self.position = max(self.position, self._ring.first)
                yield from self._block(self._ring.block(self.position))
            yield False

    def _block(self, index: int) -> Iterator[bool]:
        block = self._ring.peek(index)
        if self._hopeless(block):
            self.position = block.end
            yield True
            return
        block, lines = self._ring.at(index)
        yield True  # taking a block apart may have used the time up
        for start in range(self.position - block.first, block.count, _AT_ONCE):
            end = min(start + _AT_ONCE, block.count)
            wants = self._wants
            self._numbers.extend(block.first + at for at in range(start, end) if wants(lines, at, block.grades[at]))
            self.position = block.first + end
            yield True

    def _hopeless(self, block: Block) -> bool:
        """Whether no line of it can hold the text: told from the bytes, where these are what is shown."""
        return (
            self._rough is not None
            and block.kind is not Kind.JOURNAL
            and b"\x1b" not in block.data
            and not self._rough.search(block.data)
        )

    def _wants(self, lines: Lines, at: int, grade: int) -> bool:
        wanted = self._wanted
        if (grade & ~CONTINUED) < wanted.level or (wanted.heads and grade & CONTINUED):
            return False
        if (wanted.since or wanted.until) and not self._timely(lines, at):
            return False
        return not wanted.text or self._contains(shown(lines.raws[at]), whole=bool(grade & CONTINUED))

    def _contains(self, text: str, *, whole: bool) -> bool:
        # Most lines do not hold it at all: what is not shown of a line is left out only of those that do.
        return self._holds(text) and (whole or self._holds(message(text)))

    def _holds(self, text: str) -> bool:
        return self._wanted.text in (text if self._exact else text.lower())

    def _timely(self, lines: Lines, at: int) -> bool:
        self._time = lines.time(at) or time_of(lines.raws[at][:64].decode("utf-8", "replace")) or self._time
        if self._time is None:
            return self._wanted.since is None
        since, until = self._wanted.since, self._wanted.until
        return (not since or _utc(since) <= _utc(self._time)) and (not until or _utc(self._time) <= _utc(until))


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _rough(text: str, exact: bool) -> re.Pattern[bytes] | None:
    """Return what the bytes of a line must match for what is shown of it to hold `text`; None where that is not so."""
    if not text or not text.isascii():
        return None
    return re.compile(re.escape(text.encode()), 0 if exact else re.IGNORECASE)
