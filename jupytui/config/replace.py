"""Replace a file of the user's: wholly or not at all, and only if nobody else changed it meanwhile."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jupytui.config.load import read_source
from jupytui.config.paths import private_directory
from jupytui.errors import ConfigError


def replace_file(path: Path, data: bytes, *, was: bytes | None) -> None:
    """Make `data` the content of `path`, mode 0600; a symlink, as people with dotfiles have, keeps pointing there.

    `was` is what the caller read (None: there was no file). Raises ConfigError when it holds something else by now, or
    cannot be written; it is then as it was.
    """
    try:
        private_directory(path.parent)
        target = path.resolve()
        with _locked(target.parent):
            if read_source(target) != was:
                raise ConfigError(f"{path} has changed since it was read; nothing was written.", "Try it again.")
            _write(target, data)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from None


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Keep other jupytuis out between the comparison and the rename. Some network file systems cannot lock."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _write(target: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # 0600, and never through a link
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
