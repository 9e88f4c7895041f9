"""The boots of a host that its journal still knows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from jupytui.errors import CommandError
from jupytui.hosts.base import Host
from jupytui.text import clean, clean_line

# systemd < 251 knows no `-o json` here and prints the table for people.
_SCRIPT = "export LC_ALL=C; journalctl --no-pager -q --list-boots -o json"
_ROW = re.compile(r"^\s*(-?\d+)\s+([0-9a-f]{32})\s", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Boot:
    """One boot: `index` 0 is the running one, -1 the one before; `first` and `last` entry in UTC, None if not told."""

    index: int
    id: str
    first: datetime | None = None
    last: datetime | None = None


class _Row(msgspec.Struct):
    index: int
    boot_id: str
    first_entry: int
    last_entry: int


async def boots(host: Host) -> tuple[Boot, ...]:
    """Return the boots, oldest first. Raises HostTrouble, DeadlineError, and CommandError without a journal."""
    done = await host.run(_SCRIPT)
    if done.status:
        why = clean_line(done.stderr.strip().rpartition(b"\n")[2])
        raise CommandError(f"The journal of {host.name} cannot be read.", why, detail=clean(done.stderr))
    return parse_boots(done.stdout)


def parse_boots(output: bytes) -> tuple[Boot, ...]:
    """Return the boots in what `journalctl --list-boots` printed, as JSON or, from systemd < 251, as a table."""
    try:
        rows = msgspec.json.decode(output, type=list[_Row])
    except msgspec.DecodeError:
        found = _ROW.findall(output.decode("utf-8", "replace"))
        return tuple(Boot(int(index), boot) for index, boot in found)
    return tuple(Boot(row.index, row.boot_id, _moment(row.first_entry), _moment(row.last_entry)) for row in rows)


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, UTC)
