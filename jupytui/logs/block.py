"""A run of whole lines, kept as the bytes that came; lines, levels and times are worked out when looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import NamedTuple

from jupytui.logs.journal import record
from jupytui.logs.level import START, Grade, graded, level_of_priority

SIZE = 2**16  # bytes of a block, unless one line is longer
LINES = 4096  # and lines: the most that is ever worked out at once
WARM_UP = 64  # lines of the block before that are read to know where in a traceback this one begins


class Kind(Enum):
    """What the bytes are."""

    TEXT = "text"
    JOURNAL = "journal"  # lines of `journalctl -o json`
    MARKER = "marker"  # a remark of ours


class Line(NamedTuple):
    """A line taken out of its block."""

    raw: bytes
    hint: int = 0
    time: datetime | None = None
    marker: bool = False


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

    def lines(self) -> list[Line]:
        """Return all its lines."""
        raws = self.data.split(b"\n")
        raws.pop()
        if self.kind is Kind.JOURNAL:
            return [_journal_line(raw) for raw in raws]
        marker = self.kind is Kind.MARKER
        return [Line(raw, marker=marker) for raw in raws]

    def grade(self, lines: Sequence[Line], before: Grade) -> None:
        """Work out the grades of `lines`, which are all of its lines."""
        grades = bytearray()
        for line in lines:
            grade, before = (0, before) if line.marker else graded(line.raw, before, line.hint)
            grades.append(grade)
        self.grades, self.after = bytes(grades), before


def warmed_up(lines: Sequence[Line]) -> Grade:
    """Return the state after `lines`, of which only the last few are read."""
    grade = START
    for line in lines[-WARM_UP:]:
        if not line.marker:
            _, grade = graded(line.raw, grade, line.hint)
    return grade


def _journal_line(raw: bytes) -> Line:
    this = record(raw)
    time = datetime.fromtimestamp(int(this.time) / 1e6, UTC) if this.time.isdigit() and this.time != "0" else None
    return Line(this.message, level_of_priority(this.priority), time, this.dropped)
