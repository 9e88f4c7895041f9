"""A run of whole lines, kept as the bytes that came; lines, levels and times are worked out when looked at."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import NamedTuple

from jupytui.logs.journal import record
from jupytui.logs.level import START, Grade, graded, level_of_priority

SIZE = 2**16  # bytes of a block, unless one line is longer
LINES = 1024  # and lines: the most that is ever worked out at once, about 2 ms
WARM_UP = 64  # lines of the block before that are read to know where in a traceback this one begins


class Kind(Enum):
    """What the bytes are."""

    TEXT = "text"
    JOURNAL = "journal"  # lines of `journalctl -o json`
    MARKER = "marker"  # a remark of ours


class Lines(NamedTuple):
    """The lines of a block, column by column: a tuple for each would set the garbage collector to work (measured:
    30 ms pauses). Columns that say nothing are empty: `hints` levels, `times` in microseconds, `marked` 1 for remarks.
    """

    raws: list[bytes]
    hints: bytes = b""
    times: Sequence[int] = ()
    marked: bytes = b""

    def time(self, index: int) -> datetime | None:
        """Return when a line was logged, in UTC, where the journal knows it."""
        moment = self.times[index] if self.times else 0
        return datetime.fromtimestamp(moment / 1e6, UTC) if moment else None

    def is_marked(self, index: int) -> bool:
        """Whether a line is a remark of ours or of journald."""
        return bool(self.marked and self.marked[index])


class Block:
    """`count` lines from number `first` on; every line in `data` ends with a newline."""

    __slots__ = ("after", "count", "data", "first", "grades", "kind")

    def __init__(self, first: int, data: bytes, count: int, kind: Kind) -> None:
        self.first, self.data, self.count, self.kind = first, data, count, kind
        self.grades = b""
        self.after: Grade = START

    @property
    def end(self) -> int:
        """The number after its last line."""
        return self.first + self.count

    def lines(self) -> Lines:
        """Return all its lines."""
        raws = self.data.split(b"\n")
        raws.pop()
        if self.kind is Kind.JOURNAL:
            return _journal_lines(raws)
        return Lines(raws, marked=b"\1" * len(raws) if self.kind is Kind.MARKER else b"")

    def grade(self, lines: Lines, before: Grade) -> None:
        """Work out the grades of `lines`, which are all of its lines."""
        grades = bytearray()
        for index, raw in enumerate(lines.raws):
            if lines.is_marked(index):
                grade = 0
            else:
                grade, before = graded(raw, before, lines.hints[index] if lines.hints else 0)
            grades.append(grade)
        self.grades, self.after = bytes(grades), before


def warmed_up(lines: Lines) -> Grade:
    """Return the state after `lines`, of which only the last few are read."""
    grade = START
    for index in range(max(0, len(lines.raws) - WARM_UP), len(lines.raws)):
        if not lines.is_marked(index):
            _, grade = graded(lines.raws[index], grade, lines.hints[index] if lines.hints else 0)
    return grade


def _journal_lines(raws: Sequence[bytes]) -> Lines:
    messages, hints, times, marked = [], bytearray(), array("Q"), bytearray()
    for raw in raws:
        this = record(raw)
        messages.append(this.message)
        hints.append(level_of_priority(this.priority))
        times.append(this.moment)
        marked.append(this.dropped)
    return Lines(messages, bytes(hints), times, bytes(marked))
