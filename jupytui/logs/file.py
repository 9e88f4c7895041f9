"""A log file followed over a stream: what `follow.sh` says, taken apart. No IO here."""

from __future__ import annotations

import secrets
from functools import cache
from importlib.resources import files

from jupytui.errors import CommandError
from jupytui.logs.events import Event, Marker
from jupytui.text import clean, clean_line

KNOWN = 64  # bytes before the offset that are compared when going on
_WHY = {
    "rotated": "the log was rotated: here the new file begins",
    "truncated": "the log was emptied: here it begins anew",
    "lost": "the file was replaced while nobody looked: lines between may be missing",
}


@cache
def _script() -> str:
    return (files("jupytui.logs") / "follow.sh").read_text()


class FileTail:
    """Follows `path`; its position is file (device:inode), byte offset, and the last bytes before it.

    `history`: how many lines at first, `most` bytes of them (None: the whole file). `backlog`: when more bytes than
    this are waiting, the host skips to the last half of it and counts the lines (None: nothing is ever skipped).
    """

    def __init__(
        self, path: str, history: int | None = 1000, most: int = 8 * 2**20, backlog: int | None = 64 * 2**20
    ) -> None:
        self._path = path
        self._limits = (str(history or 0), str(most), str(backlog or 0))
        self._id = ""
        self._offset = 0
        self._known = b""
        self._from_start = history is None
        self._parted = False  # inside a line whose beginning was not seen: up to its end, nothing is handed on
        self._reset()

    def _reset(self) -> None:
        self._mark = b""
        self._rest = b""
        self._left = 0  # bytes announced that are still to come
        self._blind = 0  # bytes that come again, and of which we do not know what they were
        self._expected = b""  # bytes that come again, and what they must be
        self._fresh = not self._id
        self._skipped: int | None = None
        self.again = False

    def begin(self, live: bool) -> tuple[str, tuple[str, ...]]:
        """Return the script that goes on at our position."""
        self._reset()
        mark = secrets.token_hex(8)  # so that no line of the log can be taken for the script's own words
        self._mark = b"\0%b " % mark.encode()
        start = "resume" if self._id else "begin" if self._from_start else "tail"
        once = "0" if live else "1"
        return _script(), (self._path, mark, start, self._id, str(self._offset), *self._limits, once)

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes of the stream; return what is new in them."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        events: list[Event] = []
        at = 0
        while not self.again:
            found = data.find(self._mark, at)
            if found < 0:
                end = self._beginning_of_mark(data, at)
                self._take(data[at:end] if at or end < len(data) else data, events)
                self._rest = data[end:]
                break
            self._take(data[at:found], events)
            end = data.find(b"\n", found)
            if end < 0:
                self._rest = data[found:]
                break
            self._said(data[found + len(self._mark) : end].decode("ascii", "replace").split(), events)
            at = end + 1
        return events

    def _beginning_of_mark(self, data: bytes, at: int) -> int:
        """Return where in the last bytes of `data` a mark may have begun; its length when none has."""
        end = len(data)
        if end - at == self._left:
            return end  # all that was announced, so this is the log's own
        start = max(at, end - len(self._mark) + 1)
        while (start := data.find(b"\0", start)) >= 0:
            if self._mark.startswith(data[start:]):
                return start
            start += 1
        return end

    def _said(self, words: list[str], events: list[Event]) -> None:
        match words:
            case ["at", file, start, size]:
                self._left = int(size) - int(start)
                self._at(file, int(start), events)
            case ["new", why]:
                self._anew(why, events)
            case ["skip", lines]:
                self._skipped = int(lines)
            case ["none"]:
                events.append(Marker(f"{clean_line(self._path)} is not there yet: waiting for it"))
                self._from_start = True

    def _anew(self, why: str, events: list[Event]) -> None:
        events.append(Marker(_WHY.get(why, "the log begins anew")))
        self._id, self._offset, self._known = "", 0, b""
        self._fresh, self._from_start, self._parted = True, True, False

    def _at(self, file: str, start: int, events: list[Event]) -> None:
        if self._fresh or self._skipped is not None:
            self._parted = start > 0
            if self._skipped is not None:
                # To the lines counted comes the one that is cut by where we go on.
                events.append(Marker(f"skipped {self._skipped + 1:,} lines: they came faster than they could be read"))
            self._id, self._offset, self._known = file, start, b""
            self._fresh, self._skipped, self._blind, self._expected = False, None, 0, b""
            return
        again = self._offset - start
        if file != self._id or again < 0:
            self.again = True  # the file shrank while it was read out: ask for what is missing
            return
        self._expected = self._known[-again:] if again else b""
        self._blind = again - len(self._expected)

    def _take(self, data: bytes, events: list[Event]) -> None:
        if not data:
            return
        self._left -= len(data)
        if self._blind:
            seen = min(self._blind, len(data))
            self._blind, data = self._blind - seen, data[seen:]
        if self._expected and data:
            data = self._compared(data, events)
        if data and not self.again:
            self._offset += len(data)
            self._known = data[-KNOWN:] if len(data) >= KNOWN else (self._known + data)[-KNOWN:]
            self._hand_on(data, events)

    def _compared(self, data: bytes, events: list[Event]) -> bytes:
        seen = min(len(self._expected), len(data))
        if data[:seen] != self._expected[:seen]:
            events.append(Marker(_WHY["truncated"]))
            self._offset, self._known, self._parted, self.again = 0, b"", False, True
            return b""
        self._expected = self._expected[seen:]
        return data[seen:]

    def _hand_on(self, data: bytes, events: list[Event]) -> None:
        if self._parted:
            end = data.find(b"\n") + 1
            if not end:
                return
            self._parted, data = False, data[end:]
        if data:
            events.append(data)

    def ended(self, host: str, status: int, stderr: bytes) -> None:
        """Raise CommandError with the reason, unless all was said."""
        path = clean_line(self._path)
        if status == 0:
            return
        if status == 3:
            raise CommandError(f"{path} on {host} may not be read by you.", "Ask its owner, or log in as its owner.")
        if status == 4:
            raise CommandError(f"{path} on {host} is a directory, not a log file.")
        raise CommandError(f"Reading {path} on {host} ended with status {status}.", detail=clean(stderr))

    def silent(self, stderr: bytes) -> list[Event]:
        """Return nothing: a quiet file is a quiet file."""
        return []
