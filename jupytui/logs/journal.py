"""A unit's journal followed over a stream of `journalctl -o json`. No IO here."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec

from jupytui.errors import CommandError
from jupytui.logs.events import Event, Marker
from jupytui.logs.source import Journal
from jupytui.text import clean, clean_line

# `--user-unit` without `--user` finds the user's own journal and, for those who may read it, the system's: where
# journald keeps no journal per user (Storage=volatile), only the latter holds the lines.
# `--lines=N --follow` starts at the end, and where the unit has no line yet, at the end as it is when journalctl looks
# again: what came in between is lost (25 lines of 60, systemd 252). `--lines=all` starts at the beginning; the last
# option of a kind holds.
_SCRIPT = """\
command -v journalctl >/dev/null 2>&1 || exit 9
export LC_ALL=C SYSTEMD_COLORS=0 SYSTEMD_PAGER=
case $1 in --unit=*) journalctl --lines=0 >/dev/null ;; esac # says who may not read; with -o json nothing is said
case " $* " in *" --lines=all "*) ;; *" --follow "*)
  [ "$(journalctl -q -o json --output-fields=PRIORITY --lines=1 "$1" 2>/dev/null)" ] || set -- "$@" --lines=all ;;
esac
exec journalctl --no-pager --all -o json --output-fields=MESSAGE,PRIORITY,MESSAGE_ID "$@"
"""
_DROPPED = {  # sd-messages.h: SD_MESSAGE_JOURNAL_DROPPED, SD_MESSAGE_JOURNAL_MISSED
    "a596d6fe7bfa4994828e72309e95d61e",
    "e9bf28e6e834481bb6f48f548ad13606",
}
_GONE = "the journal does not hold the last line seen any more: lines between may be missing"


class Record(msgspec.Struct, gc=False, rename={"cursor": "__CURSOR", "time": "__REALTIME_TIMESTAMP"}):
    """One line of `journalctl -o json`. MESSAGE is text, null (too long without --all), bytes as numbers, or a list
    of those when the field came more than once; PRIORITY likewise.
    """

    cursor: str = ""
    time: str = "0"
    MESSAGE: object = None
    PRIORITY: object = None
    MESSAGE_ID: object = None

    @property
    def message(self) -> bytes:
        """The message as bytes, as it was logged."""
        return _bytes(self.MESSAGE)

    @property
    def priority(self) -> int | None:
        """0 (emergency) to 7 (debug)."""
        value = self.PRIORITY
        return int(value) if isinstance(value, str) and value in set("01234567") else None

    @property
    def moment(self) -> int:
        """When journald got it, in microseconds since 1970; 0 if it does not say."""
        return int(self.time) if self.time.isdecimal() and len(self.time) < 18 else 0

    @property
    def dropped(self) -> bool:
        """Whether this is journald's own word that it dropped lines."""
        return isinstance(self.MESSAGE_ID, str) and self.MESSAGE_ID in _DROPPED


_decoder = msgspec.json.Decoder(Record)


def _bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if not isinstance(value, list):
        return b""
    if all(isinstance(item, int) and 0 <= item < 256 for item in value):
        return bytes(value)
    return b" ".join(_bytes(item) for item in value)


def record(line: bytes) -> Record:
    """Return one line decoded; a line that is not JSON becomes its own message."""
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Record(MESSAGE=line.decode("utf-8", "replace"))


class _Seen(NamedTuple):
    """The last line handed on, and all messages of its microsecond for when its cursor is of no use."""

    cursor: str
    time: int
    messages: frozenset[bytes]


class JournalTail:
    """Follows the journal of a unit; its position is the cursor of the last line handed on.

    `--cursor` is inclusive: the line that carries it comes first and proves that nothing is missing.
    """

    def __init__(self, source: Journal, history: int | None = 1000) -> None:
        self._source = source
        self._history = history
        self._seen: _Seen | None = None
        self._by_time = False
        self._rest: list[bytes] = []
        self._resuming = False
        self._spoken = False
        self.again = False

    def begin(self, live: bool) -> tuple[str, tuple[str, ...]]:
        """Return the command that goes on at our position."""
        self._rest, self._resuming, self.again = [], self._seen is not None, False
        source = self._source
        flag = "--user-unit" if source.scope == "user" else "--unit"
        args = [f"{flag}={source.unit}", *self._where()]
        if source.boot is not None:
            args.append(f"--boot={source.boot}")
        if source.until:
            args.append(f"--until={_moment(source.until)}")
        if live and source.until is None and source.boot is None:
            args.append("--follow")
        return _SCRIPT, tuple(args)

    def _where(self) -> list[str]:
        if self._seen is None:
            since = [f"--since={_moment(self._source.since)}"] if self._source.since else []
            return [*since, f"--lines={'all' if self._history is None else self._history}"]
        if self._by_time:
            return [f"--since=@{self._seen.time // 10**6}.{self._seen.time % 10**6:06}", "--lines=all"]
        return [f"--cursor={self._seen.cursor}", "--lines=all"]

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes of the stream; return the whole lines in them that are new."""
        end = data.rfind(b"\n") + 1
        if not end:
            self._rest.append(data)
            return []
        whole = b"".join([*self._rest, data[:end]])
        self._rest = [data[end:]] if end < len(data) else []
        events: list[Event] = []
        if self._resuming:
            whole = self._resumed(whole, events)
        if whole:
            self._note(whole)
            events.append(whole)
        return events

    def _resumed(self, whole: bytes, events: list[Event]) -> bytes:
        assert self._seen
        if self._by_time:
            return self._after(whole)
        self._resuming = False
        line, _, rest = whole.partition(b"\n")
        if record(line).cursor == self._seen.cursor:
            return rest
        events.append(Marker(_GONE))
        return whole

    def _after(self, whole: bytes) -> bytes:
        """Drop the lines of the microsecond at which we stopped that were handed on already."""
        assert self._seen
        lines = whole.splitlines(keepends=True)
        for index, line in enumerate(lines):
            this = record(line)
            if this.moment > self._seen.time:
                self._resuming = False
                return b"".join(lines[index:])
            if this.moment == self._seen.time and this.message not in self._seen.messages:
                return b"".join(lines[index:])
        return b""

    def _note(self, whole: bytes) -> None:
        end = len(whole) - 1
        last = record(whole[whole.rfind(b"\n", 0, end) + 1 : end])
        messages = {last.message}
        while (end := whole.rfind(b"\n", 0, end)) > 0:
            before = record(whole[whole.rfind(b"\n", 0, end) + 1 : end])
            if before.moment != last.moment:
                break
            messages.add(before.message)
        if last.cursor:
            self._seen, self._by_time, self._spoken = (
                _Seen(last.cursor, last.moment, frozenset(messages)),
                False,
                True,
            )

    def ended(self, host: str, status: int, stderr: bytes) -> None:
        """Set `again` when the journal does not know our cursor; raise CommandError for anything else but the end."""
        if status == 0:
            return
        if b"seek to cursor" in stderr and not self._by_time:
            self._by_time = self.again = True
        elif status == 9:
            raise CommandError(f"{host} has no journalctl, so its journal cannot be read.")
        else:
            unit = clean_line(self._source.unit)
            raise CommandError(f"The journal of {unit} on {host} cannot be read.", _last(stderr), detail=clean(stderr))

    def silent(self, stderr: bytes) -> list[Event]:
        """Say why nothing is shown, where journalctl says that we may not see it."""
        if self._spoken or (b"insufficient permissions" not in stderr and b"not seeing messages" not in stderr):
            return []
        self._spoken = True
        return [Marker("you may not read the system's journal here: an admin can add you to the group systemd-journal")]


def _moment(moment: datetime) -> str:
    return f"@{moment.timestamp():.6f}"


def _last(stderr: bytes) -> str:
    return clean_line(stderr.strip().rpartition(b"\n")[2])
