"""Who holds a port of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from jupytui.text import clean_line

LISTEN = "0A"


def holder(port: int) -> str:
    """Return who listens on TCP `port`, as "NAME (process 123)"; another user's process is not seen; "" if unknown.

    From /proc/net/tcp and /proc/PID/fd (proc(5)), so only on Linux.
    """
    inodes = {f"socket:[{inode}]" for inode in _inodes(port)}
    for directory in Path("/proc").glob("[0-9]*") if inodes else ():
        with suppress(OSError):
            if inodes.intersection(_open_files(directory)):
                name = clean_line((directory / "comm").read_bytes())
                return f"{name} (process {directory.name})"
    return "another user's process" if inodes else ""


def _inodes(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for row in Path("/proc/net", table).read_text().splitlines()[1:]:
                fields = row.split()
                if fields[3] == LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _open_files(directory: Path) -> Iterator[str]:
    for file in (directory / "fd").iterdir():
        with suppress(OSError):
            yield str(file.readlink())
