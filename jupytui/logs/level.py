"""How grave a log line is, and which lines belong to the one above.

Known forms: Jupyter `[E 2026-11-20 10:11:12.345 ServerApp]` (notebook <= 6: without the date), Python's logging with or
without a time, uvicorn, gunicorn, loguru, glog, logfmt, ipykernel `[IPKernelApp] WARNING | …`, and
`file.py:12: FutureWarning:`.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple


class Level(IntEnum):
    """Graver is greater; UNKNOWN is a line that says nothing about it."""

    UNKNOWN = 0
    DEBUG = 1
    INFO = 2
    WARNING = 3
    ERROR = 4
    CRITICAL = 5


CONTINUED = 0x10  # added to a level: this line belongs to the one above
LOOK = 256  # bytes of a line that are looked at

_WORD = rb"DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL"
_HEAD = re.compile(
    rb"\[([DIWEC]) (?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d"
    rb"|[\[(]?\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d(?:[^\n]{0,80}?\b(" + _WORD + rb")\b)?"
    rb"|[\[<]?(" + _WORD + rb")(?:[\]>]|:|\s+[-|:]|\s\s)"
    rb"|(?:(?:time|ts)=\S{1,48} )?level=\"?([A-Za-z]+)"
    rb"|([IWEF])\d{4} \d\d:\d\d:\d\d"
    rb"|\[\w{1,60}\] (" + _WORD + rb") \|"
    rb"|\S{1,200}:\d+: \w*(Warning):"
)
_LEVELS = {
    b"D": Level.DEBUG,
    b"I": Level.INFO,
    b"N": Level.INFO,
    b"W": Level.WARNING,
    b"E": Level.ERROR,
    b"C": Level.CRITICAL,
    b"F": Level.CRITICAL,
}
_PRIORITIES = (5, 5, 5, 4, 3, 2, 0, 1)  # syslog(3); 6 is what journald gives every line of a service's stdout
_SGR = re.compile(rb"\x1b\[[0-9;:]*m")
_TRACEBACK = b"Traceback (most recent call last)"
_CHAIN = (b"During handling of the above exception", b"The above exception was the direct cause")
_EXCEPTION = re.compile(rb"[A-Za-z_][\w.]*(?::|$)")


class Grade(NamedTuple):
    """What the lines so far say about the next: their level, and where in a traceback they are."""

    level: int = Level.UNKNOWN
    headed: bool = False  # the line before was a headed one
    tracing: bool = False  # a traceback has begun
    inside: bool = False  # the line before was one of its indented lines


START = Grade()


def level_of_priority(priority: int | None) -> int:
    """Return the level of a syslog priority; UNKNOWN for 6, which only says that nobody has chosen."""
    return Level.UNKNOWN if priority is None else _PRIORITIES[priority]


def graded(line: bytes, before: Grade, hint: int = Level.UNKNOWN) -> tuple[int, Grade]:
    """Return the level of `line`, plus CONTINUED when it belongs to the line above, and what to know for the next.

    `hint` is a level known from elsewhere (journald's priority), for lines that do not say theirs.
    """
    line = line[:LOOK]
    if b"\x1b" in line:
        line = _SGR.sub(b"", line)
    if line[:1] in (b" ", b"\t"):
        return _indented(line, before)
    if found := _HEAD.match(line):
        word = found[found.lastindex] if found.lastindex else b""
        level = _LEVELS.get(word[:1].upper(), hint)
        return level, Grade(level, headed=True)
    if line.startswith(_TRACEBACK):
        return _traceback(before)
    if before.tracing and _goes_on(line, before):
        return before.level | CONTINUED, before._replace(inside=False)
    return hint, Grade(hint)


def _indented(line: bytes, before: Grade) -> tuple[int, Grade]:
    tracing = before.tracing or line.lstrip().startswith(_TRACEBACK)
    return before.level | CONTINUED, Grade(before.level, tracing=tracing, inside=True)


def _traceback(before: Grade) -> tuple[int, Grade]:
    """Python's logging prints it right below the line of which it is part; otherwise it stands for itself."""
    if before.tracing or (before.headed and before.level >= Level.WARNING):
        return before.level | CONTINUED, Grade(before.level, tracing=True)
    return Level.ERROR, Grade(Level.ERROR, tracing=True)


def _goes_on(line: bytes, before: Grade) -> bool:
    if before.inside:
        return not line or bool(_EXCEPTION.match(line))
    return not line or line.startswith(_CHAIN)
