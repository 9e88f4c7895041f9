"""Sockets that listen on this machine for as long as their tunnel lives."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from jupytui.errors import JupytuiError
from jupytui.tunnels import ports
from jupytui.tunnels.models import LOOPBACK, Address

BACKLOG = 4096  # connects that wait while the link is down or a thousand come at once; the kernel may allow fewer


def listen(address: Address | None) -> socket.socket:
    """Return a socket that listens at `address`, by default at any free port. Raises JupytuiError."""
    return _at_path(address.path) if address and address.path else _at_port(address or Address(LOOPBACK, 0))


def where(listening: socket.socket) -> Address:
    """Return the address at which it listens."""
    name = listening.getsockname()
    return Address(path=name) if listening.family == socket.AF_UNIX else Address(name[0], name[1])


def close(listening: socket.socket) -> None:
    """Close it, and remove the file of a unix socket if it is still its own."""
    address = where(listening)
    listening.close()
    if address.path and not _answers(address.path):
        with suppress(OSError):
            os.unlink(address.path)  # noqa: PTH108 - as all of this


def _at_port(address: Address) -> socket.socket:
    host = LOOPBACK if address.host in {"", "localhost"} else address.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, address.port))
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError as error:
        made.close()
        raise _refused(error, Address(host, address.port)) from None
    return made


def _refused(error: OSError, address: Address) -> JupytuiError:
    if error.errno == errno.EADDRINUSE:
        holder = ports.holder(address.port)
        by = f" by {holder}" if holder else ""
        hint = f"Choose another port ({ports.next_free(address.port)} is free), or end that."
        return JupytuiError(f"Port {address.port} on this machine is taken{by}.", hint)
    if error.errno in {errno.EACCES, errno.EPERM}:
        return JupytuiError(f"You may not listen on port {address.port}.", "Choose one above 1023.")
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return JupytuiError(f"This machine has no address {address.host}.")
    return JupytuiError(f"It cannot listen on {address}.", detail=str(error))


def _at_path(path: str) -> socket.socket:
    _make_way(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # In a 0700 directory nobody is there before the mode is set; elsewhere only the mask keeps others out in between.
    mask = os.umask(0o177)
    try:
        made.bind(path)
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError as error:
        made.close()
        raise JupytuiError(f"It cannot listen at {path}.", detail=str(error)) from None
    finally:
        os.umask(mask)
    return made


def _make_way(path: str) -> None:
    """Remove a socket that a process of ours has left behind. Raises JupytuiError for anything else that is there."""
    try:
        found = Path(path).lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise JupytuiError(f"It cannot listen at {path}.", detail=str(error)) from None
    if not stat.S_ISSOCK(found.st_mode):
        raise JupytuiError(f"{path} is there already, and is no socket.", "Choose another path.")
    if found.st_uid != os.geteuid():
        raise JupytuiError(f"{path} is a socket of another user.", "Choose a path in a directory of your own.")
    if _answers(path):
        raise JupytuiError(f"Somebody listens at {path} already.", "Choose another path.")
    with suppress(FileNotFoundError):
        Path(path).unlink()


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:
            return True  # its queue is full
        except OSError:
            return False
    return True
