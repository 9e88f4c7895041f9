"""Figures as people read them: short, coarse, and `–` for what is not known."""

from __future__ import annotations

from datetime import datetime

UNKNOWN = "–"
_UNITS = ("", "K", "M", "G", "T", "P", "E")
_AGES = ((86_400, "d", "day"), (3_600, "h", "hour"), (60, "m", "minute"))


def size(count: int | None) -> str:
    """Return bytes in at most four characters: `512`, `1.2G`, `31G`."""
    if count is None:
        return UNKNOWN
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    digits = f"{value:.1f}" if unit and value < 9.95 else f"{value:.0f}"
    return digits + _UNITS[unit]


def percent(value: float | None) -> str:
    """Return a share as `61%`; of one CPU it may pass 100."""
    return UNKNOWN if value is None else f"{value:.0f}%"


def count(value: int | None) -> str:
    """Return a whole number."""
    return UNKNOWN if value is None else str(value)


def seconds_since(moment: datetime | None, now: datetime, ahead: float = 0.0) -> float | None:
    """Return the seconds from `moment` to `now`, never negative; `ahead` is how much later the clock of `moment` is."""
    return None if moment is None else max(0.0, (now - moment).total_seconds() + ahead)


def age(seconds: float | None) -> str:
    """Return how long ago, coarsely, so that it seldom changes: `now`, `3m`, `2h`, `5d`."""
    if seconds is None:
        return UNKNOWN
    for length, letter, _word in _AGES:
        if seconds >= length:
            return f"{int(seconds // length)}{letter}"
    return "now"


def duration(seconds: float | None) -> str:
    """Return how long, in words: `a moment`, `41 minutes`, `1 day`."""
    if seconds is None:
        return "an unknown time"
    for length, _letter, word in _AGES:
        if seconds >= length:
            whole = int(seconds // length)
            return f"{whole} {word}{'s' if whole > 1 else ''}"
    return "a moment"


def left(days: float) -> str:
    """Return how long something lasts yet, to the nearest: `29 days`, hours where there is less than two days."""
    return plural(round(days * 24), "hour") if abs(days) < 2 else plural(round(days), "day")


def plural(number: int, noun: str) -> str:
    """Return `1 kernel`, `3 kernels`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
