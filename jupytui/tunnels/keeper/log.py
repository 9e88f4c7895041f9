"""What the keeper writes about itself: what it was told and what went wrong, never what was in memory."""

from __future__ import annotations

import io
import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

from jupytui.config.crash import frames
from jupytui.text import clean_line

MAX_BYTES = 256 * 1024
KEPT = 2

log = logging.getLogger("jupytui.keeper")


class _PrivateFile(RotatingFileHandler):
    def _open(self) -> io.TextIOWrapper:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        return open(os.open(self.baseFilename, flags, 0o600), "a", encoding="utf-8", errors="replace")  # noqa: PTH123


class _OneLine(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = clean_line(record.message)
        return super().formatMessage(record)


def open_log(path: Path) -> None:
    """Write to `path` from now on, 0600, at most three times 256 KiB. Raises OSError, also when it is a link."""
    handler = _PrivateFile(path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8")
    handler.setFormatter(_OneLine(f"%(asctime)s {os.getpid()} %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    logging.raiseExceptions = False  # a full disk ends no tunnel


def log_mistake(error: BaseException) -> None:
    """Write where a mistake of ours happened, without its message."""
    log.error("a mistake in jupytui itself:")
    for text in frames(error):
        for line in text.splitlines():
            log.error("  %s", line)
