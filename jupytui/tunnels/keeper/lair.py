"""What makes one process the keeper: the lock, and the socket that front ends find."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Self

from jupytui.errors import JupytuiError
from jupytui.tunnels.keeper.place import Place, check_socket, make_private

BACKLOG = 64


class Lair:
    """A held lock and a listening socket, which is `at` a path that is written in the lock's file.

    Closing gives up both, but only `hide` removes the socket's file.
    """

    def __init__(self, place: Place, lock: int, listener: socket.socket, at: Path) -> None:
        self.place, self._lock = place, lock
        self._have(listener, at)

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
            return cls(place, lock, _listen(place.socket), place.socket)
        except BaseException:
            os.close(lock)
            raise

    def descriptors(self) -> tuple[int, int]:
        """Return the lock and the socket, for handing them on: a flock goes with the open file."""
        return self._lock, self.listener.fileno()

    def is_found(self) -> bool:
        """Whether the file of the socket is still there; systemd removes its directory with the last session."""
        with suppress(OSError):
            return self._at.is_socket()
        return False

    def listen_again(self) -> None:
        """Put a new socket where one belongs, or where nothing is swept away if that directory cannot be made."""
        for path in (self.place.socket, self.place.spare):
            with suppress(JupytuiError, OSError):
                if path.parent.parent.is_dir():
                    former = self.listener
                    self._have(_listen(path), path)
                    former.close()
                    return

    def _have(self, listener: socket.socket, at: Path) -> None:
        self.listener, self._at = listener, at
        listener.setblocking(False)
        with suppress(OSError):  # on a full disk it is found from where it was started
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, os.fsencode(at), 0)

    def hide(self) -> None:
        """Remove the socket's file, so that nobody waits for an answer any more."""
        with suppress(OSError):
            self._at.unlink()

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


def _listen(path: Path) -> socket.socket:
    """Bind, replacing what a keeper left that was killed: whoever holds the lock is the only one."""
    make_private(path.parent)
    with suppress(FileNotFoundError):
        check_socket(path)
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))  # nobody else can come in meanwhile: the directory is 0700
        path.chmod(0o600)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise JupytuiError(f"{path} cannot be made: {error.strerror}.") from None
    return listener
