"""A directory of ours that nobody else can look into, and small files in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from jupytui.config.paths import private_directory
from jupytui.errors import JupytuiError

MAX_BYTES = 2**20


class NotPrivateError(JupytuiError):
    """A file or directory of ours that should be private is not, or is not ours."""


class PrivateDirectory:
    """0700, files in it 0600, whatever the umask. Files are replaced whole or not at all.

    Everything is done below a descriptor of the directory that was checked: it is no symlink and belongs to us. No
    symlink in it is ever followed. Methods raise NotPrivateError, and OSError where the disk does not play along.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Make the directory if need be, and check it."""
        private_directory(self.path)
        with self._opened():
            pass

    def read(self, name: str) -> bytes | None:
        """Return the bytes of file `name`, None when there is none."""
        try:
            with self._opened() as directory:
                handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
                with os.fdopen(handle, "rb") as file:
                    self._check_file(name, os.fstat(handle))
                    return file.read(MAX_BYTES)
        except FileNotFoundError:
            return None
        except OSError:
            if (self.path / name).is_symlink():
                raise self._refused(name, "a symbolic link") from None
            raise

    def write(self, name: str, data: bytes, mode: int = 0o600) -> Path:
        """Make `data` the content of file `name` and return its path; a symlink of that name is replaced."""
        private_directory(self.path)
        temporary = f".{name}.{token_hex(4)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._opened() as directory:
            try:
                with os.fdopen(os.open(temporary, flags, mode, dir_fd=directory), "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=directory)
                raise
        return self.path / name

    def append(self, name: str) -> int:
        """Return a handle that writes at the end of file `name`, which is made if need be; a symlink is refused."""
        private_directory(self.path)
        with self._opened() as directory:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            return os.open(name, flags, 0o600, dir_fd=directory)

    def remove(self, name: str) -> None:
        """Remove file `name`, if it is there."""
        with suppress(FileNotFoundError), self._opened() as directory:
            os.unlink(name, dir_fd=directory)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except NotADirectoryError:
            raise self._refused("", "a symbolic link or a file") from None
        try:
            found = os.fstat(handle)
            if found.st_uid != os.geteuid():
                raise self._refused("", "not yours")
            if stat.S_IMODE(found.st_mode) & 0o077:
                os.fchmod(handle, 0o700)
            yield handle
        finally:
            os.close(handle)

    def _check_file(self, name: str, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise self._refused(name, "not a plain file")
        if found.st_uid != os.geteuid():
            raise self._refused(name, "not yours")
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise self._refused(name, "open to others, who may have read it")

    def _refused(self, name: str, why: str) -> NotPrivateError:
        return NotPrivateError(f"{self.path / name} is {why}; it is not used.", "Look at it, then remove it.")
