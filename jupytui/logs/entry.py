"""One line of a log as it is shown: cleaned, masked, with its level and time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from jupytui.logs.level import CONTINUED, Level
from jupytui.logs.mask import mask
from jupytui.text import clean

LIMIT = 4096  # characters of a line that are shown
_RAW = LIMIT * 4 + 4  # bytes that can become so many characters
_SGR = re.compile(r"\x1b\[[0-9;:]*[mK]")
_TIME = re.compile(r"[^\w(]?(?:[DIWEC] )?\(?(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line to be shown. `number` counts from the first line ever fed; `text` has no newline and nothing foreign.

    `continued`: it belongs to the entry above. `time`: aware UTC from the journal; from a text naive, by the host's own
    clock, unless the line says its zone; None when it says nothing. `marker`: not the server's word but ours or
    journald's (skipped, rotated, suppressed).
    """

    number: int
    text: str
    level: Level = Level.UNKNOWN
    time: datetime | None = None
    continued: bool = False
    marker: bool = False


def shown(raw: bytes) -> str:
    """Return a raw line as it may be seen, at most 4096 characters.

    Colours go, secrets are masked, everything else a terminal would obey becomes U+FFFD. What a carriage return
    overwrites (progress bars) is gone, as on a terminal; a newline inside one entry becomes `⏎`.
    """
    if b"\r" in raw:
        raw = raw.rstrip(b"\r").rpartition(b"\r")[2]
    whole = len(raw) <= _RAW
    text = raw[:_RAW].decode("utf-8", "replace")
    if "\x1b" in text:
        text = _SGR.sub("", text)
    text = clean(mask(text), LIMIT)
    if "\n" in text:
        text = text.replace("\n", "⏎")
    return text if whole or text.endswith("…") else text[: LIMIT - 1] + "…"


def entry(number: int, raw: bytes, grade: int, time: datetime | None = None, marker: bool = False) -> Entry:
    """Return the entry for a raw line and its grade (a level, perhaps with CONTINUED)."""
    text = shown(raw)
    level = Level(grade & ~CONTINUED)
    return Entry(number, text, level, time or time_of(text), bool(grade & CONTINUED), marker)


def time_of(text: str) -> datetime | None:
    """Return the time a line begins with."""
    found = _TIME.match(text)
    if not found:
        return None
    try:
        moment = datetime.fromisoformat(found[1].replace(",", "."))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment
