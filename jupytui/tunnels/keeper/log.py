"""What the keeper writes about itself: what it was told and what went wrong, never what was in memory."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from jupytui.config.crash import frames
from jupytui.config.log import PrivateFile
from jupytui.text import clean_line

MAX_BYTES = 256 * 1024
KEPT = 2

log = logging.getLogger("jupytui.keeper")


class _OneLine(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = clean_line(record.message)
        return super().formatMessage(record)


def open_log(path: Path) -> None:
    """Write to `path` from now on, 0600, at most three times 256 KiB. Raises OSError, also when it is a link."""
    handler = PrivateFile(path, maxBytes=MAX_BYTES, backupCount=KEPT)
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
