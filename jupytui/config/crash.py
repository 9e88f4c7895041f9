"""What is kept of a mistake of ours: where it happened, and nothing that was in memory."""

from __future__ import annotations

import os
import platform
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from jupytui import __version__
from jupytui.config.private import NotPrivateError, PrivateDirectory

KEPT = 20


def write_crash(logs: Path, error: BaseException) -> Path | None:
    """Write a log of `error` below `logs` (0600) and return its path, None when it cannot be written.

    It holds frames, source lines and types: neither local variables nor messages, for both may hold a secret.
    """
    try:
        name = f"crash-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}.log"
        head = f"jupytui {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        path = PrivateDirectory(logs).write(name, "".join([head, *frames(error)]).encode("utf-8", "replace"))
        for old in sorted(logs.glob("crash-*.log"))[:-KEPT]:
            old.unlink()
    except (OSError, NotPrivateError):
        return None
    return path


def frames(error: BaseException) -> Iterator[str]:
    """Yield where `error` and what led to it happened, without messages."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before:
        yield from frames(before)
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from frames(inner)
    yield f"\n{type(error).__module__}.{type(error).__qualname__}\n"
    yield from traceback.format_tb(error.__traceback__)
