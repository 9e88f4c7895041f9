"""The ports of this machine: which are free, and who holds one that is not."""

from __future__ import annotations

import errno
import itertools
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from jupytui.errors import JupytuiError
from jupytui.text import clean_line

LISTEN = "0A"
USUAL = 8888  # Jupyter's own
_LOOPBACKS = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


def is_free(port: int) -> bool:
    """Whether we could listen on `port` here, and nobody answers on the other loopback in our place.

    A browser may try ::1 first for the name localhost: whoever listens there would be sent what is meant for us.
    """
    return all(_can_listen(family, address, port) for family, address in _LOOPBACKS)


def _can_listen(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
            probe.listen(1)  # Linux lets two bind with SO_REUSEADDR, and refuses the second that listens
    except OSError as error:
        return error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}  # a machine without IPv6
    return True


def next_free(port: int, is_free: Callable[[int], bool] = is_free) -> int:
    """Return `port` if it is free, else the next one that is. Raises JupytuiError when none is left."""
    for candidate in itertools.chain(range(port, 65536), range(1024, port)):
        if is_free(candidate):
            return candidate
    raise JupytuiError("No port of this machine is free.")


def holder(port: int) -> str:
    """Return who listens on TCP `port`, as "NAME (process 123)"; another user's process is not seen; "" if unknown.

    From /proc/net/tcp and /proc/PID/fd (proc(5)), so only on Linux.
    """
    inodes = {f"socket:[{inode}]" for inode in _inodes(port)}
    for directory in Path("/proc").glob("[0-9]*") if inodes else ():
        with suppress(OSError):
            if inodes.intersection(_open_files(directory)):
                return f"{_name(directory)} (process {directory.name})"
    return "another user's process" if inodes else ""


def _name(directory: Path) -> str:
    """Return what the process runs: of a Python that runs a module, the module; "python" tells nobody anything."""
    name = clean_line((directory / "comm").read_bytes())
    words = (directory / "cmdline").read_bytes().split(b"\0")
    options = list(itertools.takewhile(lambda word: word.startswith(b"-"), words[1:]))
    if name.startswith("python") and options and options[-1] == b"-m":
        return clean_line(words[1 + len(options)])
    return name


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
