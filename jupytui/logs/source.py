"""Where a server's log is: a value, and the words for when it is nowhere that can be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

_DELETED = " (deleted)"


@dataclass(frozen=True, slots=True)
class Journal:
    """The lines of a unit in systemd's journal.

    `scope` is "user" or "system"; `boot` a boot id (see `boots`) or an offset such as "-1"; `since` and `until` aware.
    """

    unit: str
    scope: str
    boot: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file on the host, followed by name: through rotation, truncation, and from before it is there."""

    path: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The log goes where nobody can read it; `message` and `hint` say so to the user."""

    message: str
    hint: str = ""


Source = Journal | LogFile | Unreadable

_KEEP = "Start it from here (key n, or R to restart it) and its log is kept."
_NOWHERE = {
    "terminal": "This server's log goes to the terminal {where}it was started in.",
    "pipe": "This server's log goes into a pipe of another program{where}.",
    "null": "This server's log is thrown away (/dev/null){where}.",
}


def source_of(
    kind: str, where: str | None = None, unit: str | None = None, scope: str | None = None, pid: int | None = None
) -> Source:
    """Return where the log is, from what is known of a server: `Log(kind, where)`, `Unit(name, scope)` and its PID.

    A file that was deleted while the server writes on is read through `/proc/PID/fd/1`.
    """
    if kind == "journal" and unit:
        return Journal(unit, scope or "system")
    if kind == "file" and where:
        if where.endswith(_DELETED):
            return _deleted(where.removesuffix(_DELETED), pid)
        return LogFile(where)
    words = _NOWHERE.get(kind, "It is not known where this server's log goes.")
    place = f" {where}" if where else ""
    return Unreadable(words.format(where=f"{where} " if where and kind == "terminal" else place), _KEEP)


def source_of_unit(unit: str, scope: str, output: str) -> Source:
    """Return where the log of a unit is, whether it runs or not, from its StandardOutput (systemd.exec(5))."""
    kind, _, path = output.partition(":")
    return LogFile(path) if kind in {"file", "append", "truncate"} and path else Journal(unit, scope)


def _deleted(path: str, pid: int | None) -> Source:
    if pid is None:
        return Unreadable(f"This server still writes to {path}, which was deleted.", _KEEP)
    return LogFile(f"/proc/{pid}/fd/1")
