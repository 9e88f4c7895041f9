"""What makes one process the keeper: the lock, and the socket that front ends find."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from contextlib import suppress
from typing import Self

from jupytui.errors import JupytuiError
from jupytui.tunnels.keeper.place import Place, check_socket, make_private

BACKLOG = 64


class Lair:
    """A held lock and a listening socket. Closing gives up both, but only `hide` removes the socket's file."""

    def __init__(self, place: Place, lock: int, listener: socket.socket) -> None:
        self.place, self._lock = place, lock
        self.listener = listener
        listener.setblocking(False)

    @classmethod
    def take(cls, place: Place) -> Self | None:
        """Become the keeper; None when there is one already.

        Raises JupytuiError when the place is not safe, or what is there in the socket's place is not ours.
        """
        make_private(place.state)
        lock = _lock(place)
        if lock is None:
            return None
        try:
            return cls(place, lock, _listen(place))
        except BaseException:
            os.close(lock)
            raise

    def descriptors(self) -> tuple[int, int]:
        """Return the lock and the socket, for handing them on: a flock goes with the open file."""
        return self._lock, self.listener.fileno()

    def is_found(self) -> bool:
        """Whether the file of the socket is still there; systemd removes its directory with the last session."""
        with suppress(OSError):
            return self.place.socket.is_socket()
        return False

    def listen_again(self) -> None:
        """Put a new socket where the old one was, if its directory may be made again."""
        with suppress(JupytuiError, OSError):
            if self.place.run.parent.is_dir():
                former, self.listener = self.listener, _listen(self.place)
                self.listener.setblocking(False)
                former.close()

    def hide(self) -> None:
        """Remove the socket's file, so that nobody waits for an answer any more."""
        with suppress(OSError):
            self.place.socket.unlink()

    def close(self) -> None:
        """Let go; a newer keeper that has copies keeps them."""
        self.listener.close()
        os.close(self._lock)


def _lock(place: Place) -> int | None:
    try:
        handle = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        why = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise JupytuiError(f"{place.lock} cannot be opened: {why}.", "Look who made it, and remove it.") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError as error:
        os.close(handle)
        raise JupytuiError(f"{place.lock} cannot be locked: {error.strerror}.") from None
    return handle


def _listen(place: Place) -> socket.socket:
    """Bind, replacing what a keeper left that was killed: whoever holds the lock is the only one."""
    make_private(place.run)
    with suppress(FileNotFoundError):
        check_socket(place.socket)
        place.socket.unlink()
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(place.socket))  # nobody else can come in meanwhile: the directory is 0700
        place.socket.chmod(0o600)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise JupytuiError(f"{place.socket} cannot be made: {error.strerror}.") from None
    return listener
