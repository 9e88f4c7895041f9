"""The files of this room on this machine: private, and written only if nobody else has changed them meanwhile."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jupytui.certs.models import CertificateError
from jupytui.config.paths import private_directory
from jupytui.config.private import NotPrivateError, PrivateDirectory


def default_directory() -> Path:
    """Return where this user's authority, account keys and records are: `certs` in the platform's data directory."""
    from platformdirs import PlatformDirs

    return PlatformDirs("jupytui", appauthor=False).user_data_path / "certs"


class Changed(CertificateError):
    """A file holds something else by now; nothing was written."""


def read(path: Path) -> bytes | None:
    """Return a private file's bytes, None when there is none. Raises CertificateError where it is not private."""
    with _translated(path):
        return PrivateDirectory(path.parent).read(path.name)


def write(path: Path, data: bytes, *, was: bytes | None) -> None:
    """Write a file, 0600 in a directory 0700, wholly or not at all, if it still holds `was` (None: not there).

    Raises Changed, CertificateError.
    """
    with _translated(path):
        private_directory(path.parent)
        with _locked(path.parent):
            if PrivateDirectory(path.parent).read(path.name) != was:
                raise Changed(f"{path} has changed meanwhile.", "Try it again.")
            PrivateDirectory(path.parent).write(path.name, data)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some network file systems cannot lock
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except NotPrivateError as error:
        raise CertificateError(error.message, error.hint) from None
    except OSError as error:
        raise CertificateError(f"{path} cannot be used: {error.strerror}.") from None
