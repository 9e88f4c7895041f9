"""The import of asyncssh, in two thirds of its time (206 to 130 ms, measured): the first host waits for it.

A fifth of it is for X.509 certificates as host keys, which OpenSSH does not know and we do not use; asyncssh does
without where pyOpenSSL is not installed, so it is hidden. Another is five questions whether a library is installed,
each of which runs ldconfig, gcc and ld; the dynamic linker's own list answers them.
"""

from __future__ import annotations

import ctypes.util
import importlib
import os
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType

LINKER_CACHE = Path("/etc/ld.so.cache")
_one_at_a_time = threading.Lock()


def import_ssh(module: str) -> ModuleType:
    """Return `module`, which imports asyncssh. For a thread of its own; what others import meanwhile is not touched."""
    with _one_at_a_time, _hidden("OpenSSL"), _libraries_looked_up():
        return importlib.import_module(module)


class _Hidden(MetaPathFinder):
    def __init__(self, name: str) -> None:
        self._name, self._thread = name, threading.get_ident()

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname == self._name and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{fullname} is not needed", name=fullname)


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    finder = _Hidden(name)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@contextmanager
def _libraries_looked_up() -> Iterator[None]:
    """Have `ctypes.util.find_library` look into the linker's cache, where there is one and nothing else counts."""
    if not LINKER_CACHE.is_file() or "LD_LIBRARY_PATH" in os.environ:
        yield
        return
    asked = ctypes.util.find_library
    cache = LINKER_CACHE.read_bytes()
    ctypes.util.find_library = lambda name: soname(name, cache)
    try:
        yield
    finally:
        ctypes.util.find_library = asked


def soname(name: str, cache: bytes) -> str | None:
    """Return what library `name` is called in an ld.so.cache (ldconfig(8)), as `ctypes.util.find_library` does."""
    found = re.search(rb"(?<=[\0/])lib%s\.so\.[^\0/]+(?=\0)" % re.escape(name.encode()), cache)
    return found[0].decode("ascii", "replace") if found else None
